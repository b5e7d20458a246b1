import multiprocessing
import os
import random
import signal
import sys
import time
from dataclasses import replace

import pytest
from tests.unit.batch.batch_jobs import large_echo, list_handles, make_jobs, misbehave, sleep_long

from imgconv.batch.engine import run
from imgconv.batch.job import BatchOptions, Job, JobResult, Status
from imgconv.batch.preload import can_fork
from imgconv.batch.workers import WorkerPool
from imgconv.errors import InternalError, OutputError, WorkerError

OPTIONS = BatchOptions(workers=2, isolate=True, timeout_s=1)


@pytest.fixture(params=[False, True], ids=["one-by-one", "overlapping"])
def overlap(request):
    return request.param


@pytest.fixture(params=[False, True], ids=["served", "forked"])
def fork(request):
    if request.param and not can_fork():
        pytest.skip("this process cannot be forked")
    return request.param


def outcomes_of(tmp_path, payloads, options=OPTIONS, *, overlap=False, fork=False):
    options = replace(options, overlap=overlap, fork=fork)
    return {o.job.key: o for o in run(make_jobs(tmp_path, payloads), misbehave, options)}


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("kill", "SIGKILL"),
        ("segfault", "SIGSEGV"),
        ("exit", "exit code 7"),
        ("hang", "not finished within 1 s"),
        ("deaf", "not finished within 1 s"),
    ],
)
def test_pool_loses_one_job_with_its_worker(tmp_path, payload, message, overlap, fork):
    payloads = [*[None] * 5, payload, *[None] * 5]
    outcomes = outcomes_of(tmp_path, payloads, overlap=overlap, fork=fork)
    lost = outcomes.pop("00005.bin")
    assert len(outcomes) == 10
    assert {outcome.status for outcome in outcomes.values()} == {Status.DONE}
    assert isinstance(lost.error, WorkerError)
    assert message in lost.error.message
    assert lost.error.path == lost.job.inputs[0]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(outcomes)


def test_pool_every_worker_dies_every_time(tmp_path, overlap):
    outcomes = outcomes_of(tmp_path, ["kill"] * 12, overlap=overlap)
    assert len(outcomes) == 12
    assert {type(outcome.error) for outcome in outcomes.values()} == {WorkerError}


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is limited on Linux only")
def test_pool_memory_limit_costs_one_job(tmp_path, overlap):
    options = BatchOptions(workers=1, memory_limit_bytes=200 << 20)
    outcomes = outcomes_of(tmp_path, [None, "memory", None, None], options, overlap=overlap)
    lost = outcomes.pop("00001.bin")
    assert isinstance(lost.error, WorkerError)
    assert "memory" in lost.error.message
    assert {outcome.status for outcome in outcomes.values()} == {Status.DONE}


def test_pool_result_that_cannot_be_pickled_fails_its_job(tmp_path, overlap):
    outcomes = outcomes_of(tmp_path, ["unpicklable", None], overlap=overlap)
    assert isinstance(outcomes["00000.bin"].error, InternalError)
    assert outcomes["00001.bin"].status is Status.DONE


def test_pool_job_that_cannot_be_pickled_fails(tmp_path):
    jobs = [Job("odd", (tmp_path,), payload=lambda: 0), Job("even", (tmp_path,), payload="pid")]
    outcomes = {outcome.job.key: outcome for outcome in run(jobs, misbehave, OPTIONS)}
    assert outcomes["odd"].error.message == "the job cannot be pickled"
    assert outcomes["even"].status is Status.DONE


def test_pool_by_spawn_where_there_is_no_fork_server(tmp_path, monkeypatch):
    monkeypatch.setattr(multiprocessing, "get_all_start_methods", lambda: ["spawn"])
    outcomes = outcomes_of(tmp_path, [None, "segfault", None], overlap=True)
    assert isinstance(outcomes.pop("00001.bin").error, WorkerError)
    assert {outcome.status for outcome in outcomes.values()} == {Status.DONE}


def test_pool_function_that_cannot_be_pickled_is_refused():
    with pytest.raises(InternalError, match="cannot be pickled"):
        WorkerPool(lambda _: JobResult(), OPTIONS)


def test_pool_jobs_and_results_larger_than_a_pipe():
    jobs = [Job(str(number), (), payload=b"x" * 1_000_000) for number in range(10)]
    outcomes = list(run(jobs, large_echo, BatchOptions(workers=2, isolate=True)))
    assert [len(outcome.result.facts["echo"]) for outcome in outcomes] == [1_000_000] * 10


def test_pool_workers_that_cannot_start_are_a_bug(tmp_path, monkeypatch):
    monkeypatch.setattr("imgconv.batch.workers.serve", os.abort)
    with pytest.raises(InternalError, match="cannot be started"):
        outcomes_of(tmp_path, [None])


def test_pool_workers_that_hang_at_their_start_are_a_bug(tmp_path, monkeypatch):
    monkeypatch.setattr("imgconv.batch.workers.serve", sleep_long)
    monkeypatch.setattr("imgconv.batch.workers._START_S", 0.05)
    with pytest.raises(InternalError, match="cannot be started"):
        outcomes_of(tmp_path, [None])


def test_pool_worker_does_not_write_to_stdout(tmp_path, capfd, fork):
    outcomes_of(tmp_path, ["chatter"], fork=fork)
    captured = capfd.readouterr()
    assert captured.out == ""


