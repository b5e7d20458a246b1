"""Which labels an image has, where, and which segment each becomes.

A label map is an integer image; segments that overlap lie in different
layers, the volumes of a 4D image. The segments of a BINARY or FRACTIONAL
object are numbered 1, 2, 3 ... as the standard demands; a label of another
number is kept in a private attribute, so that it comes back.

Source: PS3.3 C.8.20.2.3, C.8.20.2.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image, Segment
from imgconv.core.loss import Loss
from imgconv.core.options import WriteOptions
from imgconv.core.segments import SegmentTable, find_segment_table, read_segments
from imgconv.dicom.segment_codes import TISSUE, with_codes
from imgconv.errors import UnsupportedData

__all__ = ["Label", "Labels", "describe_labels", "find_labels"]

_MAX_LABEL = 65535  # Segment Number is US; PS3.3 C.8.20.2
_SHOWN = 8  # label numbers in a message


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of an image.

    Parameters
    ----------
    present
        (layer, number) -> the slices that have it, in order.
    overlapping
        Whether two layers share a voxel.
    """

    present: Mapping[tuple[int, int], tuple[int, ...]]
    overlapping: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A segment with the number that it gets in the object."""

    segment: Segment
    segment_number: int


def find_labels(image: Image) -> Labels:
    """Return the labels of an integer image.

    Raises
    ------
    UnsupportedData
        Colour, fractions, negative numbers, or numbers beyond 65535.
    """
    if "c" in image.axes:
        raise UnsupportedData(
            "a label map has one sample per voxel; the image has colour",
            hint="save the mask as gray, one number per label",
        )
    present: dict[tuple[int, int], list[int]] = {}
    taken: list[NDArray[np.bool_]] | None = [] if image.volume_count > 1 else None
    overlapping = False
    for layer, volume in enumerate(image.iter_volumes()):
        for k, plane in enumerate(volume):
            for number in _numbers(plane):
                present.setdefault((layer, number), []).append(k)
            if taken is not None:
                inside = plane != 0
                if layer == 0:
                    taken.append(inside)
                else:
                    overlapping = overlapping or bool((taken[k] & inside).any())
                    taken[k] |= inside
    return Labels({key: tuple(present[key]) for key in sorted(present)}, overlapping)


def _numbers(plane: NDArray[Any]) -> list[int]:
    """Return the labels of a slice, without 0."""
    low, high = plane.min(), plane.max()
    if low < 0 or high > _MAX_LABEL:
        raise UnsupportedData(f"a label is not within 0 to {_MAX_LABEL}")
    if plane.dtype.kind == "f":
        whole = plane.astype(np.uint16) if np.isfinite(plane).all() else None
        if whole is None or not np.array_equal(whole, plane):
            raise UnsupportedData(
                "the image has fractions, a label map has integers",
                hint="write probabilities by `--as segmentation-fractional`",
            )
        plane = whole
    return [int(number) for number in np.flatnonzero(np.bincount(plane.ravel())) if number != 0]


def describe_labels(
    image: Image, keys: Iterable[tuple[int, int]], options: WriteOptions, *, consecutive: bool
) -> tuple[tuple[Label, ...], SegmentTable, tuple[Loss, ...]]:
    """Return the segment of each label, and what had to be assumed.

    Parameters
    ----------
    keys
        (layer, number) of the labels that are there.
    options
        ``extra["dicom"]["segments"]`` is the file of a description; else the
        image's own segments serve, or ``<image>.segments.json`` beside it.
    consecutive
        Whether segments must be numbered from 1 without gaps.

    Raises
    ------
    CorruptData
        The description cannot be read.
    """
    table = _table(image, options)
    keys = tuple(keys)
    placed = _place(table.segments, image.volume_count, keys)
    described = {(s.layer, s.number): s for s in placed}
    missing = [key for key in keys if key not in described]
    losses = list(_missing_losses(missing, named=bool(described)))
    whole = {**described, **{key: _unnamed(*key) for key in missing}}
    segments = [with_codes(whole[key]) for key in sorted(whole)]
    losses += _coding_losses(segments)
    return tuple(_number(segments, consecutive=consecutive)), table, tuple(losses)


def _table(image: Image, options: WriteOptions) -> SegmentTable:
    path = options.of("dicom").get("segments")
    if path:
        return read_segments(Path(path))
    beside = find_segment_table(image.sources[0].path) if image.sources else None
    if not image.segments and beside is not None:
        return read_segments(beside)
    return SegmentTable(image.segments)


def _place(
    segments: tuple[Segment, ...], layers: int, keys: tuple[tuple[int, int], ...]
) -> Iterator[Segment]:
    """Put described segments into the layers that the image has.

    Where each layer is a mask of its own (0 and 1, or fractions) and the
    description knows no layers, number n means the n-th layer; other numbers
    mean the one layer that has them. A description of more layers than the
    image has goes into the first.
    """
    is_flat = all(segment.layer == 0 for segment in segments)
    if layers > 1 and is_flat and all(number == 1 for _, number in keys):
        for segment in segments:
            yield replace(segment, number=1, layer=segment.number - 1)
        return
    for segment in segments:
        found = [layer for layer, number in keys if number == segment.number]
        if is_flat and len(found) == 1:
            yield replace(segment, layer=found[0])
        else:
            yield segment if segment.layer < layers else replace(segment, layer=0)


def _unnamed(layer: int, number: int) -> Segment:
    return Segment(number, f"Segment {number}", layer=layer)


def _missing_losses(missing: list[tuple[int, int]], *, named: bool) -> Iterator[Loss]:
    if not missing:
        return
    shown = ", ".join(str(number) for _, number in missing[:_SHOWN])
    if len(missing) > _SHOWN:
        shown += f" and {len(missing) - _SHOWN} more"
    if named:
        yield Loss("unnamed-labels", f"the segment table does not describe label {shown}", True)
    else:
        yield Loss(
            "unnamed-segments",
            f"nothing names label {shown}: `Segment n` is written; `--segments` names it",
            harmful=False,
        )


def _coding_losses(segments: list[Segment]) -> Iterator[Loss]:
    uncoded = [segment for segment in segments if segment.type is None]
    if uncoded:
        yield Loss(
            "assumed-codes",
            f"no code is known for {_counted(len(uncoded))}: `{TISSUE[2]}` is written",
            harmful=False,
        )
    if any(not segment.algorithm_type for segment in segments):
        yield Loss(
            "assumed-algorithm",
            "nothing tells how the segments were made: AUTOMATIC by `unknown` is written",
            harmful=False,
        )


def _counted(count: int) -> str:
    return "1 segment" if count == 1 else f"{count} segments"


def _number(segments: list[Segment], *, consecutive: bool) -> Iterator[Label]:
    numbers = [segment.number for segment in segments]
    keeps = len(set(numbers)) == len(numbers) and (
        not consecutive or sorted(numbers) == list(range(1, len(numbers) + 1))
    )
    for place, segment in enumerate(segments, start=1):
        yield Label(segment, segment.number if keeps else place)
