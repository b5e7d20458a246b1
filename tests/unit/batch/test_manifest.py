import dataclasses
import enum
import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from imgconv.batch.attempt import file_fact
from imgconv.batch.job import FileFact, Job, JobResult, Outcome, Status
from imgconv.batch.manifest import (
    ManifestIndex,
    ManifestWriter,
    digest_options,
    outcome_record,
    read_manifest,
)
from imgconv.core.loss import Loss
from imgconv.errors import CorruptData, InputError, OutputError


@pytest.fixture
def job(tmp_path):
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(b"in")
    target.write_bytes(b"out")
    return Job("in.dcm", (source,), (target,), 2)


def done(job, *, sha256="", status=Status.DONE):
    facts = [
        tuple(file_fact(path, sha256) for path in paths) for paths in (job.inputs, job.outputs)
    ]
    return Outcome(job, status, inputs=facts[0], outputs=facts[1])


def write(path, *outcomes, options="o"):
    with ManifestWriter(path, options_digest=options) as manifest:
        for outcome in outcomes:
            manifest.add(outcome)


def is_done(path, job, options="o"):
    with closing(ManifestIndex(path, options_digest=options)) as index:
        return index.is_done(job)


def test_manifest_holds_a_run_and_its_jobs(tmp_path, job):
    path = tmp_path / "sub" / "m.jsonl"
    with ManifestWriter(path, options_digest="o", versions={"imagecodecs": "1"}) as manifest:
        manifest.add(done(job, sha256="ab"))
    start, record = read_manifest(path)
    assert start["versions"] == {"imagecodecs": "1"}
    assert record["key"] == "in.dcm"
    assert record["outputs"] == [
        {
            "path": str(job.outputs[0]),
            "size_bytes": 3,
            "mtime_ns": job.outputs[0].stat().st_mtime_ns,
            "sha256": "ab",
        }
    ]


def test_manifest_index_knows_what_is_done(tmp_path, job):
    path = tmp_path / "m.jsonl"
    assert not is_done(path, job)
    write(path, done(job))
    assert is_done(path, job)
    assert not is_done(path, dataclasses.replace(job, key="other"))
    assert not is_done(path, job, options="p")


def test_manifest_index_another_version_is_not_done(tmp_path, job, monkeypatch):
    write(tmp_path / "m", done(job))
    monkeypatch.setattr("imgconv.__version__", "99")
    assert not is_done(tmp_path / "m", job)


@pytest.mark.parametrize("name", ["in.dcm", "out.dcm"])
@pytest.mark.parametrize("change", ["content", "size", "gone"])
def test_manifest_index_changed_file_is_not_done(tmp_path, job, name, change):
    write(tmp_path / "m", done(job))
    path = tmp_path / name
    data = path.read_bytes()
    path.unlink()
    if change == "content":
        path.write_bytes(data[::-1])
        os.utime(path, ns=(1, 1))
    elif change == "size":
        path.write_bytes(data + b"x")
    assert not is_done(tmp_path / "m", job)


def test_manifest_index_touched_file_is_done_if_its_content_is_known(tmp_path, job):
    import hashlib

    source, target = job.inputs[0], job.outputs[0]
    outcome = Outcome(
        job,
        Status.DONE,
        inputs=(file_fact(source, hashlib.sha256(b"in").hexdigest()),),
        outputs=(file_fact(target, hashlib.sha256(b"out").hexdigest()),),
    )
    write(tmp_path / "m", outcome)
    os.utime(source, ns=(1, 1))
    os.utime(target, ns=(1, 1))
    assert is_done(tmp_path / "m", job)


def test_manifest_index_last_record_wins(tmp_path, job):
    failed = Outcome(job, Status.FAILED, error=CorruptData("bad", path=job.inputs[0]))
    write(tmp_path / "m", done(job), failed)
    assert not is_done(tmp_path / "m", job)
    write(tmp_path / "m", done(job))
    assert is_done(tmp_path / "m", job)


def test_manifest_index_skipped_is_done(tmp_path, job):
    outcome = Outcome(
        job, Status.SKIPPED, JobResult(skipped="why"), inputs=(file_fact(job.inputs[0]),)
    )
    write(tmp_path / "m", outcome)
    assert is_done(tmp_path / "m", job)