def test_pool_timeout_counts_from_the_start_of_a_job(tmp_path):
    # each takes 0.4 s, the second waits for the first with the same worker
    options = BatchOptions(workers=1, timeout_s=0.7)
    assert all(o.error is None for o in outcomes_of(tmp_path, ["nap"] * 3, options).values())


def test_pool_starts_fast_and_costs_little(tmp_path):
    jobs = [Job(str(number), (), payload="pid") for number in range(1000)]
    list(run(jobs[:2], misbehave, BatchOptions(isolate=True)))  # the fork server is there now
    began = time.perf_counter()
    assert len(list(run(jobs, misbehave, BatchOptions(isolate=True)))) == 1000
    assert time.perf_counter() - began < 5  # measured: 0.2 s; a poll of 10 ms would take 10


def test_pool_forked_worker_holds_no_handle_of_others(tmp_path):
    if not can_fork():
        pytest.skip("this process cannot be forked")
    jobs = [Job(str(number), (), payload=None) for number in range(4)]
    options = BatchOptions(workers=2, isolate=True, fork=True)
    with (tmp_path / "lock").open("wb"):
        found = [outcome.result.facts for outcome in run(jobs, list_handles, options)]
    assert {facts["parent"] for facts in found} == {os.getpid()}  # they were forked
    # Its pipe, and two that tell each side of the other's end; the listing itself.
    assert all(len(facts["handles"]) <= 4 for facts in found)
    assert str(tmp_path / "lock") not in {name for facts in found for name in facts["handles"]}


def test_pool_survives_random_kills(tmp_path, overlap, fork):
    jobs = make_jobs(tmp_path, [None] * 300)
    chance, kills, lost = random.Random(1), 0, set()
    due = time.monotonic() + 0.1
    options = BatchOptions(workers=2, isolate=True, overlap=overlap, fork=fork)
    for outcome in run(jobs, misbehave, options):
        if outcome.error is not None:
            lost.add(outcome.job.key)
        if time.monotonic() >= due and (workers := multiprocessing.active_children()):
            os.kill(chance.choice(workers).pid, signal.SIGKILL)
            kills += 1
            due = time.monotonic() + 0.2
    assert kills >= 1
    assert len(lost) <= kills
    for job in jobs:
        if job.key not in lost:
            assert job.outputs[0].read_bytes() == job.inputs[0].read_bytes()
    assert not list((tmp_path / "out").glob(".imgconv-*"))


def test_pool_overlapping_keeps_outcomes_with_their_jobs(tmp_path):
    payloads = [None, "corrupt", "skip", "bug", "loss", "echo-number", "eio"] * 12
    options = replace(OPTIONS, overlap=True, retries=0, timeout_s=60)
    jobs = make_jobs(tmp_path, payloads)
    expected = {"corrupt": "CorruptData", "bug": "InternalError", "eio": "InputError"}
    outcomes = list(run(jobs, misbehave, options))
    assert len(outcomes) == len(jobs)
    for outcome in outcomes:
        error = outcome.error and type(outcome.error).__name__
        assert error == expected.get(outcome.job.payload)
        assert (outcome.status is Status.SKIPPED) is (outcome.job.payload == "skip")
        if outcome.job.payload is None:
            assert outcome.outputs[0].path == outcome.job.outputs[0]
            assert outcome.job.outputs[0].read_bytes() == outcome.job.inputs[0].read_bytes()


def test_pool_overlapping_output_that_cannot_be_placed_fails_its_job(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 4)
    jobs[1].outputs[0].mkdir(parents=True)  # what stands in the way is seen by the renaming only
    options = replace(OPTIONS, overlap=True)
    outcomes = {outcome.job.key: outcome for outcome in run(jobs, misbehave, options)}
    assert isinstance(outcomes.pop(jobs[1].key).error, OutputError)
    assert {outcome.status for outcome in outcomes.values()} == {Status.DONE}
    assert not list((tmp_path / "out").glob(".imgconv-*"))


@pytest.mark.parametrize("renamed", [True, False])
def test_pool_overlapping_worker_that_dies_while_it_finishes(tmp_path, renamed):
    # the job behind it kills the worker, before or after the output has got its name
    jobs = make_jobs(tmp_path, [None, "kill-later" if renamed else "kill"])
    options = replace(OPTIONS, workers=1, overlap=True)
    outcomes = {outcome.job.payload: outcome for outcome in run(jobs, misbehave, options)}
    assert outcomes.pop(None).status is Status.DONE
    assert isinstance(outcomes.popitem()[1].error, WorkerError)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [jobs[0].key]


def test_pool_overlapping_each_death_of_a_worker_costs_one_job(tmp_path):
    # Each output at whose flush the worker dies is begun twice.
    deadly = "kill-at-flush"
    jobs = make_jobs(tmp_path, [deadly, *[None] * 5] * 4)
    options = replace(OPTIONS, workers=1, overlap=True)
    outcomes = list(run(jobs, misbehave, options))
    lost = {outcome.job.key for outcome in outcomes if outcome.error is not None}
    deaths = sum(len(path.read_bytes()) for path in (tmp_path / "out").glob("*.deaths"))
    assert len(outcomes) == len(jobs)
    assert deaths >= 4
    assert len(lost) <= deaths
    kept = {job.key for job in jobs if job.payload != deadly} - lost
    assert {path.name for path in (tmp_path / "out").glob("*.bin")} >= kept
    assert not list((tmp_path / "out").glob(".imgconv-*"))
