import multiprocessing
import pickle
import sys

import pytest
from tests.unit.batch.batch_jobs import make_jobs, misbehave

from imgconv.batch.job import Job
from imgconv.batch.worker import READY, WRITTEN, WorkerSettings, Written, serve


@pytest.fixture(params=[False, True], ids=["one-by-one", "overlapping"])
def worker(request):
    """A worker process and our end of its pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    settings = pickle.dumps(
        WorkerSettings(misbehave, digests=False, overlap=request.param, memory_limit_bytes=0)
    )
    process = context.Process(target=serve, args=(theirs, settings))
    process.start()
    theirs.close()
    assert ours.recv_bytes() == READY
    yield process, ours
    ours.close()
    process.join(10)
    assert not process.is_alive()


def test_serve_answers_each_job(tmp_path, worker):
    _, connection = worker
    for job in make_jobs(tmp_path, [None, "corrupt", "skip"]):
        connection.send_bytes(pickle.dumps(job))
        message = connection.recv_bytes()
        if message.startswith(WRITTEN):
            told = pickle.loads(message.removeprefix(WRITTEN))
            assert isinstance(told, Written)
            assert told.result.skipped == (
                "it would not become smaller" if job.payload == "skip" else ""
            )
            message = connection.recv_bytes()
        made = pickle.loads(message)
        assert (made.error is not None) is (job.payload == "corrupt")


def test_serve_ends_when_its_pipe_closes(worker):
    process, connection = worker
    connection.close()
    process.join(10)
    assert process.exitcode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_serve_terminated_removes_what_it_was_writing(tmp_path, worker):
    process, connection = worker
    (job,) = make_jobs(tmp_path, ["hang"])
    connection.send_bytes(pickle.dumps(job))
    while not list((tmp_path).glob("out/*")) and not list(tmp_path.glob("out/.*")):
        pass
    process.terminate()
    process.join(10)
    assert process.exitcode == 143
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_serve_offers_itself_to_the_oom_killer(worker):
    process, connection = worker
    connection.send_bytes(pickle.dumps(Job("k", (), payload="pid")))
    connection.recv_bytes()
    from pathlib import Path

    assert int(Path(f"/proc/{process.pid}/oom_score_adj").read_text()) >= 500
