"""Directions of image planes, and images that share one.

Source
------
PS3.3 C.7.6.2.1.1 (image position and orientation)
"""

from __future__ import annotations

from collections.abc import Sequence

from imgconv.core.vectors import dot
from imgconv.rules.geometry import ORIENTATION_TOLERANCE
from imgconv.rules.records import Record

__all__ = ["SAME_DIRECTION", "group_orientations", "is_orthonormal"]

SAME_DIRECTION = 1e-2  # of each direction cosine


def is_orthonormal(values: tuple[float, ...]) -> bool:
    """Whether six numbers are usable as directions of rows and columns."""
    row, column = values[:3], values[3:]
    return (
        abs(dot(row, row) - 1) < 10 * ORIENTATION_TOLERANCE
        and abs(dot(column, column) - 1) < 10 * ORIENTATION_TOLERANCE
        and abs(dot(row, column)) < 10 * ORIENTATION_TOLERANCE
    )


def group_orientations(records: Sequence[Record]) -> list[list[Record]]:
    """Return the images of each orientation, in the order in which they come."""
    groups: list[list[Record]] = []
    for record in records:
        for group in groups:
            first = group[0].orientation
            if all(
                abs(a - b) < SAME_DIRECTION for a, b in zip(first, record.orientation, strict=True)
            ):
                group.append(record)
                break
        else:
            groups.append([record])
    return groups
