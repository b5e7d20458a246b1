"""Plan which images a set of DICOM files becomes.

Headers are grouped into series, their slices into kinds (echo, component,
orientation, size), these into volumes and time points. Every file ends in an
image or in a `Problem`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from imgconv.core.options import ReadOptions
from imgconv.dicom.duplicates import drop_duplicates
from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.grouping import plan_volumes
from imgconv.dicom.header import Header
from imgconv.dicom.label_objects import find_label_reader, plan_label_object
from imgconv.dicom.plan import ObjectPlan, Outcome, Problem, SeriesPlan
from imgconv.dicom.slices import PLAIN_KEYWORDS, Components, Slice
from imgconv.errors import InputError

__all__ = ["plan_series"]

_DIRECTORY = "1.2.840.10008.1.3.10"
_LOCALIZER = re.compile(r"\b(locali[sz]er|scout|survey)\b", re.IGNORECASE)

_SERIES_KEYWORDS = ("SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "Modality")

SeriesKey = tuple[object, ...]


def plan_series(
    headers: Iterable[Header], options: ReadOptions | None = None
) -> tuple[SeriesPlan, ...]:
    """Return what will be made of DICOM files, series by series.

    Parameters
    ----------
    headers
        From `read_header`, in any order. Their memory is given back: they
        read their file again when they are next asked.
    options
        `series`, `ignore_localizers`, `ignore_derived`, `merge` and `allow`
        are used.

    Returns
    -------
    tuple
        One plan per series, ordered by series number. Problems are data,
        nothing is raised for a bad file.
    """
    options = options or ReadOptions()
    series: dict[SeriesKey, list[Header]] = defaultdict(list)
    paths: dict[str, list[Path]] = defaultdict(list)
    unreadable: list[Problem] = []
    for header in {header.path: header for header in headers}.values():
        try:
            header.prefetch(PLAIN_KEYWORDS)
            series[_series_key(header)].append(header)
            paths[str(header.get("SeriesInstanceUID", ""))].append(header.path)
        except InputError as error:
            unreadable.append(_failed((header.path,), "unreadable-header", error))
    plans = [_plan(group, options, paths) for group in series.values()]
    if unreadable:
        plans.append(SeriesPlan("", None, "", "", (), tuple(unreadable)))
    return tuple(
        sorted(plans, key=lambda plan: (plan.series_number or 0, plan.series_instance_uid))
    )


def _series_key(header: Header) -> SeriesKey:
    uid = header.get("SeriesInstanceUID", "")
    folder = "" if uid else str(header.path.parent)
    return (
        header.get("PatientID"),
        uid,
        header.get("SeriesNumber"),
        folder,
    )


def _plan(
    headers: list[Header], options: ReadOptions, paths: Mapping[str, Sequence[Path]]
) -> SeriesPlan:
    # While the first header is in memory: its file may be gone when it is asked again.
    first = {keyword: headers[0].get(keyword) for keyword in _SERIES_KEYWORDS}
    slices: list[Slice] = []
    components: Components = {}
    problems: list[Problem] = []
    objects: list[ObjectPlan] = []
    for header in headers:
        try:
            problem = _unwanted(header, options)
            if problem is None and find_label_reader(header):
                objects.append(plan_label_object(header, paths))
            elif problem is None:
                slices += slices_of(header, components)
        except InputError as error:
            problem = _failed((header.path,), "unreadable-header", error)
        if problem is not None:
            problems.append(problem)
        header.release()
    kept, dropped = drop_duplicates(slices)
    volumes, failed = plan_volumes(kept, options)
    number = first["SeriesNumber"]
    return SeriesPlan(
        series_instance_uid=str(first["SeriesInstanceUID"] or ""),
        series_number=number if isinstance(number, int) else None,
        description=str(first["SeriesDescription"] or ""),
        modality=str(first["Modality"] or ""),
        volumes=(*volumes, *objects),
        problems=_merged([*problems, *dropped, *failed]),
    )


def _unwanted(header: Header, options: ReadOptions) -> Problem | None:
    """Say why a file is left out before its slices are looked at."""
    if header.get("MediaStorageSOPClassUID") == _DIRECTORY or "DirectoryRecordSequence" in header:
        return _skipped(header, "directory", "a DICOMDIR, an index of other files")
    if options.series and not _is_selected(header, options.series):
        return _skipped(header, "not-selected", "its series was not selected")
    if header.pixel_data is None and not find_label_reader(header):
        return _skipped(header, "no-pixels", f"no image: {_object_name(header)}")
    if options.ignore_localizers and _is_localizer(header):
        return _skipped(header, "localizer", "a localizer")
    if options.ignore_derived and header.texts("ImageType")[:1] == ("DERIVED",):
        return _skipped(header, "derived", "derived from other images")
    return None


def _is_selected(header: Header, wanted: Sequence[str]) -> bool:
    return (
        str(header.get("SeriesNumber", "")) in wanted or header.get("SeriesInstanceUID") in wanted
    )


def _is_localizer(header: Header) -> bool:
    if "LOCALIZER" in header.texts("ImageType"):
        return True
    words = f"{header.get('SeriesDescription', '')} {header.get('ProtocolName', '')}"
    return _LOCALIZER.search(words) is not None


def _object_name(header: Header) -> str:
    modality = header.get("Modality", "")
    return f"an object of modality `{modality}` without pixel data" if modality else "no pixel data"


def _skipped(header: Header, reason: str, message: str) -> Problem:
    return Problem((header.path,), Outcome.SKIPPED, reason, message)


def _failed(paths: tuple[Path, ...], reason: str, error: InputError) -> Problem:
    return Problem(paths, Outcome.FAILED, reason, error.message, error)


def _merged(problems: list[Problem]) -> tuple[Problem, ...]:
    """Join skipped files of one reason, so that a report has one line for them."""
    merged: dict[tuple[object, ...], Problem] = {}
    for number, problem in enumerate(problems):
        key = (
            (problem.reason, problem.message)
            if problem.outcome is Outcome.SKIPPED
            else (problem.reason, number)
        )
        found = merged.get(key)
        paths = problem.paths if found is None else (*found.paths, *problem.paths)
        merged[key] = Problem(
            paths, problem.outcome, problem.reason, problem.message, problem.error
        )
    return tuple(merged.values())
