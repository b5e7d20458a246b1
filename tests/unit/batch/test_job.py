import os
from pathlib import Path

import pytest

from imgconv.batch.job import BatchOptions, Job, Outcome, Status
from imgconv.errors import CorruptData, UsageError


def test_job_names_its_first_input_and_its_folders():
    job = Job("k", (Path("a"), Path("b")), (Path("x/1"), Path("x/2"), Path("y/1")))
    assert job.path == Path("a")
    assert job.folders == {Path("x"), Path("y")}
    assert Job("k", ()).path is None


def test_job_of_an_archive_names_the_member():
    job = Job(
        "old/a.zip/x/1.dcm", (Path("staging/archive0/x/1.dcm"),), archive=Path("/in/old/a.zip")
    )
    assert job.path == Path("/in/old/a.zip/x/1.dcm")


@pytest.mark.parametrize("name", ["workers", "timeout_s", "retries", "in_flight_bytes"])
def test_options_negative_is_refused(name):
    with pytest.raises(UsageError, match="negative"):
        BatchOptions(**{name: -1})


def test_options_deadline():
    job = Job("k", (), size_bytes=100 << 20)
    assert BatchOptions().deadline_s(job) == 700
    assert BatchOptions(timeout_s=5).deadline_s(job) == 5
    assert BatchOptions(timeout_s=0).deadline_s(job) is None


def test_options_one_worker_per_core():
    assert BatchOptions(workers=3).worker_count == 3
    if hasattr(os, "sched_getaffinity"):
        assert BatchOptions().worker_count == len(os.sched_getaffinity(0))


def test_outcome_reason():
    job = Job("k", ())
    assert Outcome(job, Status.FAILED, error=CorruptData("bad")).reason == "bad"
    assert Outcome(job, Status.DONE).reason == ""
