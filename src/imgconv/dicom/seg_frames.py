"""Where each frame of a Segmentation is, and which segment it shows.

Source: PS3.3 A.51.5, C.7.6.16.2, C.8.20.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imgconv.core.geometry import Geometry
from imgconv.dicom import seg_private as private
from imgconv.dicom.header import Header
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["Layout", "read_layout"]

_TOLERANCE = 1e-2  # millimetres between positions that are meant to be the same
_EVEN = 1e-2  # of a step: how far slices may be from even spacing
_MAX_SLICES = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The grid of a Segmentation and its frames.

    Parameters
    ----------
    geometry
        None if the frames have no position.
    slices
        How many there are, with those that no frame shows.
    places
        (frame, segment number or 0, slice), in the order of the frames.
    is_partial
        Whether slices before the first or after the last frame may be missing.
    """

    geometry: Geometry | None
    slices: int
    places: tuple[tuple[int, int, int], ...]
    is_partial: bool = False


def read_layout(header: Header, frame_count: int) -> Layout:
    """Return where the frames are.

    Raises
    ------
    CorruptData
        Functional groups are missing, or contradict each other.
    UnsupportedData
        Frames of several orientations or spacings.
    """
    shared = (header.items("SharedFunctionalGroupsSequence") or (None,))[0]
    frames = header.items("PerFrameFunctionalGroupsSequence")
    if len(frames) != frame_count:
        raise CorruptData(f"{len(frames)} per-frame functional groups for {frame_count} frames")
    numbers = [_segment_number(frame, shared) for frame in frames]
    positions = [_position(frame, shared) for frame in frames]
    if any(position is None for position in positions):
        return _without_positions(numbers, [_stack_place(frame) for frame in frames])
    origins = np.array(positions)
    rows, spacing, between = _plane(frames, shared)
    normal = np.cross(rows[:3], rows[3:])
    hint = header.private(private.GROUP, private.CREATOR, private.SLICE_ORIGINS, vr="FD")
    every = _known_origins(hint, origins)
    is_partial = every is None
    if every is None:
        every = _fill_gaps(origins, normal, between)
    places = _places(origins, every)
    geometry = _geometry(every, rows, spacing, normal, str(header.get("FrameOfReferenceUID", "")))
    numbered = tuple((n, numbers[n], int(place)) for n, place in enumerate(places))
    return Layout(geometry, len(every), numbered, is_partial)


def _group(frame: Header, shared: Header | None, keyword: str) -> Header | None:
    found = frame.items(keyword) or (() if shared is None else shared.items(keyword))
    return found[0] if found else None


def _segment_number(frame: Header, shared: Header | None) -> int:
    group = _group(frame, shared, "SegmentIdentificationSequence")
    number = None if group is None else group.get("ReferencedSegmentNumber")
    return number if isinstance(number, int) else 0


def _position(frame: Header, shared: Header | None) -> tuple[float, ...] | None:
    group = _group(frame, shared, "PlanePositionSequence")
    position = () if group is None else group.numbers("ImagePositionPatient")
    return position if len(position) == 3 and np.isfinite(position).all() else None


def _stack_place(frame: Header) -> int:
    """Return the In-Stack Position Number, 0 if there is none."""
    content = frame.items("FrameContentSequence")
    place = content[0].get("InStackPositionNumber") if content else None
    return place if isinstance(place, int) and 0 < place <= _MAX_SLICES else 0


def _without_positions(numbers: list[int], stack: list[int]) -> Layout:
    """Return a layout by places in a stack, else by the order of each segment's frames."""
    seen: dict[int, int] = {}
    places = []
    for n, number in enumerate(numbers):
        place = seen.get(number, 0)
        places.append((n, number, stack[n] - 1 if all(stack) else place))
        seen[number] = place + 1
    return Layout(None, max(k for _, _, k in places) + 1, tuple(places))


def _plane(
    frames: tuple[Header, ...], shared: Header | None
) -> tuple[NDArray[np.float64], tuple[float, float], float]:
    """Return orientation, spacing of rows and columns, and between slices (0: unknown)."""
    orientations, spacings, between = set(), set(), 0.0
    for frame in frames:
        orientation = _group(frame, shared, "PlaneOrientationSequence")
        measures = _group(frame, shared, "PixelMeasuresSequence")
        if orientation is None or measures is None:
            raise CorruptData("a frame has no orientation or no pixel measures")
        orientations.add(orientation.numbers("ImageOrientationPatient"))
        spacings.add(measures.numbers("PixelSpacing"))
        gap = measures.numbers("SpacingBetweenSlices") or measures.numbers("SliceThickness")
        between = between or (gap[0] if gap else 0.0)
    if len(orientations) > 1 or len(spacings) > 1:
        raise UnsupportedData("frames of several orientations or spacings are not read")
    rows, spacing = np.array(orientations.pop()), spacings.pop()
    if rows.shape != (6,) or len(spacing) != 2 or min(spacing) <= 0:
        raise CorruptData("orientation or spacing of the frames is none")
    return rows, (spacing[0], spacing[1]), abs(between)


def _known_origins(hint: object, origins: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the slices that the writer has noted, if they agree with the frames."""
    if not isinstance(hint, tuple) or len(hint) % 3 or len(hint) > 3 * _MAX_SLICES:
        return None
    every = np.array(hint, dtype=np.float64).reshape(-1, 3)
    distances = np.abs(origins[:, None, :] - every[None, :, :]).max(axis=2).min(axis=1)
    return every if distances.max() < _TOLERANCE else None


def _fill_gaps(
    origins: NDArray[np.float64], normal: NDArray[np.float64], between: float
) -> NDArray[np.float64]:
    """Return the origins of all slices from the first frame to the last, along the normal."""
    along = origins @ normal
    order = np.argsort(along, kind="stable")
    keep = [order[0]]
    for n in order[1:]:
        if along[n] - along[keep[-1]] > _TOLERANCE:
            keep.append(n)
    distinct = origins[keep]
    if len(distinct) == 1:
        return distinct
    gaps = np.diff(along[keep])
    for step in (between, float(gaps.min())):
        if step <= 0:
            continue
        counts = np.rint(gaps / step)
        if (counts >= 1).all() and (np.abs(gaps - counts * step) < _EVEN * step + _TOLERANCE).all():
            total = int(counts.sum())
            if total >= _MAX_SLICES:
                raise CorruptData(f"the frames span `{total}` slices")
            return np.linspace(distinct[0], distinct[-1], total + 1)
    return distinct


def _places(origins: NDArray[np.float64], every: NDArray[np.float64]) -> NDArray[np.intp]:
    distances: NDArray[np.float64] = np.abs(origins[:, None, :] - every[None, :, :]).max(axis=2)
    nearest: NDArray[np.intp] = distances.argmin(axis=1)
    return nearest


def _geometry(
    every: NDArray[np.float64],
    rows: NDArray[np.float64],
    spacing: tuple[float, float],
    normal: NDArray[np.float64],
    frame_of_reference_uid: str,
) -> Geometry:
    count = len(every)
    step = (every[-1] - every[0]) / (count - 1) if count > 1 else normal
    affine = np.eye(4)
    affine[:3, 0] = rows[:3] * spacing[1]
    affine[:3, 1] = rows[3:] * spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = every[0]
    even = every[0] + np.arange(count)[:, None] * step
    is_even = bool(np.abs(even - every).max() < _EVEN * float(np.linalg.norm(step)) + 1e-6)
    return Geometry(affine, frame_of_reference_uid, None if is_even else every)
