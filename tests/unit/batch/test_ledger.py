import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.unit.batch.batch_jobs import copy, make_jobs, misbehave

from imgconv.batch.job import BatchOptions, Job, JobResult, Status
from imgconv.batch.ledger import Ledger, iter_plan, run_batch
from imgconv.batch.manifest import read_manifest
from imgconv.batch.plan import Shard
from imgconv.core.atomic import is_temporary
from imgconv.errors import OutputError, UsageError
from imgconv.events import EventKind
from imgconv.exitcodes import ExitCode

ROOT = Path(__file__).parents[3]
HERE = BatchOptions(retry_wait_s=0.01)


def statuses(summary):
    return {status.value: number for status, number in summary.counts.items()}


@pytest.fixture(params=["manifest", "journal"])
def ledger(request, tmp_path):
    def make(**fields):
        return Ledger(**{request.param: tmp_path / "state" / "m.jsonl"}, **fields)

    return make


def test_run_batch_resumes(tmp_path, ledger):
    jobs = make_jobs(tmp_path, [None, "corrupt", None])
    first = run_batch(jobs, misbehave, HERE, ledger())
    assert statuses(first) == {"done": 2, "failed": 1}
    mended = [jobs[0], Job(jobs[1].key, jobs[1].inputs, jobs[1].outputs), jobs[2]]
    again = run_batch(mended, misbehave, HERE, ledger(resume=True))
    assert statuses(again) == {"already-done": 2, "done": 1}
    assert statuses(run_batch(mended, misbehave, HERE, ledger(resume=True))) == {"already-done": 3}


def test_run_batch_without_resume_does_all_again(tmp_path, ledger):
    jobs = make_jobs(tmp_path, [None] * 2)
    for _ in range(2):
        assert statuses(run_batch(jobs, misbehave, HERE, ledger())) == {"done": 2}


def test_run_batch_other_settings_are_not_resumed(tmp_path, ledger):
    jobs = make_jobs(tmp_path, [None])
    run_batch(jobs, misbehave, HERE, ledger(settings={"quality": 90}))
    again = run_batch(jobs, misbehave, HERE, ledger(settings={"quality": 80}, resume=True))
    assert statuses(again) == {"done": 1}


def test_run_batch_manifest_has_digests_and_a_journal_has_none(tmp_path):
    jobs = make_jobs(tmp_path, [None])
    run_batch(jobs, write_plainly, HERE, Ledger(manifest=tmp_path / "m"))
    run_batch(jobs, write_plainly, HERE, Ledger(journal=tmp_path / "j"))
    assert "sha256" in list(read_manifest(tmp_path / "m"))[1]["inputs"][0]
    assert "sha256" not in list(read_manifest(tmp_path / "j"))[1]["inputs"][0]


def write_plainly(job):
    job.outputs[0].parent.mkdir(exist_ok=True)
    job.outputs[0].write_bytes(b"x")
    return JobResult()


def test_run_batch_journal_that_cannot_be_written_is_done_without(tmp_path):
    (tmp_path / "file").touch()
    ledger = Ledger(journal=tmp_path / "file" / "j")
    assert statuses(run_batch(make_jobs(tmp_path, [None]), misbehave, HERE, ledger)) == {"done": 1}


def test_run_batch_manifest_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        run_batch([], misbehave, HERE, Ledger(manifest=tmp_path / "file" / "m"))


def test_run_batch_old_journals_are_pruned(tmp_path):
    old = tmp_path / "runs" / "old.jsonl"
    old.parent.mkdir()
    old.touch()
    os.utime(old, (0, 0))
    run_batch([], misbehave, HERE, Ledger(journal=tmp_path / "runs" / "new.jsonl"))
    assert [path.name for path in old.parent.glob("*.jsonl")] == ["new.jsonl"]


def test_run_batch_lists_the_failures(tmp_path):
    jobs = make_jobs(tmp_path, [None, "corrupt", "bug"])
    run_batch(jobs, misbehave, HERE, Ledger(failed_list=tmp_path / "failed.txt"))
    expected = [str(job.inputs[0]) for job in jobs[1:]]
    assert sorted((tmp_path / "failed.txt").read_text().splitlines()) == expected
    run_batch(jobs[:1], misbehave, HERE, Ledger(failed_list=tmp_path / "failed.txt"))
    assert (tmp_path / "failed.txt").read_text() == ""


