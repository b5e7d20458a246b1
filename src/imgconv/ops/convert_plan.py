"""Decide what becomes of every input before anything is converted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from imgconv.core.options import ReadOptions
from imgconv.errors import ImgconvError, UnknownFormat
from imgconv.events import Event, EventKind, Listener
from imgconv.ops.detect import detect_format, is_archive
from imgconv.ops.inputs import InputFile, gather
from imgconv.ops.naming import NameTaker, NameTemplate
from imgconv.ops.report import FileOutcome, Status
from imgconv.records import record
from imgconv.spec import FormatSpec

__all__ = ["Plan", "PlannedVolume", "Target", "Task", "left_out_file", "make_plan"]


@record
class Target:
    """The format to write, and the extension of its files."""

    spec: FormatSpec
    extension: str


@record
class PlannedVolume:
    """One image of a task.

    `stem` is its output's relative path without extension; `source` is what
    the DICOM reader loads, None where the reader of a format finds out itself.
    """

    stem: str
    files: tuple[str, ...]
    source: Any = None  # imgconv.dicom.series' plan of a volume
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@record
class Task:
    """What is read, and lost, together; picklable.

    `format` reads it; `shown` maps paths on the disk to how reports name them.
    """

    format: FormatSpec
    files: tuple[InputFile, ...]
    volumes: tuple[PlannedVolume, ...]
    size_bytes: int = 0

    def shown(self, path: Path) -> str:
        """Return how reports name a file that was read."""
        for file in self.files:
            if file.path == path:
                return file.shown
        return str(path)


@record
class Plan:
    """The tasks, the files that they use, and what became of all others."""

    tasks: tuple[Task, ...]
    used: tuple[str, ...]
    left_out: tuple[FileOutcome, ...]


def make_plan(
    inputs: Sequence[str | os.PathLike[str]],
    staging: Path,
    *,
    exclude: Path | None = None,
    target: Target | None = None,
    name: str = "",
    layers: bool = False,
    options: ReadOptions,
    listener: Listener,
) -> Plan:
    """Plan a conversion.

    Parameters
    ----------
    staging
        A folder for the files of archives.
    exclude
        A folder that is not searched: the output's, if it lies in an input.
    target
        What will be written: files of this format that are met in the output
        folder are those of an earlier run, not inputs.
    name
        Template of output names; empty for the default.
    layers
        Whether all inputs become the layers of one label map.

    Raises
    ------
    UsageError
        The name template has a mistake.
    InputError
        An input does not exist.
    """
    listener(Event(EventKind.PHASE, "scan"))
    by_format: dict[str, list[InputFile]] = {}
    specs: dict[str, FormatSpec] = {}
    left_out: list[FileOutcome] = []
    for file in gather(inputs, staging, exclude=exclude):
        listener(Event(EventKind.STEP, "scan", item=file.shown))
        spec = None if file.problem or file.skipped else detect_format(file.path, file.head)
        if spec is None or not spec.read:
            left_out.append(left_out_file(file, spec))
            continue
        if exclude is not None and target is not None and _is_output(file, spec, target, exclude):
            reason = f"is {spec.name} already, in the output folder"
            left_out.append(FileOutcome(file.shown, Status.SKIPPED, reason))
            continue
        specs[spec.name] = spec
        by_format.setdefault(spec.name, []).append(file)
    taker = NameTaker()
    tasks: list[Task] = []
    if layers and by_format:
        from imgconv.ops.layers import LAYERS

        every = tuple(file for files in by_format.values() for file in files)
        tasks.append(_file_task(LAYERS, every, NameTemplate(name or "{File}"), taker))
        by_format = {}
    for format_name, files in by_format.items():
        if format_name == "dicom":
            from imgconv.ops.dicom_plan import plan_dicom

            found, outcomes = plan_dicom(specs[format_name], files, name, taker, options)
            tasks += found
            left_out += outcomes
        else:
            tasks += _plan_files(specs[format_name], files, NameTemplate(name or "{File}"), taker)
    used = tuple(file.shown for task in tasks for file in task.files)
    return Plan(tuple(tasks), used, tuple(left_out))


def _is_output(file: InputFile, spec: FormatSpec, target: Target, output: Path) -> bool:
    return (
        not file.is_named
        and spec.name == target.spec.name
        and not spec.gathers
        and file.path.absolute().is_relative_to(output.absolute())
    )


def left_out_file(file: InputFile, spec: FormatSpec | None) -> FileOutcome:
    """Return why a file is in no task: it cannot be read, or no format reads it."""
    if file.problem is not None:
        return FileOutcome(file.shown, Status.FAILED, file.problem.message, error=file.problem)
    if file.skipped:
        return FileOutcome(file.shown, Status.SKIPPED, file.skipped)
    if spec is not None:
        return FileOutcome(file.shown, Status.SKIPPED, f"imgconv does not read {spec.name}")
    if is_archive(file.path, file.head):
        return FileOutcome(file.shown, Status.SKIPPED, "an archive; name it to have it opened")
    reason = "no image format is recognised" if file.head else "the file is empty"
    if not file.is_named:
        return FileOutcome(file.shown, Status.SKIPPED, reason)
    error: ImgconvError = UnknownFormat(reason, path=file.shown)
    return FileOutcome(file.shown, Status.FAILED, reason, error=error)


def _plan_files(
    spec: FormatSpec, files: Iterable[InputFile], template: NameTemplate, taker: NameTaker
) -> list[Task]:
    """Return one task per file, or one per folder for a format that gathers."""
    groups: dict[Path, list[InputFile]] = {}
    for file in files:
        groups.setdefault(file.path.parent if spec.gathers else file.path, []).append(file)
    return [_file_task(spec, tuple(group), template, taker) for group in groups.values()]


def _file_task(
    spec: FormatSpec, files: tuple[InputFile, ...], template: NameTemplate, taker: NameTaker
) -> Task:
    first = files[0].path
    values = {"File": _stem(first, spec), "Folder": first.absolute().parent.name}
    volume = PlannedVolume(
        taker.take(template.fill(values.get)), tuple(file.shown for file in files)
    )
    return Task(spec, files, (volume,), sum(file.size_bytes for file in files))


def _stem(path: Path, spec: FormatSpec) -> str:
    """Return a file's name without the longest extension that its format knows."""
    name = path.name
    for extension in sorted(spec.extensions, key=len, reverse=True):
        if name.lower().endswith(extension) and len(name) > len(extension):
            return name[: -len(extension)]
    return path.stem
