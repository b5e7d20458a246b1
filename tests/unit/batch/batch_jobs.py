"""Job functions for the tests: they copy a file, or do what the name of their input says."""

import contextlib
import ctypes
import errno
import hashlib
import os
import signal
import time
from pathlib import Path

from imgconv.batch.job import Job, JobResult
from imgconv.core.atomic import atomic_output
from imgconv.core.loss import Loss
from imgconv.errors import CorruptData

BLOCK = 1 << 16


def copy(job: Job) -> JobResult:
    """Copy the input to the output, slowly if the payload is a number of seconds per block."""
    digest = hashlib.sha256()
    source, target = job.inputs[0], job.outputs[0]
    with source.open("rb") as reader, atomic_output(target) as writer:
        while block := reader.read(BLOCK):
            digest.update(block)
            writer.write(block)
            if isinstance(job.payload, float):
                writer.flush()
                time.sleep(job.payload)
    return JobResult(digests={source: digest.hexdigest(), target: digest.hexdigest()})


def log_overlap(job: Job) -> JobResult:
    """Write to the file that the payload names when the job begins and when it ends."""
    with Path(job.payload).open("a") as log:
        log.write("in ")
        log.flush()
        time.sleep(0.02)
        log.write("out ")
    return JobResult()


def large_echo(job: Job) -> JobResult:
    """Return the payload."""
    return JobResult(facts={"echo": job.payload})


def sleep_long(*_):
    """Stand in for a worker that does not start."""
    time.sleep(600)


def misbehave(job: Job) -> JobResult:
    """Do what the payload says, else copy."""
    return _FAULTS.get(job.payload, copy)(job)


def _half_written(job, then):
    with atomic_output(job.outputs[0]) as writer:
        writer.write(b"half")
        writer.flush()
        then()
    return JobResult()


def _segfault():
    ctypes.string_at(8)


def _grow():
    blocks = []
    while True:
        blocks.append(bytearray(1 << 24))


def _flaky(job):
    """Fail with EIO until the marker beside the output has been seen twice."""
    marker = job.outputs[0].with_suffix(".tries")
    tries = len(marker.read_bytes()) if marker.exists() else 0
    marker.parent.mkdir(exist_ok=True)
    marker.write_bytes(b"x" * (tries + 1))
    if tries < 2:
        raise OSError(errno.EIO, "flaky")
    return copy(job)


def _kill_at_flush(job):
    """Copy; the worker dies at the next flush of an output to the disk, and a file counts that."""
    deaths = job.outputs[0].with_suffix(".deaths")

    def die(_handle):
        with deaths.open("ab") as count:
            count.write(b"x")
        os.kill(os.getpid(), signal.SIGKILL)

    os.fsync = die
    return copy(job)


def _raise(error):
    raise error


_FAULTS = {
    "corrupt": lambda job: _raise(CorruptData("there is no pixel data")),
    "bug": lambda job: _raise(ValueError("Doe^John")),
    "eio": lambda job: _raise(OSError(errno.EIO, "always")),
    "flaky": _flaky,
    "kill": lambda job: _half_written(job, lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "kill-at-flush": _kill_at_flush,
    "kill-later": lambda job: time.sleep(0.1) or os.kill(os.getpid(), signal.SIGKILL),
    "echo-number": lambda job: JobResult(outputs=(), facts={"key": job.key}),
    "segfault": lambda job: _half_written(job, _segfault),
    "exit": lambda job: _half_written(job, lambda: os._exit(7)),
    "hang": lambda job: _half_written(job, lambda: time.sleep(600)),
    "deaf": lambda job: _half_written(job, _hang_deaf),
    "memory": lambda job: _half_written(job, _grow),
    "skip": lambda job: JobResult(skipped="it would not become smaller"),
    "loss": lambda job: JobResult(
        losses=(Loss("some-loss", "something", harmful=False),), outputs=()
    ),
    "warn": lambda job: JobResult(warnings=("odd",), outputs=()),
    "unpicklable": lambda job: JobResult(facts={"x": lambda: 0}, outputs=()),
    "pid": lambda job: JobResult(facts={"pid": os.getpid()}, outputs=()),
    "nap": lambda job: time.sleep(0.4) or JobResult(outputs=()),
    "chatter": lambda job: os.write(1, b"chatter\n") and JobResult(outputs=()),
}


def _hang_deaf():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def make_jobs(root: Path, payloads, *, size=1000, out="out"):
    """Return a job per payload, with its input written."""
    jobs = []
    (root / "in").mkdir(exist_ok=True)
    for number, payload in enumerate(payloads):
        source = root / "in" / f"{number:05}.bin"
        if not source.exists():
            source.write_bytes(bytes([number % 251]) * size)
        jobs.append(Job(source.name, (source,), (root / out / source.name,), size, payload))
    return jobs


def list_handles(_job: Job) -> JobResult:
    """Tell who the parent is, and what this process holds open beyond the standard streams."""
    handles = []
    for link in Path("/proc/self/fd").iterdir():
        if int(link.name) > 2:
            with contextlib.suppress(OSError):
                handles.append(str(link.readlink()))
    return JobResult(facts={"handles": handles, "parent": os.getppid()})
