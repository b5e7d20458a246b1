import hashlib
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import pytest
from tests.unit.dicom.pixel_files import make_file, ramp

from imgconv.batch.job import BatchOptions, Status
from imgconv.batch.ledger import Ledger
from imgconv.batch.manifest import read_manifest
from imgconv.codecs import EncodeOptions
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import read_header
from imgconv.dicom.splice import format_meta, split_file
from imgconv.errors import UnsupportedData, UsageError
from imgconv.exitcodes import ExitCode
from imgconv.ops.transcode import (
    TranscodeOptions,
    iter_jobs,
    require_possible,
    show_plan,
    transcode,
    transcode_file,
)
from imgconv.ops.transfer_syntaxes import list_transfer_syntaxes

IN_PROCESS = BatchOptions(workers=1)


def _run(inputs, output, options, **books):
    outcomes = {}
    summary = transcode(
        [str(item) for item in inputs],
        output,
        options,
        batch=IN_PROCESS,
        ledger=Ledger(**books),
        on_outcome=lambda outcome: outcomes.update({outcome.job.key: outcome}),
    )
    return summary, outcomes


def _syntax(path):
    return read_header(path).transfer_syntax_uid


def _pixels(path):
    return FrameReader.from_header(read_header(path)).read_all()


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "in"
    (source / "a" / "b").mkdir(parents=True)
    make_file(source / "a" / "one", ramp(seed=1), Modality="CT")
    make_file(source / "a" / "b" / "two.dcm", ramp(seed=2), Modality="MR")
    (source / "notes.txt").write_text("not an image")
    return source


def test_transcode_keeps_the_structure_of_the_folder(folder, tmp_path):
    out = tmp_path / "out"
    summary, outcomes = _run([folder], out, TranscodeOptions("jpeg-ls"))
    assert summary.exit_code == ExitCode.DONE
    assert np.array_equal(_pixels(out / "a" / "one")[0], ramp(seed=1))
    assert _syntax(out / "a" / "b" / "two.dcm") == "1.2.840.10008.1.2.4.80"
    assert outcomes["notes.txt"].status is Status.SKIPPED
    assert "no DICOM" in outcomes["notes.txt"].reason
    assert not (out / "notes.txt").exists()


def test_transcode_one_file_to_one_file(folder, tmp_path):
    target = tmp_path / "x" / "y.dcm"
    summary, _ = _run([folder / "a" / "one"], target, TranscodeOptions("1.2.840.10008.1.2.5"))
    assert summary.exit_code == ExitCode.DONE
    assert _syntax(target) == "1.2.840.10008.1.2.5"


def test_transcode_archives_and_patterns(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.write(folder / "a" / "one", "deep/one")
    out = tmp_path / "out"
    inputs = [tmp_path / "scans.zip", folder / "**" / "*.dcm"]
    summary, _ = _run(inputs, out, TranscodeOptions("rle"))
    assert summary.exit_code == ExitCode.DONE
    found = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert found == ["a/b/two.dcm", "scans.zip/deep/one"]


def test_transcode_archive_by_workers_elsewhere(folder, tmp_path, monkeypatch):
    # what an archive holds must not lie in a folder that only this machine has
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    with zipfile.ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.write(folder / "a" / "one", "one")
    out = tmp_path / "out"
    stale = out / ".imgconv-killed.part"
    stale.mkdir(parents=True)
    (stale / ".lock").touch()
    summary, _ = _run([tmp_path / "scans.zip"], out, TranscodeOptions("rle"))
    assert summary.exit_code == ExitCode.DONE
    assert [path.name for path in out.iterdir()] == ["scans.zip"]


def test_transcode_in_place_replaces_and_keeps_the_mode(folder):
    path = folder / "a" / "one"
    path.chmod(0o640)
    summary, _ = _run([folder / "a"], None, TranscodeOptions("jpeg-ls"))
    assert summary.exit_code == ExitCode.DONE
    assert _syntax(path) == "1.2.840.10008.1.2.4.80"
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in (folder / "a").iterdir()) == ["b", "one"]


def test_transcode_in_place_again_does_nothing(folder):
    _run([folder], None, TranscodeOptions("jpeg-ls"))
    before = (folder / "a" / "one").stat().st_mtime_ns
    _, outcomes = _run([folder], None, TranscodeOptions("jpeg-ls"))
    assert outcomes["a/one"].status is Status.SKIPPED
    assert (folder / "a" / "one").stat().st_mtime_ns == before


def test_transcode_in_place_records_what_was_and_what_is(folder, tmp_path):
    source = folder / "a" / "one"
    before = source.read_bytes()
    manifest = tmp_path / "m.jsonl"
    _run([source], None, TranscodeOptions("rle"), manifest=manifest)
    job = list(read_manifest(manifest))[-1]
    assert job["inputs"][0]["sha256"] == hashlib.sha256(before).hexdigest()
    assert job["outputs"][0]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert job["facts"]["size_before"] == len(before)
    assert job["facts"]["size_after"] == source.stat().st_size


