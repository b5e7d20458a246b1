"""What the batch engine costs: run as `python benchmarks/batch.py [JOBS]`.

Prints the figures of docs/batch.md: start-up, overhead per job in this
process and in workers, the same by pebble if it is installed, and what
100,000 jobs cost the parent in memory.
"""

import contextlib
import resource
import sys
import tempfile
import time
from collections import deque
from pathlib import Path

from imgconv.batch.engine import run
from imgconv.batch.executor import InProcess
from imgconv.batch.job import BatchOptions, Job, JobResult
from imgconv.batch.ledger import Ledger, run_batch

HEAVY = ("numpy", "pydicom", "imagecodecs")
WORKERS = BatchOptions(workers=2, isolate=True, preload=HEAVY)


def nothing(_):
    return JobResult()


def read(job):
    return JobResult(facts={"bytes": len(job.inputs[0].read_bytes())})


def plan(number, folder=Path("/nowhere")):
    for index in range(number):
        name = f"{index:07}.dcm"
        yield Job(f"series/{name}", (folder / name,), (), 1000)


def seconds(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def exhaust(iterator):
    deque(iterator, maxlen=0)


def in_process(number):
    executor = InProcess(nothing, digests=False)
    for index, job in enumerate(plan(number)):
        executor.submit(index, job)
        executor.wait(None)


def by_pebble(number):
    import multiprocessing

    from pebble import ProcessPool

    with ProcessPool(2, context=multiprocessing.get_context("forkserver")) as pool:
        flight = deque()
        for job in plan(number):
            flight.append(pool.schedule(nothing, args=(job,)))
            if len(flight) >= 8:
                flight.popleft().result()
        while flight:
            flight.popleft().result()


def report(name, value, unit):
    print(f"{name:60} {value:8.1f} {unit}")


def main(number=5000):
    report("8 jobs in process", seconds(lambda: exhaust(run(plan(8), nothing))) * 1e3, "ms")
    start = seconds(lambda: exhaust(run(plan(8), nothing, WORKERS)))
    report(f"8 jobs, two workers, {', '.join(HEAVY)} preloaded", start * 1e3, "ms")
    again = seconds(lambda: exhaust(run(plan(8), nothing, WORKERS)))
    report("8 jobs, two workers, fork server running", again * 1e3, "ms")
    report("a job in process", seconds(lambda: in_process(number)) / number * 1e6, "us")
    wall = seconds(lambda: exhaust(run(plan(number), nothing, WORKERS)))
    report("a job, two workers", wall / number * 1e6, "us")
    with contextlib.suppress(ImportError):
        wall = seconds(lambda: by_pebble(number))
        report("a job, two workers of pebble", wall / number * 1e6, "us")
    with tempfile.TemporaryDirectory() as name:
        many_files(Path(name), 100_000)


def many_files(root, number):
    folder = root / "in"
    folder.mkdir()
    for job in plan(number, folder):
        job.inputs[0].write_bytes(b"x" * 1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for resume in (False, True):
        ledger = Ledger(manifest=root / "m.jsonl", resume=resume)
        options = BatchOptions(workers=2)
        began = time.perf_counter()
        summary = run_batch(plan(number, folder), read, options, ledger)
        wall = time.perf_counter() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1000
        label = ", ".join(f"{count} {status.value}" for status, count in summary.counts.items())
        report(f"{label}, with a manifest: each", wall / number * 1e6, "us")
        report("growth of the parent's memory", grown, "MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