def test_run_batch_shards_share_the_work(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 20)
    done = []
    for index in (1, 2, 3):
        part = Ledger(shard=Shard(index, 3))
        run_batch(jobs, misbehave, HERE, part, on_outcome=lambda o: done.append(o.job.key))
    assert sorted(done) == [job.key for job in jobs]


def test_run_batch_sweeps_what_a_killed_run_left(tmp_path):
    jobs = make_jobs(tmp_path, [None])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".imgconv-abc.part").write_bytes(b"half")
    run_batch(jobs, misbehave, HERE, Ledger())
    assert [path.name for path in (tmp_path / "out").iterdir()] == [jobs[0].key]


def test_run_batch_tells_phase_and_steps(tmp_path):
    events = []
    jobs = make_jobs(tmp_path, [None] * 2)
    run_batch(jobs, misbehave, HERE, Ledger(), listener=events.append, phase="copy", total=2)
    assert (events[0].kind, events[0].message, events[0].total) == (EventKind.PHASE, "copy", 2)
    assert sum(event.size_bytes for event in events[1:]) == 2000


def test_ledger_resume_needs_a_source():
    with pytest.raises(UsageError, match="nothing to resume"):
        Ledger(resume=True)


def test_iter_plan_runs_nothing(tmp_path, ledger):
    jobs = make_jobs(tmp_path, [None] * 2)
    run_batch(jobs[:1], misbehave, HERE, ledger())
    before = sorted(tmp_path.rglob("*"))
    steps = list(iter_plan(jobs, ledger(resume=True)))
    assert [step.status for step in steps] == [Status.ALREADY_DONE, None]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX resource limits")
def test_run_batch_full_disk_exits_5_and_leaves_no_file(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 3, size=200_000)
    make_jobs(tmp_path / "in", [])
    small = tmp_path / "in" / "small"
    small.write_bytes(b"x")
    jobs.append(Job("small", (small,), (tmp_path / "out" / "small",)))
    options = BatchOptions(workers=1, isolate=True)
    with file_size_limit(100_000):
        summary = run_batch(jobs, copy, options, Ledger())
    assert statuses(summary) == {"failed": 3, "done": 1}
    assert summary.exit_code is ExitCode.OUTPUT
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small"]


class file_size_limit:
    """What stands in for a full disk: the write fails half way, with EFBIG."""

    def __init__(self, limit):
        self.limit = limit

    def __enter__(self):
        import resource
        from multiprocessing import forkserver

        forkserver._forkserver._stop()  # its successor inherits the limit
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.limit, self.before[1]))

    def __exit__(self, *_):
        import resource
        from multiprocessing import forkserver

        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        forkserver._forkserver._stop()


@pytest.mark.parametrize("options", [HERE, BatchOptions(workers=2, isolate=True)])
def test_run_batch_disk_that_fills_up_exits_5_and_is_resumed(tmp_path, small_disk, options):
    folder, _ = small_disk
    jobs = [
        Job(job.key, job.inputs, (folder / job.key,), job.size_bytes)
        for job in make_jobs(tmp_path, [None] * 5, size=400_000)
    ]
    manifest = tmp_path / "m.jsonl"
    first = run_batch(jobs, copy, options, Ledger(manifest=manifest))
    assert statuses(first) == {"done": 2, "failed": 3}
    assert first.exit_code is ExitCode.OUTPUT
    assert not [path for path in folder.iterdir() if is_temporary(path)]
    subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
    again = run_batch(jobs, copy, options, Ledger(manifest=manifest, resume=True))
    assert statuses(again) == {"already-done": 2, "done": 3}