@pytest.mark.parametrize("recorded", [True, False])
def test_transcode_in_place_resumed_loses_nothing_more(tmp_path, recorded):
    source = tmp_path / "one.dcm"
    make_file(source, ramp(seed=1))
    options = TranscodeOptions("jpeg2000-lossy", encode=EncodeOptions(psnr=40))
    books = {"manifest": tmp_path / "m.jsonl", "settings": options}
    _run([source], None, options, **books)
    once = source.read_bytes()
    if not recorded:  # killed after the file was replaced, before the outcome was written
        books["manifest"].unlink()
    _, outcomes = _run([source], None, options, **books, resume=True)
    (outcome,) = outcomes.values()
    assert outcome.status is (Status.ALREADY_DONE if recorded else Status.SKIPPED)
    assert source.read_bytes() == once


def test_transcode_with_another_quality_compresses_again(tmp_path):
    source = tmp_path / "one.dcm"
    make_file(source, ramp(seed=1))
    for psnr in (50, 30):
        options = TranscodeOptions("jpeg2000-lossy", encode=EncodeOptions(psnr=psnr))
        _, outcomes = _run([source], None, options)
        (outcome,) = outcomes.values()
        assert outcome.status is Status.DONE


def test_transcode_output_that_is_the_input_is_refused(folder):
    before = (folder / "a" / "one").read_bytes()
    summary, outcomes = _run([folder], folder, TranscodeOptions("jpeg-ls", overwrite=True))
    assert "--in-place" in outcomes["a/one"].error.hint
    assert (folder / "a" / "one").read_bytes() == before
    assert summary.exit_code != ExitCode.DONE


