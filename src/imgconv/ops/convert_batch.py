"""Run the tasks of a conversion as jobs of the batch engine.

It takes 30 ms to import, so one series of native samples is done without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from imgconv.batch.job import BatchOptions, Job, Outcome
from imgconv.batch.job import Status as JobStatus
from imgconv.batch.ledger import Ledger, iter_plan, run_batch
from imgconv.events import Event, EventKind, Listener
from imgconv.ops.convert_plan import Task
from imgconv.ops.convert_run import Run, failed_volumes, may_crash, run_task, volumes_of
from imgconv.ops.report import Status, VolumeOutcome

if TYPE_CHECKING:
    from imgconv.batch.summary import Summary

__all__ = ["find_done", "run_tasks"]

_PRELOAD = ("imgconv.ops.convert_run", "imgconv.dicom.reader")


def run_tasks(
    tasks: Sequence[Task], shared: Run, batch: BatchOptions, ledger: Ledger, listener: Listener
) -> tuple[list[list[VolumeOutcome]], bool]:
    """Run tasks, each of which may be lost without the others.

    Parameters
    ----------
    ledger
        What is recorded and left out; its list of failures is the caller's.

    Returns
    -------
    tuple
        The outcomes in the order of `tasks`, and whether the user stopped it.
    """
    jobs = _make_jobs(tasks, shared)
    numbers = {job.key: number for number, job in enumerate(jobs)}
    done: dict[int, list[VolumeOutcome]] = {}

    def enter(outcome: Outcome) -> None:
        number = numbers[outcome.job.key]
        done[number] = _volumes(tasks[number], outcome)

    isolate = batch.isolate or any(map(may_crash, tasks))
    writer, _, _ = shared.target.spec.write.partition(":")
    workers = min(batch.worker_count, max(1, len(tasks)))
    summary = run_batch(
        jobs,
        partial(run_task, run=shared),
        replace(
            batch, isolate=isolate, workers=workers, preload=(*batch.preload, *_PRELOAD, writer)
        ),
        replace(ledger, failed_list=None),
        listener=_without_messages(listener),
        on_outcome=enter,
        phase="convert",
        total=sum(map(ledger.shard.has, jobs)),
    )
    rest = _reason_of_rest(summary)
    return [
        done[number]
        if number in done
        else _left(task, rest)
        if ledger.shard.has(jobs[number])
        else _elsewhere(task)
        for number, task in enumerate(tasks)
    ], summary.interrupted


def find_done(tasks: Sequence[Task], shared: Run, ledger: Ledger) -> dict[int, list[VolumeOutcome]]:
    """Return the outcomes of those tasks that a run would leave out, by their numbers."""
    jobs = _make_jobs(tasks, shared)
    steps = {step.job.key: step.status for step in iter_plan(jobs, ledger)}
    found = {}
    for number, (job, task) in enumerate(zip(jobs, tasks, strict=True)):
        if job.key not in steps:
            found[number] = _elsewhere(task)
        elif steps[job.key] is JobStatus.ALREADY_DONE:
            found[number] = _done_before(task, ())
    return found


def _make_jobs(tasks: Sequence[Task], shared: Run) -> list[Job]:
    """Return a job per task; its key is the name of the first output, which has no twin."""
    return [
        Job(
            key=task.volumes[0].stem,
            inputs=(*_inputs(task, shared.staging), *shared.write.reference),
            size_bytes=task.size_bytes,
            payload=(f"{number:06}", task),
        )
        for number, task in enumerate(tasks)
    ]


def _inputs(task: Task, staging: Path) -> Iterable[Path]:
    """Return the files that the user has: an archive for what is unpacked from it."""
    paths = (
        _archive_of(Path(file.shown)) if file.path.is_relative_to(staging) else file.path
        for file in task.files
    )
    return dict.fromkeys(paths)


def _archive_of(shown: Path) -> Path:
    return next((path for path in shown.parents if path.is_file()), shown)


def _volumes(task: Task, outcome: Outcome) -> list[VolumeOutcome]:
    if outcome.status is JobStatus.ALREADY_DONE:
        return _done_before(task, tuple(fact.path for fact in outcome.outputs))
    if outcome.result.payload is not None:
        return volumes_of(outcome.result)
    if outcome.error is not None:
        return failed_volumes(task, outcome.error)
    return _left(task, outcome.reason)


def _done_before(task: Task, outputs: tuple[Path, ...]) -> list[VolumeOutcome]:
    """Return outcomes of an earlier run; its record tells only the task's outputs as a whole."""
    first = task.volumes[0]
    return [
        VolumeOutcome(
            volume.stem,
            Status.ALREADY_DONE,
            volume.files,
            outputs if volume is first else (),
            facts=volume.facts,
        )
        for volume in task.volumes
    ]


def _left(task: Task, reason: str) -> list[VolumeOutcome]:
    return [
        VolumeOutcome(volume.stem, Status.SKIPPED, volume.files, warnings=(reason,))
        for volume in task.volumes
    ]


def _elsewhere(task: Task) -> list[VolumeOutcome]:
    return [VolumeOutcome(volume.stem, Status.OTHER_SHARD, volume.files) for volume in task.volumes]


def _reason_of_rest(summary: Summary) -> str:
    if summary.interrupted:
        return "not finished: the run was interrupted"
    return "not begun: the run ended at the first failure"


def _without_messages(listener: Listener) -> Listener:
    """Return a listener for progress only: the report tells each warning and error, once."""

    def hear(event: Event) -> None:
        if event.kind not in {EventKind.WARNING, EventKind.ERROR}:
            listener(event)

    return hear
