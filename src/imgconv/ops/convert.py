"""Convert images between formats: plan, run, report what became of every input.

A task is what is lost together: a DICOM series, or one file of another
format. Its outputs are made in a staging folder and get their final names
when all volumes that share an input file are complete.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from imgconv.core.interrupts import terminate_like_interrupt
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.staging import staging_folder, sweep
from imgconv.errors import ImgconvError, InternalError, UsageError
from imgconv.events import Event, EventKind, Listener, ignore_events
from imgconv.ops.convert_plan import Plan, Target, Task, make_plan
from imgconv.ops.convert_run import (
    Run,
    convert_task,
    failed_volumes,
    preview_task,
    run_task,
    volumes_of,
)
from imgconv.ops.naming import NameTemplate
from imgconv.ops.report import ConvertReport, FileOutcome, Status, VolumeOutcome
from imgconv.registry import formats
from imgconv.spec import FormatSpec

__all__ = ["ConvertOptions", "convert", "find_target", "split_output"]


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """How to convert.

    Parameters
    ----------
    to
        Name of the target format, or one of its extensions.
    name
        Template of output names, see `ops.naming`; empty for the default.
    read, write
        Passed to the formats.
    jobs
        Worker processes for several series; 0 is one per core.
    dry_run
        Plan only: nothing is written.
    layers
        Take all inputs for the layers of one label map.
    """

    to: str = "nifti"
    name: str = ""
    read: ReadOptions = field(default_factory=ReadOptions)
    write: WriteOptions = field(default_factory=WriteOptions)
    jobs: int = 0
    dry_run: bool = False
    layers: bool = False


def convert(
    inputs: Sequence[str | os.PathLike[str]],
    output: Path,
    options: ConvertOptions = ConvertOptions(),
    listener: Listener = ignore_events,
) -> ConvertReport:
    """Convert everything in `inputs` to files below the folder `output`.

    Parameters
    ----------
    inputs
        Files, folders, archives, DICOMDIR files, patterns.
    output
        A folder, made if it is missing.

    Raises
    ------
    UsageError
        The target format or an option is not known.
    InputError
        An input does not exist.
    OutputError
        The output folder cannot be made.
    """
    target = find_target(options.to, options.write)
    # What this run reads must exist before the output folder is made.
    for item in inputs:
        _require_given(os.fspath(item))

    def _plan(scratch: Path) -> Plan:
        return make_plan(
            inputs,
            scratch,
            exclude=output,
            target=target,
            name=options.name,
            layers=options.layers,
            options=options.read,
            listener=listener,
        )

    if options.dry_run:
        with _temporary_folder() as scratch:
            plan = _plan(scratch)
            shared = Run(target, output, scratch, options.read, options.write)
            return _report(plan, [_planned(task, shared) for task in plan.tasks])
    with terminate_like_interrupt(), staging_folder(output) as staging:
        sweep(output)
        plan = _plan(staging)
        shared = Run(target, output, staging, options.read, options.write)
        return _report(plan, _run(plan, shared, options.jobs, listener))


def find_target(name: str, write: WriteOptions) -> Target:
    """Return the target format called `name`, or that writes the extension `name`.

    Raises
    ------
    UsageError
        There is none, or it cannot be written.
    """
    wanted = f".{name.lower().lstrip('.')}"
    spec = formats.find(name)
    extension = ""
    if spec is None:
        for candidate in (*formats.own(), *formats):
            if wanted in candidate.extensions and candidate.write:
                spec, extension = candidate, wanted
                break
    if spec is None:
        spec = formats.get(name)  # raises with the known ones
    if not spec.write:
        raise UsageError(f"imgconv reads `{spec.name}` but does not write it")
    return Target(spec, extension or _extension(spec, write))


def _extension(spec: FormatSpec, write: WriteOptions) -> str:
    """Return the extension to write: the plain one if compression is not wanted."""
    plain = [one for one in spec.extensions if not one.endswith(".gz")]
    return plain[0] if write.compress is False and plain else spec.extensions[0]


def _require_given(item: str) -> None:
    if not item:
        raise UsageError("an input is an empty string")


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="imgconv-") as name:
        yield Path(name)


def _run(plan: Plan, shared: Run, workers: int, listener: Listener) -> list[list[VolumeOutcome]]:
    """Run the tasks; the outcomes are in the order of the plan."""
    listener(Event(EventKind.PHASE, "convert", total=len(plan.tasks)))
    if len(plan.tasks) == 1:
        return [_run_here(plan.tasks[0], shared, listener)]
    return _run_batch(plan, shared, workers, listener)


def _run_here(task: Task, shared: Run, listener: Listener) -> list[VolumeOutcome]:
    """Run a single task; the batch engine, which takes 30 ms to import, is for several."""
    try:
        done = convert_task(task, "0", shared)
    except Exception as error:  # noqa: BLE001  a worker's edge: what a job raises is its outcome
        done = failed_volumes(task, _translated(error, task))
    listener(Event(EventKind.STEP, "convert"))
    return done


def _translated(error: Exception, task: Task) -> ImgconvError:
    """Return the error that a worker would report."""
    from imgconv.batch.attempt import attempt
    from imgconv.batch.job import Job, JobResult

    def fail(_: Job) -> JobResult:
        raise error

    job = Job("0", tuple(file.path for file in task.files))
    return attempt(fail, job, digests=False).error or InternalError("a failure without an error")


def _run_batch(
    plan: Plan, shared: Run, workers: int, listener: Listener
) -> list[list[VolumeOutcome]]:
    from imgconv.batch.engine import run
    from imgconv.batch.job import BatchOptions, Job

    function = partial(run_task, run=shared)
    numbers = {f"{number:06}": number for number in range(len(plan.tasks))}
    jobs = [
        Job(
            key=key,
            inputs=tuple(file.path for file in plan.tasks[number].files),
            size_bytes=plan.tasks[number].size_bytes,
            payload=plan.tasks[number],
        )
        for key, number in numbers.items()
    ]
    batch = BatchOptions(workers=workers, retries=0, preload=("imgconv.ops.convert_run",))
    done: list[list[VolumeOutcome]] = [[] for _ in plan.tasks]
    with contextlib.closing(run(jobs, function, batch, listener)) as outcomes:
        for outcome in outcomes:
            number = numbers[outcome.job.key]
            if outcome.error is not None:
                done[number] = failed_volumes(plan.tasks[number], outcome.error)
            else:
                done[number] = volumes_of(outcome.result)
    return done


def _planned(task: Task, run: Run) -> list[VolumeOutcome]:
    if run.target.spec.name == "dicom":
        return preview_task(task, run)
    return [
        VolumeOutcome(
            name=volume.stem,
            status=Status.PLANNED,
            files=volume.files,
            outputs=(run.output / f"{volume.stem}{run.target.extension}",),
            facts=volume.facts,
            warnings=volume.warnings,
        )
        for volume in task.volumes
    ]


def _report(plan: Plan, done: Sequence[Sequence[VolumeOutcome]]) -> ConvertReport:
    """Combine the volumes with what the plan had to leave out; each file gets its line."""
    volumes = tuple(volume for task in done for volume in task)
    holders: dict[str, list[VolumeOutcome]] = {}
    for volume in volumes:
        for shown in volume.files:
            holders.setdefault(shown, []).append(volume)
    files = [
        _file_outcome(shown, holders[shown])
        for shown in dict.fromkeys((*plan.used, *holders))
        if shown in holders
    ]
    files += [outcome for outcome in plan.left_out if outcome.path not in holders]
    known = {file.path for file in files}
    files += [
        FileOutcome(shown, Status.SKIPPED, "nothing in it was converted")
        for shown in plan.used
        if shown not in known
    ]
    return ConvertReport(volumes, tuple(files))


def _file_outcome(shown: str, volumes: list[VolumeOutcome]) -> FileOutcome:
    good = [volume for volume in volumes if volume.status.is_good]
    failed = next((volume for volume in volumes if volume.status is Status.FAILED), None)
    names = tuple(volume.name for volume in good)
    if failed is not None and failed.error is not None:
        return FileOutcome(shown, Status.FAILED, failed.error.message, names, failed.error)
    if good:
        return FileOutcome(shown, good[0].status, "", names)
    return FileOutcome(shown, Status.SKIPPED, "; ".join(volumes[0].warnings))


def with_allowed(options: ConvertOptions, allow: frozenset[str], *, strict: bool) -> ConvertOptions:
    """Return `options` whose readers and writers accept the losses named in `allow`."""
    return replace(
        options,
        read=replace(options.read, allow=allow, strict=strict),
        write=replace(options.write, allow=allow, strict=strict),
    )


def split_output(output: str, to: str) -> tuple[Path, str, str]:
    """Return folder, fixed name and format of what the user gave as output.

    An existing folder, or a name without a known extension, is a folder;
    ``out/brain.nii.gz`` is one file, whose extension tells the format.
    """
    path = Path(output)
    if path.is_dir() or output.endswith(("/", os.sep)):
        return path, "", to or "nifti"
    for spec in formats.own():
        for extension in sorted(spec.extensions, key=len, reverse=True):
            if spec.write and path.name.lower().endswith(extension):
                stem = path.name[: -len(extension)]
                fixed = NameTemplate.literal(stem)
                return path.parent, fixed, to or extension.lstrip(".")
    return path, "", to or "nifti"