def test_transcode_two_inputs_with_one_output_are_told_apart(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    make_file(other / "two.dcm", ramp())
    summary, _ = _run([folder / "a" / "b", other], tmp_path / "out", TranscodeOptions("rle"))
    assert summary.exit_code == ExitCode.SOME_FAILED
    assert summary.failed == 1


def test_transcode_where_leaves_others_out(folder, tmp_path):
    out = tmp_path / "out"
    _, outcomes = _run([folder], out, TranscodeOptions("rle", where="Modality == 'CT'"))
    assert (out / "a" / "one").exists()
    assert not (out / "a" / "b").exists()
    assert outcomes["a/b/two.dcm"].status is Status.SKIPPED


def test_transcode_skip_compressed_copies_them(folder, tmp_path):
    _run([folder / "a" / "one"], tmp_path / "in" / "jls.dcm", TranscodeOptions("jpeg-ls"))
    out = tmp_path / "out"
    _, outcomes = _run([folder], out, TranscodeOptions("htj2k", skip_compressed=True))
    assert (out / "jls.dcm").read_bytes() == (folder / "jls.dcm").read_bytes()
    assert outcomes["jls.dcm"].result.facts["action"] == "copied"
    assert _syntax(out / "a" / "one") == "1.2.840.10008.1.2.4.201"


def test_transcode_only_if_smaller_copies_what_would_grow(tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (40, 40)).astype(np.uint16)
    source = make_file(tmp_path / "noise.dcm", noise)
    out = tmp_path / "out"
    _, outcomes = _run([source], out, TranscodeOptions("rle", only_if_smaller=True))
    assert (out / "noise.dcm").read_bytes() == source.read_bytes()
    assert "would not be smaller" in outcomes["noise.dcm"].result.facts["reason"]


def test_transcode_existing_output_is_kept_unless_told(folder, tmp_path):
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    (out / "a" / "one").write_bytes(b"precious")
    summary, outcomes = _run([folder], out, TranscodeOptions("rle"))
    assert (out / "a" / "one").read_bytes() == b"precious"
    assert "exists already" in outcomes["a/one"].reason
    assert summary.exit_code == ExitCode.OUTPUT
    _run([folder], out, TranscodeOptions("rle", overwrite=True))
    assert _syntax(out / "a" / "one") == "1.2.840.10008.1.2.5"


def test_transcode_without_pixels_is_copied_to_a_compressed_folder(tmp_path):
    import pydicom

    source = make_file(tmp_path / "sr.dcm", ramp())
    data_set = pydicom.dcmread(source)
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(data_set, keyword)
    data_set.save_as(source)
    _, outcomes = _run([source], tmp_path / "out", TranscodeOptions("jpeg-ls"))
    assert (tmp_path / "out" / "sr.dcm").read_bytes() == source.read_bytes()
    assert "no pixel data" in outcomes["sr.dcm"].result.facts["reason"]
    _run([source], tmp_path / "deflated", TranscodeOptions("deflated"))
    assert _syntax(tmp_path / "deflated" / "sr.dcm") == "1.2.840.10008.1.2.1.99"


def test_transcode_bad_inputs_fail_alone(folder, tmp_path):
    good = (folder / "a" / "one").read_bytes()
    (folder / "cut.dcm").write_bytes(good[:-100])
    (folder / "empty.dcm").write_bytes(b"")
    out = tmp_path / "out"
    summary, outcomes = _run([folder], out, TranscodeOptions("jpeg-ls"))
    assert summary.exit_code == ExitCode.SOME_FAILED
    assert "truncated" in outcomes["cut.dcm"].reason
    assert outcomes["empty.dcm"].status is Status.SKIPPED
    assert (out / "a" / "one").exists()
    assert not (out / "cut.dcm").exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_transcode_does_not_wait_for_a_pipe_among_the_inputs(folder, tmp_path):
    os.mkfifo(folder / "pipe.dcm")  # nobody writes to it: to open it would block for ever
    out = tmp_path / "out"
    words = ["transcode", str(folder), "-o", str(out), "--to", "rle"]
    done = subprocess.run([sys.executable, "-m", "imgconv", *words], timeout=60, check=False)
    assert done.returncode == ExitCode.DONE
    assert not (out / "pipe.dcm").exists()
    assert (out / "a" / "one").exists()


def test_transcode_records_digests_and_codecs(folder, tmp_path):
    manifest = tmp_path / "m.jsonl"
    options = TranscodeOptions("htj2k", digests=True)
    _, outcomes = _run([folder], tmp_path / "out", options, manifest=manifest, settings=options)
    facts = outcomes["a/one"].result.facts
    assert facts["encoder"] == "htj2k=imagecodecs"
    assert len(facts["pixel_sha256"]) == 64
    assert facts["pixel_sha256"] in manifest.read_text()


def test_transcode_resume_does_the_rest_the_same(folder, tmp_path):
    manifest = tmp_path / "m.jsonl"
    options = TranscodeOptions("jpeg-ls", overwrite=True)
    out = tmp_path / "out"
    _run([folder], out, options, manifest=manifest, settings=options)
    whole = (out / "a" / "one").read_bytes()
    (out / "a" / "one").unlink()
    _, outcomes = _run([folder], out, options, manifest=manifest, settings=options, resume=True)
    assert outcomes["a/b/two.dcm"].status is Status.ALREADY_DONE
    assert (out / "a" / "one").read_bytes() == whole


@pytest.mark.parametrize("change", ["nothing", "archive", "output"])
def test_transcode_resume_knows_the_members_of_an_archive(folder, tmp_path, change):
    scans, out, manifest = tmp_path / "scans.zip", tmp_path / "out", tmp_path / "m.jsonl"
    with zipfile.ZipFile(scans, "w") as archive:
        archive.write(folder / "a" / "one", "one")
        archive.write(folder / "a" / "b" / "two.dcm", "b/two.dcm")
    options = TranscodeOptions("jpeg-ls", overwrite=True)
    _run([scans], out, options, manifest=manifest, settings=options)
    assert ".part" not in manifest.read_text()  # nothing about where it was unpacked
    if change == "archive":
        os.utime(scans, (1, 1))
    if change == "output":
        (out / "scans.zip" / "one").unlink()
    _, outcomes = _run([scans], out, options, manifest=manifest, settings=options, resume=True)
    again = {key for key, outcome in outcomes.items() if outcome.status is Status.DONE}
    assert (
        again
        == {
            "nothing": set(),
            "archive": {"scans.zip/one", "scans.zip/b/two.dcm"},
            "output": {"scans.zip/one"},
        }[change]
    )


def test_transcode_of_the_failed_list_puts_outputs_where_they_belong(folder, tmp_path):
    source, failed = folder / "a" / "b" / "two.dcm", tmp_path / "failed.txt"
    whole = source.read_bytes()
    source.write_bytes(whole[:-9])
    _run([folder], tmp_path / "out", TranscodeOptions("rle"), failed_list=failed)
    source.write_bytes(whole)
    again = failed.read_text().splitlines()
    assert again == [f"{folder}/./a/b/two.dcm"]
    summary, _ = _run(again, tmp_path / "out", TranscodeOptions("rle"))
    assert summary.exit_code == ExitCode.DONE
    assert _syntax(tmp_path / "out" / "a" / "b" / "two.dcm") == "1.2.840.10008.1.2.5"


def test_transcode_failed_members_put_their_archive_on_the_list_once(tmp_path):
    scans, failed = tmp_path / "scans.zip", tmp_path / "failed.txt"
    with zipfile.ZipFile(scans, "w") as archive:
        for name in ("one", "two"):
            archive.writestr(name, bytes(128) + b"DICM" + b"rubbish" * 9)
    _run([scans], tmp_path / "out", TranscodeOptions("rle"), failed_list=failed)
    assert failed.read_text() == f"{scans}\n"


def test_show_plan_writes_nothing(folder, tmp_path):
    out = tmp_path / "out"
    plan = list(show_plan([str(folder)], out, TranscodeOptions("rle")))
    assert len(plan) == 3
    assert not out.exists()


def test_show_plan_foresees_what_becomes_of_each(folder, tmp_path):
    make_file(folder / "cut.dcm", ramp())
    (folder / "cut.dcm").write_bytes((folder / "cut.dcm").read_bytes()[:-9])
    make_file(folder / "other.dcm", ramp(), Modality="US")
    out = tmp_path / "out"
    options = TranscodeOptions("rle", where="Modality != 'US'")
    _run([folder / "a" / "one"], out / "a" / "one", options)
    for target in (out, None):
        plan = {step["key"]: step for step in show_plan([str(folder)], target, options)}
        _, outcomes = _run([folder], target, options)
        for key, outcome in outcomes.items():
            expected = {"done": "transcode", "skipped": "skip", "failed": "fail"}
            assert plan[key]["action"] == expected[outcome.status.value], key
            assert plan[key].get("reason", "") == outcome.reason


def test_jobs_are_picklable(folder, tmp_path):
    jobs = list(iter_jobs([str(folder)], tmp_path / "out", tmp_path / "s"))
    again = pickle.loads(pickle.dumps(jobs))
    assert [job.key for job in again] == ["notes.txt", "a/one", "a/b/two.dcm"]
    transcode_file(again[1], options=TranscodeOptions("rle"))
    assert (tmp_path / "out" / "a" / "one").exists()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        (TranscodeOptions("jpeg-3000"), UsageError),
        (TranscodeOptions("jpeg"), UsageError),
        (TranscodeOptions("jpeg-ls", EncodeOptions(near=2)), UsageError),
        (TranscodeOptions("rle", where="Nonsense == 1"), UsageError),
        (TranscodeOptions("rle", choice=(("rle", "none"),)), UsageError),
        (TranscodeOptions("jpeg-xl", verify="full"), UsageError),
        (TranscodeOptions("1.2.840.10008.1.2.4.102"), UnsupportedData),
    ],
)
def test_require_possible_refuses_before_any_file_is_touched(options, error):
    with pytest.raises(error):
        require_possible(options)


