"""The data sets whose patient, study and frame of reference an output takes over.

One series is chosen: the only one, or the only one on the image's grid. Its
instances are known by position, so that each slice can name its source.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imgconv.core.geometry import Geometry
from imgconv.dicom.foreign import PYDICOM_ERRORS
from imgconv.errors import CorruptData, UsageError
from imgconv.records import record

__all__ = ["Grid", "Plane", "Reference", "find_flips", "nearest_plane", "read_references"]

_TOLERANCE = 1e-2  # millimetres: DICOM positions are rounded, slices are further apart
_MAX_FILES = 100_000
_PIXEL_GROUP = 0x7FE0
_UID_TEXT = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")  # PS3.5 9.1


@record(eq=False)
class Plane:
    """One plane of a reference: an instance, or a frame of one (counted from 1, else 0)."""

    sop_class_uid: str
    sop_instance_uid: str
    frame: int
    position: NDArray[np.float64]


@record(eq=False)
class Grid:
    """Planes of one size, orientation and spacing."""

    columns: int
    rows: int
    orientation: NDArray[np.float64]
    spacing: tuple[float, float]  # between rows, between columns
    planes: tuple[Plane, ...]


@record(eq=False)
class Reference:
    """One series to refer to.

    `shared` holds what is equal in all of its instances, at the top level;
    `grids` has one entry per size, orientation and spacing of its planes.
    """

    path: Path
    shared: Dataset
    series_instance_uid: str
    study_instance_uid: str
    instances: tuple[tuple[str, str], ...]  # SOP class, SOP instance
    grids: tuple[Grid, ...]

    @property
    def grid(self) -> Grid | None:
        """The only grid, None if there is none, or more than one."""
        return self.grids[0] if len(self.grids) == 1 else None

    @property
    def patient_id(self) -> str:
        """The Patient ID, for comparison only."""
        return str(self.shared.get("PatientID", "") or "").strip()


def read_references(paths: Iterable[Path]) -> tuple[Reference, ...]:
    """Read the series below `paths`.

    Raises
    ------
    CorruptData
        A named file is no DICOM file, or a folder holds none.
    UsageError
        The data sets belong to more than one patient or study.
    """
    stamps = tuple(_stamps(paths))
    return _read_stamped(stamps)


def _stamps(paths: Iterable[Path]) -> Iterator[tuple[str, bool, int, int]]:
    """Yield each file with what tells whether it has changed: the result is kept by it."""
    for root in paths:
        try:
            members = (
                sorted(path for path in root.rglob("*") if path.is_file())
                if root.is_dir()
                else [root]
            )
            if len(members) > _MAX_FILES:
                raise UsageError(
                    f"the reference has {len(members)} files; expected one series", path=root
                )
            for path in members:
                status = path.stat()
                yield str(path), path == root, status.st_mtime_ns, status.st_size
        except OSError as error:
            raise CorruptData("the reference cannot be read", path=root) from error


@lru_cache(maxsize=4)
def _read_stamped(stamps: tuple[tuple[str, bool, int, int], ...]) -> tuple[Reference, ...]:
    # What pydicom has to say about a vendor's values is not about the image that is converted.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _read_series(stamps)


def _read_series(stamps: tuple[tuple[str, bool, int, int], ...]) -> tuple[Reference, ...]:
    series: dict[str, list[Dataset]] = {}
    first: dict[str, Path] = {}
    for name, is_named, _, _ in stamps:
        dataset = _read_header(Path(name), required=is_named)
        if dataset is not None:
            uid = _uid(dataset, "SeriesInstanceUID")
            series.setdefault(uid, []).append(dataset)
            first.setdefault(uid, Path(name))
    if not series:
        path = Path(stamps[0][0]).parent if stamps else None
        raise CorruptData("the reference holds no DICOM file", path=path)
    found = tuple(_make(first[uid], members) for uid, members in series.items())
    _require_one(found, "patient", {reference.patient_id for reference in found})
    _require_one(found, "study", {reference.study_instance_uid for reference in found})
    return found


def _read_header(path: Path, *, required: bool) -> Dataset | None:
    try:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        usable = bool(_uid(dataset, "SOPInstanceUID") and _uid(dataset, "StudyInstanceUID"))
    except PYDICOM_ERRORS:
        usable = False
    if usable:
        return dataset
    if required:
        raise CorruptData(
            "the reference is not a DICOM file with study and instance UIDs", path=path
        )
    return None


def _uid(dataset: Dataset, keyword: str) -> str:
    """Return a UID, empty if there is none or it cannot be read."""
    try:
        value = str(dataset.get(keyword) or "")
    except PYDICOM_ERRORS:
        return ""
    return value if _UID_TEXT.fullmatch(value) and len(value) <= 64 else ""


def _require_one(found: tuple[Reference, ...], what: str, values: set[str]) -> None:
    if len(values) > 1:
        raise UsageError(
            f"the reference holds {len(values)} {'patients' if what == 'patient' else 'studies'}; "
            f"expected one {what}",
            path=found[0].path.parent,
        )


def _make(path: Path, members: list[Dataset]) -> Reference:
    first = members[0]
    shared = Dataset()
    shared.update(_equal_elements(members))
    return Reference(
        path,
        shared,
        _uid(first, "SeriesInstanceUID"),
        _uid(first, "StudyInstanceUID"),
        tuple((_uid(m, "SOPClassUID"), _uid(m, "SOPInstanceUID")) for m in members),
        _find_grids(members),
    )


def _equal_elements(members: list[Dataset]) -> Mapping[Any, Any]:
    """Return the public elements that all have, with the same raw value, and that can be read."""
    first = members[0]
    kept = {}
    for tag in list(first.keys()):
        if tag.is_private or tag.group in (0x0002, _PIXEL_GROUP):
            continue
        try:
            if not all(_is_same(member, first, tag) for member in members[1:]):
                continue
            element = first[tag]
            Dataset({tag: element}).decode()
            _touch(element)
        except PYDICOM_ERRORS:
            continue
        kept[tag] = element
    return kept


def _is_same(member: Dataset, first: Dataset, tag: Any) -> bool:
    return tag in member and bool(member.get_item(tag).value == first.get_item(tag).value)


def _touch(element: Any) -> None:
    """Convert a value and what is nested in it now, while errors are expected."""
    if element.VR == "SQ":
        for item in element.value:
            for inner in item:
                _touch(inner)


def _find_grids(members: list[Dataset]) -> tuple[Grid, ...]:
    """Return the grids of planes that have a position; none if one has not."""
    found: dict[Any, list[Plane]] = {}
    exact: dict[Any, Any] = {}
    try:
        for member in members:
            for plane, (columns, rows, orientation, spacing) in _iter_planes(member):
                # Vendors write the last digits of one orientation differently from slice to slice.
                key = (columns, rows, tuple(round(value, 5) for value in orientation), spacing)
                found.setdefault(key, []).append(plane)
                exact.setdefault(key, orientation)
    except PYDICOM_ERRORS:
        return ()
    return tuple(
        Grid(key[0], key[1], np.array(exact[key]), key[3], tuple(planes))
        for key, planes in found.items()
    )


def _iter_planes(dataset: Dataset) -> Iterator[tuple[Plane, Any]]:
    size = int(dataset.Columns), int(dataset.Rows)
    uids = _uid(dataset, "SOPClassUID"), _uid(dataset, "SOPInstanceUID")
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        position = np.array(dataset.ImagePositionPatient, dtype=np.float64)
        yield Plane(*uids, 0, position), (*size, *_plane_key(dataset, dataset))
        return
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for number, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence, start=1):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, dtype=np.float64)
        orientation = _group(frame, shared, "PlaneOrientationSequence")
        measures = _group(frame, shared, "PixelMeasuresSequence")
        yield Plane(*uids, number, position), (*size, *_plane_key(orientation, measures))


def _group(frame: Dataset, shared: Dataset, keyword: str) -> Dataset:
    item: Dataset = (frame if keyword in frame else shared)[keyword].value[0]
    return item


def _plane_key(orientation: Dataset, measures: Dataset) -> tuple[Any, Any]:
    return (
        tuple(float(value) for value in orientation.ImageOrientationPatient),
        (float(measures.PixelSpacing[0]), float(measures.PixelSpacing[1])),
    )


def find_flips(
    geometry: Geometry, size_ijk: tuple[int, int, int], grid: Grid
) -> tuple[bool, bool] | None:
    """Return which of i, j to reverse for the image to lie on `grid`; None if none will do.

    Every slice must coincide with a plane of the grid within 0.01 mm. Planes
    may be left over.
    """
    if size_ijk[:2] != (grid.columns, grid.rows):
        return None
    positions = np.array([plane.position for plane in grid.planes])
    for flips in ((False, False), (False, True), (True, False), (True, True)):
        candidate = geometry
        for axis, flipped in enumerate(flips):
            if flipped:
                candidate = candidate.flipped(axis, size_ijk[axis])
        if _lies_on(candidate, size_ijk, grid, positions):
            return flips
    return None


def _lies_on(
    geometry: Geometry,
    size_ijk: tuple[int, int, int],
    grid: Grid,
    positions: NDArray[np.float64],
) -> bool:
    steps = np.stack(
        [grid.orientation[:3] * grid.spacing[1], grid.orientation[3:] * grid.spacing[0]], axis=1
    )
    # The error of a step grows to the far corner.
    corner = np.abs(geometry.affine[:3, :2] - steps) @ np.array(size_ijk[:2], dtype=np.float64)
    if corner.max() > 10 * _TOLERANCE:
        return False
    slices = geometry.slice_origins(size_ijk[2])
    nearest = np.abs(slices[:, None, :] - positions[None, :, :]).max(axis=2).min(axis=1)
    return bool(nearest.max() < _TOLERANCE)


def nearest_plane(grid: Grid, position: NDArray[np.float64]) -> Plane | None:
    """Return the plane at `position` (LPS, millimetres), None if there is none."""
    distances = [float(np.abs(plane.position - position).max()) for plane in grid.planes]
    best = int(np.argmin(distances))
    return grid.planes[best] if distances[best] < _TOLERANCE else None
