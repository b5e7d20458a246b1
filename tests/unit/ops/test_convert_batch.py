import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from imgconv.batch.job import BatchOptions
from imgconv.batch.ledger import Ledger
from imgconv.batch.plan import Shard
from imgconv.core.options import Overwrite, ReadOptions, WriteOptions
from imgconv.errors import WorkerError
from imgconv.events import EventKind, ignore_events
from imgconv.exitcodes import ExitCode
from imgconv.ops.convert import ConvertOptions, convert, find_target
from imgconv.ops.convert_batch import find_done, run_tasks
from imgconv.ops.convert_plan import make_plan
from imgconv.ops.convert_run import Run, may_crash
from imgconv.ops.report import Status

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "in"
    for name in ("ct", "dwi"):
        shutil.copytree(FIXTURES / name, folder / name)
    return folder


def with_ledger(ledger, batch=BatchOptions(workers=1)):  # noqa: B008  frozen
    return {"engine": lambda: (batch, ledger), "always": True}


def statuses(report):
    return {volume.name: volume.status for volume in report.volumes}


def prepare(source, tmp_path):
    staging = tmp_path / "staging"
    staging.mkdir()
    tasks = make_plan([source], staging, options=ReadOptions(), listener=ignore_events).tasks
    write = WriteOptions()
    return tasks, Run(find_target("nifti", write), tmp_path / "out", staging, ReadOptions(), write)


def broken(task, reader):
    spec = replace(task.format, name="broken", read=f"tests.unit.ops.crashing_formats:{reader}")
    volumes = tuple(replace(volume, source=None) for volume in task.volumes)
    return replace(task, format=spec, volumes=volumes)


def test_a_task_whose_decoder_crashes_is_lost_alone_and_told_once(source, tmp_path):
    (first, second), shared = prepare(source, tmp_path)
    heard = []
    batch = BatchOptions(workers=1, isolate=True)
    done, interrupted = run_tasks(
        [broken(first, "die"), second], shared, batch, Ledger(), heard.append
    )
    assert not interrupted
    assert [volume.status for task in done for volume in task] == [
        Status.FAILED,
        Status.CONVERTED,
    ]
    assert isinstance(done[0][0].error, WorkerError)
    assert "SIGSEGV" in done[0][0].error.message
    # The report tells of it; the listener would say so a second time.
    assert EventKind.ERROR not in {event.kind for event in heard}


def test_a_task_that_hangs_is_given_up(source, tmp_path):
    (first, second), shared = prepare(source, tmp_path)
    batch = BatchOptions(workers=1, timeout_s=3)
    done, _ = run_tasks([broken(first, "hang"), second], shared, batch, Ledger(), ignore_events)
    assert "not finished within 3 s" in done[0][0].error.message
    assert done[1][0].status is Status.CONVERTED


def test_resume_leaves_out_what_is_done_with_the_same_inputs_and_outputs(source, tmp_path):
    out, manifest = tmp_path / "out", tmp_path / "m.jsonl"
    first = convert([source], out, **with_ledger(Ledger(manifest=manifest)))
    assert set(statuses(first).values()) == {Status.CONVERTED}
    ledger = Ledger(manifest=manifest, resume=True)
    again = convert([source], out, **with_ledger(ledger))
    assert set(statuses(again).values()) == {Status.ALREADY_DONE}
    assert again.exit_code == ExitCode.DONE
    assert {file.path for file in again.files} == {file.path for file in first.files}
    assert again.volumes[0].outputs == first.volumes[0].outputs
    (out / "004_dwi.bvec").unlink()
    mended = convert([source], out, **with_ledger(ledger))
    assert statuses(mended) == {"002_Chest": Status.ALREADY_DONE, "004_dwi": Status.CONVERTED}
    path = source / "ct" / "2.dcm"
    path.write_bytes(path.read_bytes() + b"\xfc\xff\xfc\xff\0\0OB\0\0\2\0\0\0\0\0")
    options = ConvertOptions(write=WriteOptions(overwrite=Overwrite.IF_DIFFERENT))
    changed = convert([source], out, options, **with_ledger(ledger))
    assert changed.volumes[0].status is not Status.ALREADY_DONE
    assert changed.volumes[1].status is Status.ALREADY_DONE


def test_resume_does_again_what_has_failed_or_had_other_options(source, tmp_path):
    out, manifest = tmp_path / "out", tmp_path / "m.jsonl"
    out.mkdir()
    (out / "002_Chest.json").write_text("mine")
    first = convert([source], out, **with_ledger(Ledger(manifest=manifest)))
    assert statuses(first) == {"002_Chest": Status.FAILED, "004_dwi": Status.CONVERTED}
    (out / "002_Chest.json").unlink()
    ledger = Ledger(manifest=manifest, resume=True)
    again = convert([source], out, **with_ledger(ledger))
    assert statuses(again) == {"002_Chest": Status.CONVERTED, "004_dwi": Status.ALREADY_DONE}
    other = convert([source], out, **with_ledger(replace(ledger, settings="other")))
    assert set(statuses(other).values()) == {Status.UNCHANGED}


