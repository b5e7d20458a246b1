"""Plan the DICOM part of a conversion: headers, series, volumes, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgconv.core.options import ReadOptions
from imgconv.dicom.header import Header, HeaderReader
from imgconv.dicom.plan import ObjectPlan, Outcome, Problem, SeriesPlan, VolumePlan
from imgconv.dicom.series import plan_series
from imgconv.errors import ImgconvError, InputError
from imgconv.ops.inputs import InputFile
from imgconv.ops.naming import DEFAULT_TEMPLATE, NameTaker, NameTemplate
from imgconv.ops.report import FileOutcome, Status
from imgconv.spec import FormatSpec

if TYPE_CHECKING:
    from imgconv.ops.convert_plan import Task

__all__ = ["plan_dicom", "problem_outcomes", "read_headers"]


def plan_dicom(
    spec: FormatSpec,
    files: Sequence[InputFile],
    name: str,
    taker: NameTaker,
    options: ReadOptions,
) -> tuple[list[Task], list[FileOutcome]]:
    """Return one task per series, and what became of the files that are in none.

    Parameters
    ----------
    spec
        Of the DICOM format.
    name
        Template of output names; empty for the default.
    taker
        Gives each name once.
    """
    template = NameTemplate(name or DEFAULT_TEMPLATE)
    headers, left_out = read_headers(files)
    by_path = {file.path: file for file in files}
    tasks = []
    for series in plan_series(headers, options):
        if series.volumes:
            tasks.append(_task(spec, series, by_path, template, taker))
        for problem in series.problems:
            left_out += problem_outcomes(problem, by_path)
    return tasks, left_out


def read_headers(files: Sequence[InputFile]) -> tuple[list[Header], list[FileOutcome]]:
    """Read the header of each file; those that have none are told in the second list."""
    headers: list[Header] = []
    failed: list[FileOutcome] = []
    reader = HeaderReader()
    for file in files:
        try:
            headers.append(reader.read(file.path))
        except ImgconvError as error:
            shown = type(error)(error.message, path=file.shown, hint=error.hint)
            failed.append(FileOutcome(file.shown, Status.FAILED, error.message, error=shown))
    return headers, failed


def _task(
    spec: FormatSpec,
    series: SeriesPlan,
    by_path: Mapping[Path, InputFile],
    template: NameTemplate,
    taker: NameTaker,
) -> Task:
    from imgconv.ops.convert_plan import PlannedVolume, Task

    volumes = tuple(
        PlannedVolume(
            stem=taker.take(_stem(volume, template)),
            files=tuple(by_path[path].shown for path in volume.paths),
            source=volume,
            facts=_facts(series, volume),
        )
        for volume in series.volumes
    )
    paths = dict.fromkeys(path for volume in series.volumes for path in volume.paths)
    files = tuple(by_path[path] for path in paths)
    return Task(spec, files, volumes, sum(file.size_bytes for file in files))


def _stem(volume: VolumePlan | ObjectPlan, template: NameTemplate) -> str:
    header = volume.header
    stem = template.fill(lambda keyword: _lookup(header, keyword))
    return "_".join([stem, *volume.suffixes])


def _lookup(header: Header, keyword: str) -> Any:
    if keyword == "File":
        return header.path.stem
    if keyword == "Folder":
        return header.path.absolute().parent.name
    if keyword == "StudyDateTime":
        date, time = header.get("StudyDate", ""), header.get("StudyTime", "")
        return f"{date}{str(time).partition('.')[0]}"
    return header.get(keyword)


def _facts(series: SeriesPlan, volume: VolumePlan | ObjectPlan) -> dict[str, Any]:
    columns, rows, slices = volume.size_ijk
    times = len(volume.volumes)
    return {
        "series_number": series.series_number,
        "modality": series.modality,
        "shape": [columns, rows, slices, *([times] if times > 1 else [])],
    }


def problem_outcomes(problem: Problem, by_path: Mapping[Path, InputFile]) -> list[FileOutcome]:
    """Return the outcome of each file of a problem; they share one error."""
    shown = [by_path[path].shown if path in by_path else str(path) for path in problem.paths]
    if problem.outcome is Outcome.SKIPPED:
        return [FileOutcome(name, Status.SKIPPED, problem.message) for name in shown]
    known = problem.error
    # One error for all files of the problem, so that it is told once.
    error: ImgconvError = (
        InputError(problem.message, path=shown[0])
        if known is None
        else type(known)(known.message, path=shown[0], hint=known.hint)
    )
    return [FileOutcome(name, Status.FAILED, problem.message, error=error) for name in shown]