def test_run_batch_file_system_that_is_read_only_exits_5(tmp_path, small_disk):
    folder, make_read_only = small_disk
    make_read_only()
    (job,) = make_jobs(tmp_path, [None])
    job = Job(job.key, job.inputs, (folder / job.key,))
    seen = []
    summary = run_batch([job], copy, HERE, Ledger(), on_outcome=seen.append)
    assert summary.exit_code is ExitCode.OUTPUT
    assert (
        str(seen[0].error) == f"{folder / job.key}: cannot be written: the file system is read-only"
    )


def test_run_batch_target_that_is_no_folder_exits_5(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 2)
    (tmp_path / "out").write_bytes(b"a file stands in the way")
    summary = run_batch(jobs, misbehave, HERE, Ledger())
    assert summary.exit_code is ExitCode.OUTPUT
    assert (tmp_path / "out").read_bytes() == b"a file stands in the way"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_run_batch_read_only_target_exits_5(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 2)
    (tmp_path / "out").mkdir(mode=0o500)
    assert run_batch(jobs, misbehave, HERE, Ledger()).exit_code is ExitCode.OUTPUT


def test_run_batch_unreadable_and_vanished_inputs_fail_alone(tmp_path):
    jobs = make_jobs(tmp_path, [None] * 3)
    jobs[0].inputs[0].unlink()
    jobs[1].inputs[0].unlink()
    jobs[1].inputs[0].mkdir()  # cannot be read, not even by root
    summary = run_batch(jobs, misbehave, HERE, Ledger())
    assert statuses(summary) == {"failed": 2, "done": 1}
    assert summary.exit_code is ExitCode.SOME_FAILED


def command(tmp_path, *, resume="", pause="0.01"):
    folders = [str(tmp_path / name) for name in ("in", "out", "m.jsonl")]
    words = [sys.executable, "-m", "tests.unit.batch.copy_command", *folders, pause, resume]
    return subprocess.Popen(words, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def kill_and_resume(tmp_path, seconds):
    """Kill the command after some time, resume it, and compare with the inputs."""
    jobs = make_jobs(tmp_path, [None] * 12, size=200_000)
    process = command(tmp_path)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    resumed = command(tmp_path, resume="resume", pause="0")
    _, stderr = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, stderr
    for job in jobs:
        assert job.outputs[0].read_bytes() == job.inputs[0].read_bytes()
    until = time.monotonic() + 5  # a worker of the killed run may be just about to end
    while stray := [path for path in (tmp_path / "out").iterdir() if is_temporary(path)]:
        assert time.monotonic() < until, stray
        time.sleep(0.05)
    assert len(list((tmp_path / "out").iterdir())) == len(jobs)


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.45, 0.6])
def test_run_batch_killed_and_resumed_is_complete(tmp_path, seconds):
    kill_and_resume(tmp_path, seconds)


@pytest.mark.slow
@pytest.mark.parametrize("point", range(50))
def test_run_batch_killed_at_random_points_is_complete(tmp_path, point):
    kill_and_resume(tmp_path, random.Random(point).uniform(0.05, 0.8))


def test_run_batch_killed_leaves_no_worker_and_no_file(tmp_path):
    make_jobs(tmp_path, [None] * 12, size=400_000)
    process = command(tmp_path, pause="0.1")
    out = tmp_path / "out"
    until = time.monotonic() + 20
    while not (out.exists() and any(map(is_temporary, out.iterdir()))):
        assert time.monotonic() < until
        time.sleep(0.01)
    process.kill()
    process.communicate()
    until = time.monotonic() + 10
    while any(map(is_temporary, out.iterdir())):
        assert time.monotonic() < until, "the workers went on or left their files"
        time.sleep(0.05)


@pytest.mark.slow
def test_run_batch_100_000_jobs_need_little_memory(tmp_path):
    import resource

    def plan():
        for number in range(100_000):
            yield Job(f"series/{number:07}.dcm", (tmp_path / f"{number:07}.dcm",), (), 1000, "pid")

    options = BatchOptions(workers=2)
    run_batch([*make_jobs(tmp_path, ["pid"] * 10)], misbehave, options, Ledger())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    summary = run_batch(plan(), misbehave, options, Ledger(manifest=tmp_path / "m"))
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
    assert summary.total == 100_000
    assert grown_mb < 50