def test_resume_sees_that_a_companion_has_changed(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    for path in (FIXTURES / "nifti").glob("dwi.*"):
        shutil.copy(path, source)
    run = [source / "dwi.nii.gz"], tmp_path / "out", ConvertOptions(to="nrrd")
    manifest = tmp_path / "m.jsonl"
    convert(*run, **with_ledger(Ledger(manifest=manifest)))
    ledger = Ledger(manifest=manifest, resume=True)
    assert set(statuses(convert(*run, **with_ledger(ledger))).values()) == {Status.ALREADY_DONE}
    bval = source / "dwi.bval"
    bval.write_text(bval.read_text() + "\n")
    assert set(statuses(convert(*run, **with_ledger(ledger))).values()) == {Status.UNCHANGED}


def test_resume_knows_the_members_of_an_archive(tmp_path):
    manifest, archive = tmp_path / "m.jsonl", FIXTURES / "archives" / "ct.zip"
    convert([archive], tmp_path / "out", **with_ledger(Ledger(manifest=manifest)))
    ledger = Ledger(manifest=manifest, resume=True)
    again = convert([archive], tmp_path / "out", **with_ledger(ledger))
    assert set(statuses(again).values()) == {Status.ALREADY_DONE}


def test_shards_share_the_work_and_each_names_every_file(source, tmp_path):
    reports = [
        convert([source], tmp_path / "out", **with_ledger(Ledger(shard=Shard(index, 2))))
        for index in (1, 2)
    ]
    files = {str(path) for path in source.rglob("*") if path.is_file()}
    for report in reports:
        assert {file.path for file in report.files} == files
        assert report.exit_code == ExitCode.DONE
    did = [
        name
        for report in reports
        for name, status in statuses(report).items()
        if status is Status.CONVERTED
    ]
    assert sorted(did) == ["002_Chest", "004_dwi"]


def test_a_dry_run_tells_what_is_done_already(source, tmp_path):
    manifest = tmp_path / "m.jsonl"
    convert([source / "ct"], tmp_path / "out", **with_ledger(Ledger(manifest=manifest)))
    tasks, shared = prepare(source, tmp_path)
    found = find_done(tasks, shared, Ledger(manifest=manifest, resume=True))
    assert {tasks[number].volumes[0].stem for number in found} == {"002_Chest"}


def test_fail_fast_tells_what_was_not_begun(source, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "002_Chest.json").write_text("mine")
    batch = BatchOptions(workers=1, fail_fast=True)
    report = convert([source], out, **with_ledger(Ledger(), batch))
    assert statuses(report) == {"002_Chest": Status.FAILED, "004_dwi": Status.SKIPPED}
    reasons = {file.reason for file in report.files if "dwi" in file.path}
    assert reasons == {"not begun: the run ended at the first failure"}


def test_the_manifest_tells_the_volumes_of_each_series(source, tmp_path):
    manifest = tmp_path / "m.jsonl"
    convert([source], tmp_path / "out", **with_ledger(Ledger(manifest=manifest)))
    records = [json.loads(line) for line in manifest.read_text().splitlines()]
    jobs = {record["key"]: record for record in records if record["record"] == "job"}
    assert set(jobs) == {"002_Chest", "004_dwi"}
    (volume,) = jobs["004_dwi"]["facts"]["volumes"]
    assert volume["shape"] == [12, 12, 2, 3]
    assert len(jobs["004_dwi"]["inputs"]) == 6
    assert all(fact["sha256"] for fact in jobs["004_dwi"]["outputs"])


def test_only_compressed_input_may_crash_its_decoder(tmp_path, source):
    tasks, _ = prepare(source, tmp_path)
    assert not any(map(may_crash, tasks))
    files = tuple(replace(file, head=b"1.2.840.10008.1.2.4.80") for file in tasks[0].files)
    assert may_crash(replace(tasks[0], files=files))


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
def test_an_interrupted_run_tells_of_every_file(source, tmp_path):
    for number in range(40):
        shutil.copytree(FIXTURES / "nifti", source / f"n{number}")
    words = [sys.executable, "-m", "imgconv", "convert", str(source), "-o", str(tmp_path / "out")]
    process = subprocess.Popen(
        [*words, "--to", "nrrd", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    until = time.monotonic() + 30
    while not list((tmp_path / "out").glob("*.nrrd")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    text, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    report = json.loads(text)
    assert {file["path"] for file in report["files"]} == {
        str(path) for path in source.rglob("*") if path.is_file()
    }
    assert not list((tmp_path / "out").glob(".imgconv-*"))
