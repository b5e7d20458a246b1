import os
import signal
import socket
import sys
import time

import pytest
from tests.unit.batch.batch_jobs import make_jobs, misbehave

from imgconv.batch.engine import run
from imgconv.batch.job import BatchOptions, Job, Status
from imgconv.errors import CorruptData, UsageError, WorkerError

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes, each with a nanny that replaces it when it dies."""
    dask.config.set({"distributed.scheduler.allowed-failures": 1})
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster


@pytest.fixture
def options(cluster):
    address = cluster.scheduler_address.removeprefix("tcp://")
    return BatchOptions(executor=f"dask://{address}", retry_wait_s=0.01)


def test_dask_runs_the_same_plan_in_other_processes(tmp_path, options):
    jobs = make_jobs(tmp_path, [None] * 20)
    outcomes = list(run([*jobs, Job("pid", (), (), 0, "pid")], misbehave, options))
    pid = {outcome.result.facts["pid"] for outcome in outcomes if outcome.job.key == "pid"}
    assert {outcome.status for outcome in outcomes} == {Status.DONE}
    assert os.getpid() not in pid
    for job in jobs:
        assert job.outputs[0].read_bytes() == job.inputs[0].read_bytes()


def test_dask_failures_are_outcomes_and_io_errors_are_retried(tmp_path, options):
    jobs = make_jobs(tmp_path, ["corrupt", "flaky", "skip", None])
    outcomes = {outcome.job.payload: outcome for outcome in run(jobs, misbehave, options)}
    assert isinstance(outcomes["corrupt"].error, CorruptData)
    assert (outcomes["flaky"].status, outcomes["flaky"].attempts) == (Status.DONE, 3)
    assert outcomes["skip"].status is Status.SKIPPED
    assert outcomes[None].status is Status.DONE


def test_dask_worker_that_is_killed_costs_no_job(tmp_path, options, cluster):
    jobs = make_jobs(tmp_path, ["nap"] * 10)
    victim = next(iter(cluster.workers.values())).pid
    outcomes = []
    for outcome in run(jobs, misbehave, options):
        if not outcomes:
            os.kill(victim, signal.SIGKILL)
        outcomes.append(outcome)
    assert len(outcomes) == 10
    assert {outcome.status for outcome in outcomes} == {Status.DONE}


def test_dask_job_that_kills_every_worker_is_reported(tmp_path, options):
    outcomes = {
        o.job.payload: o for o in run(make_jobs(tmp_path, ["kill", None]), misbehave, options)
    }
    assert isinstance(outcomes["kill"].error, WorkerError)
    assert "died" in outcomes["kill"].error.message
    assert outcomes[None].status is Status.DONE
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["00001.bin"]


def test_dask_time_limit_counts_from_the_start_of_a_job(tmp_path, options):
    options = BatchOptions(executor=options.executor, timeout_s=4.0)
    outcomes = list(run(make_jobs(tmp_path, ["nap"] * 8), misbehave, options))
    assert {outcome.status for outcome in outcomes} == {Status.DONE}


def test_dask_job_that_hangs_is_given_up(tmp_path, options):
    options = BatchOptions(executor=options.executor, timeout_s=1.5)
    outcomes = {
        o.job.payload: o for o in run(make_jobs(tmp_path, ["hang", None]), misbehave, options)
    }
    assert "not finished within 1.5 s" in outcomes["hang"].error.message
    assert outcomes[None].status is Status.DONE
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["00001.bin"]


def test_dask_local_cluster_is_made_on_demand(tmp_path):
    options = BatchOptions(executor="dask", workers=1)
    outcomes = list(run(make_jobs(tmp_path, [None] * 3), misbehave, options))
    assert {outcome.status for outcome in outcomes} == {Status.DONE}


def test_dask_cluster_that_has_lost_its_workers_fails_the_jobs(tmp_path, monkeypatch):
    monkeypatch.setattr("imgconv.batch.dask_executor._ALONE_S", 1.0)
    monkeypatch.setattr("imgconv.batch.dask_executor._LOOK_S", 0.1)
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        address = cluster.scheduler_address.removeprefix("tcp://")
        outcomes = []
        jobs = make_jobs(tmp_path, [None, "nap", "nap"])
        for outcome in run(jobs, misbehave, BatchOptions(executor=f"dask://{address}")):
            if not outcomes:
                cluster.scale(0)
            outcomes.append(outcome)
    assert len(outcomes) == 3
    assert isinstance(outcomes[-1].error, WorkerError)


def test_dask_no_scheduler_is_a_usage_error(monkeypatch):
    monkeypatch.setattr("imgconv.batch.dask_executor._CONNECT_S", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(UsageError, match="no Dask scheduler answers"):
            list(run([], misbehave, BatchOptions(executor=f"dask://{address}")))
    assert time.monotonic() - began < 20


def test_dask_that_is_not_installed_is_a_missing_extra(monkeypatch):
    from imgconv.errors import MissingExtra

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra) as caught:
        list(run([], misbehave, BatchOptions(executor="dask")))
    assert caught.value.hint == "pip install imgconv[dask]"
