import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from tests.unit.batch import batch_jobs
from tests.unit.batch.batch_jobs import make_jobs, misbehave

from imgconv.batch.engine import run
from imgconv.batch.job import BatchOptions, Job, Status
from imgconv.errors import UsageError
from imgconv.events import EventKind

ROOT = Path(__file__).parents[3]
WORKERS = BatchOptions(workers=2, isolate=True, retry_wait_s=0.01)
HERE = BatchOptions(retry_wait_s=0.01)


@pytest.fixture(params=[HERE, WORKERS], ids=["in-process", "workers"])
def options(request):
    return request.param


def by_payload(outcomes):
    return {outcome.job.payload: outcome for outcome in outcomes}


def pids(jobs, options):
    return {outcome.result.facts["pid"] for outcome in run(jobs, misbehave, options)}


def test_run_copies_every_file(tmp_path, options):
    jobs = make_jobs(tmp_path, [None] * 8)
    outcomes = list(run(jobs, misbehave, options))
    assert {outcome.job.key for outcome in outcomes} == {job.key for job in jobs}
    for outcome in outcomes:
        assert outcome.status is Status.DONE
        assert outcome.job.outputs[0].read_bytes() == outcome.job.inputs[0].read_bytes()
        assert [fact.path for fact in outcome.outputs] == list(outcome.job.outputs)


def test_run_one_bad_file_does_not_stop_the_rest(tmp_path, options):
    payloads = ["corrupt", "bug", "skip", None, "loss"]
    outcomes = by_payload(run(make_jobs(tmp_path, payloads), misbehave, options))
    assert outcomes["corrupt"].status is Status.FAILED
    assert outcomes["corrupt"].error.path == outcomes["corrupt"].job.inputs[0]
    assert outcomes["skip"].status is Status.SKIPPED
    assert outcomes["skip"].reason == "it would not become smaller"
    assert outcomes[None].status is Status.DONE


def test_run_bug_of_a_job_does_not_quote_the_data(tmp_path, options):
    (outcome,) = run(make_jobs(tmp_path, ["bug"]), misbehave, options)
    assert "ValueError" in str(outcome.error)
    assert "Doe" not in str(outcome.error)


def test_run_retries_io_errors_only(tmp_path, options):
    outcomes = by_payload(run(make_jobs(tmp_path, ["flaky", "eio", "corrupt"]), misbehave, options))
    assert (outcomes["flaky"].status, outcomes["flaky"].attempts) == (Status.DONE, 3)
    assert (outcomes["eio"].status, outcomes["eio"].attempts) == (Status.FAILED, 3)
    assert outcomes["corrupt"].attempts == 1


def test_run_fail_fast_stops_after_the_first_failure(tmp_path, options):
    options = BatchOptions(workers=options.workers, isolate=options.isolate, fail_fast=True)
    jobs = make_jobs(tmp_path, [None, "corrupt", *[None] * 50])
    options = BatchOptions(**{**_fields(options), "in_flight_bytes": 1})  # one at a time
    statuses = [outcome.status for outcome in run(jobs[:8], misbehave, options)]
    assert statuses == [Status.DONE, Status.FAILED]


def _fields(options):
    return {name: getattr(options, name) for name in options.__dataclass_fields__}


def test_run_few_small_jobs_stay_in_this_process(tmp_path):
    assert pids(make_jobs(tmp_path, ["pid"] * 3), HERE) == {os.getpid()}


@pytest.mark.parametrize(
    "options",
    [WORKERS, BatchOptions(timeout_s=60), BatchOptions(memory_limit_bytes=1 << 30)],
    ids=["isolate", "timeout", "memory"],
)
def test_run_isolates_if_it_must(tmp_path, options):
    assert os.getpid() not in pids(make_jobs(tmp_path, ["pid"] * 3), options)


def test_run_many_or_large_jobs_go_to_workers(tmp_path):
    assert os.getpid() not in pids(make_jobs(tmp_path, ["pid"] * 9), HERE)
    large = [Job(str(i), (), (), 1 << 30, "pid") for i in range(2)]
    assert os.getpid() not in pids(large, HERE)


def test_run_takes_jobs_only_as_there_is_room():
    taken = []

    def plan():
        for number in range(1000):
            taken.append(number)
            yield Job(str(number), (), (), 0, "pid")

    with closing(run(plan(), misbehave, WORKERS)) as outcomes:
        next(outcomes)
        assert len(taken) <= 9  # two for each of two workers, and those that ended meanwhile


