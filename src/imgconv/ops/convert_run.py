"""Do one task of a conversion: read, check, write to the staging folder, place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgconv.core.document import Document
from imgconv.core.image import Image
from imgconv.core.loss import Loss, require_allowed
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.segments import write_segment_table
from imgconv.core.staging import place_all
from imgconv.errors import ImgconvError, InputError
from imgconv.ops.convert_plan import PlannedVolume, Target, Task
from imgconv.ops.report import Status, VolumeOutcome
from imgconv.records import record
from imgconv.spec import resolve

if TYPE_CHECKING:
    from imgconv.batch.job import Job, JobResult

__all__ = [
    "Run",
    "convert_task",
    "failed_volumes",
    "may_crash",
    "preview_task",
    "read_volume",
    "run_task",
    "volumes_of",
    "write_volume",
]

# Of the transfer syntaxes of PS3.5 A.4 whose frames are codestreams; in the file meta information.
_COMPRESSED = b"1.2.840.10008.1.2.4."
_NATIVE_DECODERS = frozenset({"jpegls", "jpeg", "jpeg2000", "jpegxl", "tiff", "webp"})


@record
class Run:
    """What all tasks of a conversion share; picklable.

    `output` is the folder where complete files are placed, `staging` one of
    the run's own on the same file system.
    """

    target: Target
    output: Path
    staging: Path
    read: ReadOptions
    write: WriteOptions


def run_task(job: Job, run: Run) -> JobResult:
    """Convert the task in a job's payload, which is the name of its folder and the task.

    Failures are in the outcomes; the first is the job's.
    """
    from imgconv.batch.job import JobResult

    key, task = job.payload
    placed = convert_task(task, key, run)
    planned = {file.shown for file in task.files}
    found = dict.fromkeys(name for outcome in placed for name in outcome.files)
    return JobResult(
        outputs=tuple(path for outcome in placed for path in outcome.outputs),
        losses=tuple(loss for outcome in placed for loss in outcome.losses),
        warnings=tuple(text for outcome in placed for text in outcome.warnings),
        facts={"volumes": [outcome.to_json() for outcome in placed]},
        error=next((outcome.error for outcome in placed if outcome.error is not None), None),
        companions=tuple(Path(name) for name in found if name not in planned),
        payload=placed,
    )


def convert_task(task: Task, key: str, run: Run) -> list[VolumeOutcome]:
    """Convert a task and place its outputs; failures are in the outcomes.

    Parameters
    ----------
    key
        Names the task's folder in the staging folder.
    """
    folder = run.staging / key
    staged = [_stage(task, volume, folder, run) for volume in task.volumes]
    outcomes = [outcome for volume in staged for outcome in volume]
    outcomes = _drop_partners_of_failures(outcomes)
    placed = [_place(outcome, folder, run) for outcome in outcomes]
    shutil.rmtree(folder, ignore_errors=True)
    return placed


def preview_task(task: Task, run: Run) -> list[VolumeOutcome]:
    """Tell which DICOM objects a task would become, and where their attributes come from.

    The images are read, because they decide on the object; nothing is written.
    """
    from imgconv.dicom.writer import describe, series_paths

    outcomes = []
    for volume in task.volumes:
        try:
            for number, image in enumerate(read_volume(task, volume, run.read), 1):
                stem = volume.stem if number == 1 else f"{volume.stem}_{number}"
                name, origins, count = describe(image, run.write)
                target = run.output / f"{stem}{run.target.extension}"
                sources = [f"from {origin}: {', '.join(k)}" for origin, k in origins.items()]
                outcomes.append(
                    VolumeOutcome(
                        stem,
                        Status.PLANNED,
                        _files_of(task, volume, image),
                        series_paths(target, count),
                        facts={**volume.facts, **_facts(image), "object": name, "context": origins},
                        losses=image.losses,
                        warnings=(*volume.warnings, f"would be `{name}`", *sources),
                    )
                )
        except ImgconvError as error:
            outcomes.append(_failed(volume.stem, volume.files, _named(error, task, run.staging)))
    return outcomes


def volumes_of(result: JobResult) -> list[VolumeOutcome]:
    """Return the outcomes that `run_task` put into its result."""
    found: list[VolumeOutcome] = result.payload
    return found


def may_crash(task: Task) -> bool:
    """Whether large C libraries will decode what may come from anyone."""
    if task.format.name in _NATIVE_DECODERS:
        return True
    return any(_COMPRESSED in file.head for file in task.files)


def failed_volumes(task: Task, error: ImgconvError) -> list[VolumeOutcome]:
    """Return the outcomes of a task whose worker failed as a whole."""
    return [_failed(volume.stem, volume.files, error) for volume in task.volumes]


def _failed(stem: str, files: tuple[str, ...], error: ImgconvError) -> VolumeOutcome:
    return VolumeOutcome(stem, Status.FAILED, files, error=error)


def _stage(task: Task, volume: PlannedVolume, folder: Path, run: Run) -> list[VolumeOutcome]:
    """Write each image of a planned volume below `folder`."""
    outcomes: list[VolumeOutcome] = []
    # A writer that streams reads while it writes: the disk is busy early, and memory is spared.
    read = replace(run.read, lazy=run.target.spec.streams)
    try:
        for number, image in enumerate(read_volume(task, volume, read), 1):
            stem = volume.stem if number == 1 else f"{volume.stem}_{number}"
            files = _files_of(task, volume, image)
            try:
                outcomes.append(_write(image, folder / stem, files, run))
            except ImgconvError as error:
                outcomes.append(_failed(stem, files, _named(error, task, folder)))
    except ImgconvError as error:
        outcomes.append(_failed(volume.stem, volume.files, _named(error, task, folder)))
    if not outcomes:
        nothing = InputError("holds no image", path=task.files[0].shown)
        outcomes.append(_failed(volume.stem, volume.files, nothing))
    return [
        replace(
            outcome,
            facts={**volume.facts, **outcome.facts},
            warnings=(*volume.warnings, *outcome.warnings),
        )
        for outcome in outcomes
    ]


def read_volume(task: Task, volume: PlannedVolume, read: ReadOptions) -> Iterator[Image | Document]:
    """Yield the images of a planned volume: one of DICOM, all that a file of others holds.

    Raises
    ------
    InputError
        A file cannot be read, is damaged or not supported.
    """
    if volume.source is not None:
        from imgconv.dicom.reader import load

        yield load(volume.source, read)
        return
    paths = [file.path for file in task.files]
    yield from resolve(task.format.read)(paths if task.format.gathers else paths[0], read)


def write_volume(image: Image, stem: str, run: Run) -> VolumeOutcome:
    """Check and write one image, and give its complete files their final names.

    Raises
    ------
    LossRefused
        The target cannot hold something, and that is not allowed.
    OutputError
        A file cannot be written, or exists and must not be replaced.
    """
    outcome = _place(_write(image, run.staging / stem, (), run), run.staging, run)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def _files_of(task: Task, volume: PlannedVolume, image: Image | Document) -> tuple[str, ...]:
    """Return all inputs of an image: planned ones, and companions that its reader found."""
    found = (task.shown(source.path) for source in image.sources) if volume.source is None else ()
    return tuple(dict.fromkeys((*volume.files, *found)))


def _write(image: Image | Document, base: Path, files: tuple[str, ...], run: Run) -> VolumeOutcome:
    spec, options = run.target.spec, run.write
    if isinstance(image, Document) and spec.capabilities.dtypes and spec.name != "dicom":
        why = f"a document; {spec.name} holds images"
        return VolumeOutcome(base.name, Status.SKIPPED, files, warnings=(why,))
    losses: tuple[Loss, ...] = image.losses
    if spec.check:
        losses = (*losses, *resolve(spec.check)(image, options))
    require_allowed(losses, allow=options.allow, strict=options.strict)
    path = base.with_name(base.name + run.target.extension)
    outputs = tuple(resolve(spec.write)(image, path, options))
    if isinstance(image, Image) and image.segments and not spec.capabilities.segments:
        outputs = (write_segment_table(image.segments, base), *outputs)
    return VolumeOutcome(
        base.name, Status.CONVERTED, files, outputs, facts=_facts(image), losses=losses
    )


def _facts(image: Image | Document) -> dict[str, Any]:
    if isinstance(image, Document):
        return {"type": image.mime_type, "bytes": len(image.data)}
    shape = [*image.size_ijk, *([image.volume_count] if image.volume_count > 1 else [])]
    facts: dict[str, Any] = {"shape": shape, "dtype": image.dtype.name}
    if image.geometry is not None:
        facts["spacing"] = [round(value, 6) for value in image.geometry.spacing]
    return facts


def _named(error: ImgconvError, task: Task, folder: Path) -> ImgconvError:
    """Return an error whose path is the user's, not that of the staging folder."""
    path = error.path
    if path is None:
        return error.with_path(task.files[0].shown)
    if path.is_relative_to(folder):
        return type(error)(error.message, path=path.relative_to(folder), hint=error.hint)
    shown = task.shown(path)
    return error if shown == str(path) else type(error)(error.message, path=shown, hint=error.hint)