def test_manifest_index_other_target_is_not_done(tmp_path, job):
    write(tmp_path / "m", done(job))
    assert not is_done(tmp_path / "m", dataclasses.replace(job, outputs=(tmp_path / "x",)))


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_manifest_torn_last_line_is_tolerated(tmp_path, job, cut):
    path = tmp_path / "m"
    write(path, done(job))
    other = dataclasses.replace(job, key="other")
    write(path, done(other))
    os.truncate(path, path.stat().st_size - cut)
    assert is_done(path, job)
    assert not is_done(path, other)
    write(path, done(other))  # does not glue its line to the torn one
    assert is_done(path, job)
    assert is_done(path, other)


def test_manifest_line_of_garbage_is_left_out(tmp_path, job):
    path = tmp_path / "m"
    path.write_bytes(b"\xff\xfe\n[1]\n\n" + b"[" * 100_000 + b"\n")
    write(path, done(job))
    assert is_done(path, job)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": ["done"]},
        {"inputs": 5},
        {"inputs": [{"path": 1}]},
        {"outputs": [7]},
        {"outputs": [{"path": "x"}]},
    ],
)
def test_manifest_index_record_of_another_form_is_not_done(tmp_path, job, wrong):
    path = tmp_path / "m.jsonl"
    write(path, done(job))
    *_, record = read_manifest(path)
    with path.open("a", encoding="ascii") as stream:
        stream.write(json.dumps(record | wrong) + "\n")
    assert not is_done(path, job)


def test_manifest_name_that_is_no_utf8_survives(tmp_path, job):
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n.dcm"))
    source.write_bytes(b"in")
    odd = Job("\udcff\n.dcm", (source,), job.outputs)
    write(tmp_path / "m", done(odd))
    assert is_done(tmp_path / "m", odd)


def test_manifest_index_knows_relative_paths_in_another_folder(tmp_path, job, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    near = Job("k", (Path("in.dcm"),), (Path("sub/../out.dcm"),))
    write(tmp_path / "m", done(near))
    monkeypatch.chdir(tmp_path / "sub")
    assert is_done(tmp_path / "m", Job("k", (Path("../in.dcm"),), (Path("../out.dcm"),)))


def test_outcome_record_of_a_failure_says_why(job):
    error = CorruptData("there is no pixel data", path=job.inputs[0], hint="do something")
    record = outcome_record(Outcome(job, Status.FAILED, error=error))
    assert (record["error"], record["reason"]) == ("CorruptData", "there is no pixel data")
    assert (record["hint"], record["path"]) == ("do something", str(job.inputs[0]))


def test_outcome_record_is_json_with_losses_and_facts(job):
    result = JobResult(
        losses=(Loss("l", "lost", harmful=True),), facts={"codec": Path("a"), "n": {3, 1}}
    )
    record = json.loads(json.dumps(outcome_record(Outcome(job, Status.DONE, result))))
    assert record["losses"] == [{"name": "l", "message": "lost", "harmful": True}]
    assert record["facts"] == {"codec": "a", "n": [1, 3]}


def test_digest_options_depends_on_values_only():
    class Kind(enum.Enum):
        A = "a"

    @dataclasses.dataclass
    class Options:
        kind: Kind
        allow: frozenset[str]
        level: float | None = None

    first = digest_options(Options(Kind.A, frozenset({"x", "y"})))
    assert first == digest_options({"level": None, "allow": ["x", "y"], "kind": "a"})
    assert first != digest_options(Options(Kind.A, frozenset({"x"})))


def test_manifest_that_cannot_be_written_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        ManifestWriter(tmp_path)


def test_manifest_index_that_cannot_be_read_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="the manifest cannot be read"):
        ManifestIndex(tmp_path)


def test_manifest_full_disk(tmp_path, job):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    with pytest.raises(OutputError, match="no space left"):
        ManifestWriter(Path("/dev/full"))
    with ManifestWriter(Path("/dev/full"), durable=False) as journal:
        journal.add(done(job))


def test_manifest_index_of_20_000_records_is_small(tmp_path):
    path = tmp_path / "m"
    fact = FileFact(tmp_path / "none", 1, 1)
    line = json.dumps(
        outcome_record(Outcome(Job("KEY", ()), Status.DONE, inputs=(fact,)), options_digest="o")
    )
    with path.open("w") as stream:
        stream.writelines(line.replace("KEY", str(n)) + "\n" for n in range(20_000))
    import tracemalloc

    tracemalloc.start()
    try:
        index = ManifestIndex(path, options_digest="o")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000  # measured: 0.4 MB
    with closing(index):
        assert not index.is_done(Job("77", ()))