def test_run_holds_back_jobs_beyond_the_bytes_in_flight(tmp_path):
    log = tmp_path / "log"
    log.touch()
    jobs = [Job(str(i), (), (), 600, str(log)) for i in range(6)]
    options = BatchOptions(workers=2, isolate=True, in_flight_bytes=1000)
    assert len(list(run(jobs, batch_jobs.log_overlap, options))) == 6
    assert log.read_text() == "in out " * 6


def test_run_counts_the_memory_that_a_job_says_not_its_size(tmp_path):
    log = tmp_path / "log"
    log.touch()
    jobs = [Job(str(i), (), (), 600, str(log), memory_bytes=100) for i in range(6)]
    options = BatchOptions(workers=2, isolate=True, in_flight_bytes=1000)
    assert len(list(run(jobs, batch_jobs.log_overlap, options))) == 6
    assert "in in" in log.read_text()


def test_run_tells_the_listener(tmp_path, options):
    events = []
    jobs = make_jobs(tmp_path, ["warn", "corrupt"])
    list(run(jobs, misbehave, options, events.append))
    kinds = sorted((event.kind, event.message) for event in events)
    assert kinds == [
        (EventKind.ERROR, "there is no pixel data"),
        (EventKind.STEP, "done"),
        (EventKind.STEP, "failed"),
        (EventKind.WARNING, "odd"),
    ]


def test_run_unknown_executor_is_refused():
    with pytest.raises(UsageError, match="unknown executor `slurm`"):
        BatchOptions(executor="slurm")


def test_run_closed_early_stops_the_workers_and_leaves_no_file(tmp_path):
    jobs = make_jobs(tmp_path, [None, "hang", "hang", "hang"])
    began = time.monotonic()
    with closing(run(jobs, misbehave, WORKERS)) as outcomes:
        next(outcomes)
        wait_for(lambda: list((tmp_path / "out").glob(".imgconv-*")))
    assert time.monotonic() - began < 20
    assert [path.name for path in (tmp_path / "out").iterdir()] == [jobs[0].key]


def test_run_in_a_thread_leaves_signals_alone(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(
        target=lambda: list(run(make_jobs(tmp_path, [None]), misbehave, HERE))
    )
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
    assert (tmp_path / "out" / "00000.bin").exists()


def wait_for(condition, limit_s=20):
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


def start_copy(tmp_path, *, pause="0.05", files=8, size=400_000, resume=""):
    make_jobs(tmp_path, [None] * files, size=size)
    command = [sys.executable, "-m", "tests.unit.batch.copy_command"]
    folders = [str(tmp_path / name) for name in ("in", "out", "manifest.jsonl")]
    return subprocess.Popen(
        [*command, *folders, pause, resume],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_interrupted_ends_cleanly(tmp_path, number):
    process = start_copy(tmp_path)
    wait_for(lambda: list((tmp_path / "out").glob(".imgconv-*")))
    if number is signal.SIGINT:  # as a terminal does it
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in stderr
    assert not list((tmp_path / "out").glob(".imgconv-*"))
    wait_for(lambda: not _group_lives(process.pid))


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.45])
def test_run_interrupted_while_workers_start_prints_nothing_of_theirs(tmp_path, seconds):
    process = start_copy(tmp_path)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode in {130, 1, -signal.SIGINT}  # 1: before our code is in charge
    assert "forkserver" not in stderr.replace("batch/", "")
    assert "imgconv-worker" not in stderr


def _group_lives(group):
    """Whether a process of the group is there that is no zombie."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, its_group = path.read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state != "Z":
                return True
    return False


@pytest.mark.slow
def test_run_500_jobs_survive_killed_and_hanging_workers(tmp_path):
    payloads = [None] * 500
    for number, payload in {50: "kill", 100: "segfault", 200: "hang", 300: "deaf"}.items():
        payloads[number] = payload
    options = BatchOptions(workers=2, isolate=True, timeout_s=2)
    outcomes = list(run(make_jobs(tmp_path, payloads), misbehave, options))
    failed = {outcome.job.payload for outcome in outcomes if outcome.error}
    assert len(outcomes) == 500
    assert failed == {"kill", "segfault", "hang", "deaf"}