def test_require_possible_every_name_of_ours_with_a_quality_that_fits():
    qualities = [{}, {"near": 2}, {"ratio": 5}, {"quality": 90}]
    for entry in list_transfer_syntaxes():
        if entry.encoders and entry.syntax.aliases:
            taken = [one for one in qualities if _is_possible(entry.syntax.aliases[0], one)]
            assert taken, entry.syntax.uid
    assert _is_possible("jpeg-xl-recompression", {})
    assert not _is_possible("jpeg-xl-recompression", {"quality": 90})


def _is_possible(name, quality):
    try:
        require_possible(TranscodeOptions(name, encode=EncodeOptions(**quality)))
    except UsageError:
        return False
    return True


def test_transcode_one_file_of_many_frames_by_threads(tmp_path):
    frames = ramp(np.uint16, (12, 30, 30))
    source = make_file(tmp_path / "loop.dcm", frames, NumberOfFrames=12)
    batch = BatchOptions(workers=3)
    transcode([str(source)], tmp_path / "out", TranscodeOptions("jpeg-ls"), batch=batch)
    assert np.array_equal(_pixels(tmp_path / "out" / "loop.dcm"), frames)


def _video(path):
    make_file(path, ramp(np.uint8, (8, 8), 200))
    parts = split_file(path)
    value = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(v)) + v for v in (b"", b"film"))
    path.write_bytes(
        format_meta(parts.preamble, parts.meta, "1.2.840.10008.1.2.4.102")
        + parts.before
        + b"\xe0\x7f\x10\0OB\0\0\xff\xff\xff\xff"
        + value
        + b"\xfe\xff\xdd\xe0\0\0\0\0"
    )
    return path


@pytest.mark.parametrize("to", ["rle", "explicit"])
def test_transcode_video_is_copied_if_wanted_and_else_refused(tmp_path, to):
    source = _video(tmp_path / "a.dcm")
    refused = _run([source], tmp_path / "x", TranscodeOptions(to))[1]["a.dcm"]
    assert "is a video" in refused.reason
    assert "--skip-compressed" in refused.error.hint
    options = TranscodeOptions(to, skip_compressed=True)
    copied = _run([source], tmp_path / "y", options)[1]["a.dcm"]
    assert copied.result.facts["action"] == "copied"
    assert (tmp_path / "y" / "a.dcm").read_bytes() == source.read_bytes()
