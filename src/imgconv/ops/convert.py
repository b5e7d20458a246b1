"""Convert images between formats: plan, run, report what became of every input.

A task is what is lost together: a DICOM series, or one file of another
format. Its outputs are made in a staging folder and get their final names
when all volumes that share an input file are complete.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgconv.core.interrupts import terminate_like_interrupt
from imgconv.core.options import Overwrite, ReadOptions, WriteOptions
from imgconv.core.staging import staging_folder, sweep
from imgconv.errors import ImgconvError, InternalError, UsageError, output_error
from imgconv.events import Event, EventKind, Listener, ignore_events
from imgconv.ops.convert_plan import Plan, Target, Task, make_plan
from imgconv.ops.convert_run import (
    Run,
    convert_task,
    failed_volumes,
    may_crash,
    preview_task,
)
from imgconv.ops.inputs import Inputs, list_inputs
from imgconv.ops.naming import NameTemplate
from imgconv.ops.report import ConvertReport, FileOutcome, Status, VolumeOutcome
from imgconv.records import record
from imgconv.registry import formats
from imgconv.spec import FormatSpec

if TYPE_CHECKING:
    from imgconv.batch.job import BatchOptions
    from imgconv.batch.ledger import Ledger

__all__ = [
    "ConvertOptions",
    "convert",
    "find_extension",
    "find_target",
    "split_output",
    "without_running",
    "write_failed_list",
]


@record
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
    inputs: Inputs,
    output: str | os.PathLike[str],
    options: ConvertOptions = ConvertOptions(),  # noqa: B008  frozen
    listener: Listener = ignore_events,
    *,
    engine: Callable[[], tuple[BatchOptions, Ledger]] | None = None,
    always: bool = False,
) -> ConvertReport:
    """Convert everything in `inputs` to files below the folder `output`.

    Parameters
    ----------
    inputs
        Files, folders, archives, DICOMDIR files, patterns: one, or several.
    output
        A folder, made if it is missing.
    engine
        Gives how a batch is run, and what is recorded and resumed; called if
        the batch engine is needed: for several series, or those whose decoder
        may crash. None for the defaults, and no record.
    always
        Whether even one series is done by the engine.

    Raises
    ------
    UsageError
        The target format or an option is not known.
    InputError
        An input does not exist.
    OutputError
        The output folder, or the manifest, cannot be written.
    """

    def _how() -> tuple[BatchOptions, Ledger]:
        if engine is not None:
            return engine()
        from imgconv.batch.job import BatchOptions
        from imgconv.batch.ledger import Ledger

        return BatchOptions(workers=options.jobs, retries=0), Ledger()

    target = find_target(options.to, options.write)
    items, folder = list_inputs(inputs), Path(output)

    def _plan(scratch: Path) -> Plan:
        return make_plan(
            items,
            scratch,
            exclude=folder,
            target=target,
            name=options.name,
            layers=options.layers,
            options=options.read,
            listener=listener,
        )

    if options.dry_run:
        with _temporary_folder() as scratch:
            plan = _plan(scratch)
            shared = Run(target, folder, scratch, options.read, options.write)
            return _report(plan, _preview(plan, shared, _how if always else None))
    with terminate_like_interrupt(), staging_folder(folder) as staging:
        sweep(folder)
        plan = _plan(staging)
        shared = Run(target, folder, staging, options.read, options.write)
        if len(plan.tasks) == 1 and not always and not may_crash(plan.tasks[0]):
            listener(Event(EventKind.PHASE, "convert", total=1))
            return _report(plan, [_run_here(plan.tasks[0], shared, listener)])
        from imgconv.ops.convert_batch import run_tasks

        done, interrupted = run_tasks(plan.tasks, shared, *_how(), listener)
        return _report(plan, done, interrupted=interrupted)


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


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    import tempfile

    with tempfile.TemporaryDirectory(prefix="imgconv-") as name:
        yield Path(name)


def _run_here(task: Task, shared: Run, listener: Listener) -> list[VolumeOutcome]:
    """Run a single task, without the batch engine."""
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


def _preview(
    plan: Plan, shared: Run, how: Callable[[], tuple[BatchOptions, Ledger]] | None
) -> list[list[VolumeOutcome]]:
    """Tell what would become of the tasks."""
    known: dict[int, list[VolumeOutcome]] = {}
    if how is not None:
        from imgconv.ops.convert_batch import find_done

        _, ledger = how()
        known = find_done(plan.tasks, shared, ledger)
    return [
        known[number] if number in known else _planned(task, shared)
        for number, task in enumerate(plan.tasks)
    ]


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


def _report(
    plan: Plan, done: Sequence[Sequence[VolumeOutcome]], *, interrupted: bool = False
) -> ConvertReport:
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
    return ConvertReport(volumes, tuple(files), interrupted)


def _file_outcome(shown: str, volumes: list[VolumeOutcome]) -> FileOutcome:
    good = [volume for volume in volumes if volume.status.is_good]
    failed = next((volume for volume in volumes if volume.status is Status.FAILED), None)
    names = tuple(volume.name for volume in good)
    if failed is not None and failed.error is not None:
        return FileOutcome(shown, Status.FAILED, failed.error.message, names, failed.error)
    if good:
        return FileOutcome(shown, good[0].status, "", names)
    if volumes[0].status is Status.OTHER_SHARD:
        return FileOutcome(shown, Status.OTHER_SHARD, "left to another shard")
    return FileOutcome(shown, Status.SKIPPED, "; ".join(volumes[0].warnings))


def write_failed_list(path: Path, report: ConvertReport) -> None:
    """Write the paths of the inputs that failed, one a line.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    failed = (os.fsencode(file.path) for file in report.files if file.status is Status.FAILED)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(name + b"\n" for name in failed))
    except OSError as error:
        raise output_error(error, path) from error


def without_running(options: ConvertOptions) -> ConvertOptions:
    """Return `options` without what changes no output: to tell whether a run can be resumed."""
    write = replace(options.write, overwrite=Overwrite.NEVER)
    return replace(options, write=write, jobs=0, dry_run=False)


def split_output(output: str, to: str) -> tuple[Path, str, str]:
    """Return folder, fixed name and format of what the user gave as output.

    An existing folder, or a name without a known extension, is a folder;
    ``out/brain.nii.gz`` is one file, whose extension tells the format.
    """
    path = Path(output)
    if not path.is_dir() and not output.endswith(("/", os.sep)):
        extension = find_extension(path.name)
        if extension:
            fixed = NameTemplate.literal(path.name[: -len(extension)])
            return path.parent, fixed, to or extension.lstrip(".")
    return path, "", to or "nifti"


def find_extension(name: str) -> str:
    """Return the longest extension of a file's name that a format writes, empty if none does."""
    if "." not in name:
        return ""
    sources: tuple[Iterable[FormatSpec], ...] = (formats.own(), formats)
    for specs in sources:  # plug-ins are looked for if ours do not know it
        known = (extension for spec in specs if spec.write for extension in spec.extensions)
        found = [extension for extension in known if name.lower().endswith(extension)]
        if found:
            return max(found, key=len)
    return ""