def _drop_partners_of_failures(outcomes: list[VolumeOutcome]) -> list[VolumeOutcome]:
    """Fail the volumes that share an input file with one that failed: no file is half done."""
    failed = [outcome for outcome in outcomes if outcome.status is Status.FAILED]
    if not failed:
        return outcomes
    tainted = {name: outcome for outcome in failed for name in outcome.files}
    kept = []
    for outcome in outcomes:
        partner = next((tainted[name] for name in outcome.files if name in tainted), None)
        if outcome.status is Status.FAILED or partner is None:
            kept.append(outcome)
        else:
            kept.append(replace(outcome, status=Status.FAILED, outputs=(), error=partner.error))
    return kept


def _place(outcome: VolumeOutcome, folder: Path, run: Run) -> VolumeOutcome:
    """Give complete files their final names."""
    if outcome.status is not Status.CONVERTED:
        return outcome
    moves = [(path, run.output / path.relative_to(folder)) for path in outcome.outputs]
    final = tuple(target for _, target in moves)
    try:
        changed = place_all(moves, run.write.overwrite)
    except ImgconvError as error:
        return replace(outcome, status=Status.FAILED, outputs=(), error=error)
    status = Status.CONVERTED if changed else Status.UNCHANGED
    return replace(outcome, status=status, outputs=final)
