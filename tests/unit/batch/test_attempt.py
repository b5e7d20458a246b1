import errno
import hashlib
import pickle

import pytest
from tests.unit.batch.batch_jobs import make_jobs, misbehave

from imgconv.batch.attempt import Terminated, attempt, file_fact, hash_file
from imgconv.batch.job import Job, JobResult
from imgconv.errors import (
    CorruptData,
    ImgconvError,
    InputError,
    InternalError,
    OutputError,
    WorkerError,
    output_error,
)


def fail(error):
    def function(job):
        raise error

    return function


def test_attempt_records_what_was_read_and_written(tmp_path):
    (job,) = make_jobs(tmp_path, [None])
    made = attempt(misbehave, job, digests=True)
    expected = hashlib.sha256(job.inputs[0].read_bytes()).hexdigest()
    assert [fact.sha256 for fact in (*made.inputs, *made.outputs)] == [expected] * 2
    assert made.outputs[0].size_bytes == 1000
    assert made.outputs[0].mtime_ns == job.outputs[0].stat().st_mtime_ns


@pytest.mark.parametrize("digests", [False, True])
def test_attempt_hashes_only_if_asked(tmp_path, digests):
    (job,) = make_jobs(tmp_path, [None])

    def function(job):
        job.outputs[0].parent.mkdir()
        job.outputs[0].write_bytes(b"abc")
        return JobResult()

    made = attempt(function, job, digests=digests)
    assert bool(made.outputs[0].sha256) is digests
    assert bool(made.inputs[0].sha256) is digests


def test_attempt_announced_output_that_is_missing_is_a_failure(tmp_path):
    (job,) = make_jobs(tmp_path, [None])
    made = attempt(lambda _: JobResult(), job, digests=False)
    assert isinstance(made.error, InternalError)
    assert made.error.path == job.outputs[0]


def test_attempt_failure_of_what_was_unpacked_names_the_member(tmp_path):
    staged = tmp_path / "archive0" / "1.dcm"
    staged.parent.mkdir()
    staged.write_bytes(b"")
    job = Job("a.zip/1.dcm", (staged,), archive=tmp_path / "a.zip")
    made = attempt(fail(CorruptData("bad", path=staged, hint="h")), job, digests=False)
    assert made.error.path == tmp_path / "a.zip" / "1.dcm"
    assert (made.error.message, made.error.hint) == ("bad", "h")


def test_attempt_vanished_input_fails_by_name(tmp_path):
    (job,) = make_jobs(tmp_path, [None])
    job.inputs[0].unlink()
    made = attempt(misbehave, job, digests=True)
    assert isinstance(made.error, InputError)
    assert str(made.error) == f"{job.inputs[0]}: cannot be read: No such file or directory"
    assert made.inputs == ()


@pytest.mark.parametrize(
    ("error", "kind", "transient"),
    [
        (CorruptData("bad"), CorruptData, False),
        (OSError(errno.EIO, "x"), InputError, True),
        (OSError(errno.ESTALE, "x"), InputError, True),
        (OSError(errno.ENOENT, "x"), InputError, False),
        (OSError(errno.ENOSPC, "x"), OutputError, False),
        (OSError("no number"), InputError, False),
        (MemoryError(), WorkerError, False),
        (RecursionError(), InternalError, False),
        (ValueError("Doe^John"), InternalError, False),
        (SystemExit("Doe^John"), InternalError, False),
    ],
)
def test_attempt_translates(tmp_path, error, kind, transient):
    made = attempt(fail(error), Job("a", (tmp_path,)), digests=False)
    assert type(made.error) is kind
    assert made.error.path == tmp_path
    assert made.transient is transient
    assert made.spent is isinstance(error, MemoryError)
    assert "Doe" not in str(made.error)


def test_attempt_error_of_ours_with_a_transient_cause_may_be_retried(tmp_path):
    cause = OSError(errno.EIO, "x")
    error = output_error(cause, tmp_path)
    error.__cause__ = cause
    assert attempt(fail(error), Job("a", ()), digests=False).transient


def test_attempt_error_that_does_not_survive_pickling_is_replaced(tmp_path):
    class Odd(ImgconvError):
        pass

    made = attempt(fail(Odd("bad")), Job("a", (tmp_path,)), digests=False)
    assert type(pickle.loads(pickle.dumps(made)).error) is InternalError


@pytest.mark.parametrize("error", [KeyboardInterrupt, Terminated])
def test_attempt_does_not_catch_what_ends_the_process(error):
    with pytest.raises(error):
        attempt(fail(error()), Job("a", ()), digests=False)


def test_file_fact_of_a_missing_file_raises(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_fact(tmp_path / "none")


def test_hash_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc" * 1_000_000)
    assert hash_file(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_thread_that_cannot_be_started_is_a_lack_of_memory(tmp_path):
    def function(job):
        raise RuntimeError("can't start new thread")

    error = attempt(function, Job("k", (tmp_path,)), digests=False).error
    assert isinstance(error, WorkerError)
    assert "not enough memory" in error.message


def test_a_job_may_fail_in_part_and_keep_its_outputs(tmp_path):
    (tmp_path / "in").write_text("1")
    (tmp_path / "beside").write_text("2")
    (tmp_path / "out").write_text("3")

    def half(_):
        return JobResult(
            outputs=(tmp_path / "out",),
            error=CorruptData("the other half is damaged"),
            companions=(tmp_path / "beside",),
        )

    made = attempt(half, Job("k", (tmp_path / "in",)), digests=True)
    assert made.error.message == "the other half is damaged"
    assert [fact.path.name for fact in made.inputs] == ["in", "beside"]
    assert [fact.path.name for fact in made.outputs] == ["out"]
    assert all(fact.sha256 for fact in (*made.inputs, *made.outputs))
