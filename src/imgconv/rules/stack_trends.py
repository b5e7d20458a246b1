"""Family G, one series: what goes wrong little by little along a stack.

Source
------
PS3.3 C.7.6.2.1.1 (orientation), C.7.6.2.1.2 (slice location)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from imgconv.core.vectors import dot, normal_of
from imgconv.rules.orientations import SAME_DIRECTION, group_orientations, is_orthonormal
from imgconv.rules.records import Record, SeriesRecords
from imgconv.rules.relation_hit import RelationHit

__all__ = ["check_locations", "find_drift"]

_LOCATION = "(0020,1041)"
_TURNED = 1e-4  # rad: more than what rounding to six decimals makes
_SMALL_STEP = 0.05  # rad: what a radial or an angulated scan turns by is more
_MOST_TURNED = 0.35  # rad: a stack that turns further is scanned around something
_MOSTLY = 0.7  # of the steps of a stack that drifts turn; blocks of slices do not
# The axis of Slice Location is free: an oblique stack projected onto an axis of the
# patient has steps shorter than the distances, down to 1 / sqrt(3) of them, or longer.
_LEAST_RATIO, _MOST_RATIO = 0.57, 1.75
_ROUNDING = 0.1  # mm
_FEW = 12  # images: one mistake among so few bends the slope over far pairs
_RELATIVE = 0.05  # of the distance of slices


def find_drift(records: Sequence[Record]) -> Record | None:
    """Return the last image of a stack that turns a little with each image, None if it does not.

    The images are in the order of their places along the normal of the first one.
    """
    if len({record.orientation for record in records}) < 3 or not all(
        is_orthonormal(r.orientation) for r in records
    ):
        return None
    normal = normal_of(records[0].orientation)
    ordered = sorted(records, key=lambda record: dot(record.position, normal))
    steps = [_angle(a.orientation, b.orientation) for a, b in pairwise(ordered)]
    turning = [step for step in steps if step > _TURNED]
    total = _angle(ordered[0].orientation, ordered[-1].orientation)
    drifts = (
        len(turning) >= max(2, _MOSTLY * len(steps))
        and max(steps) < _SMALL_STEP
        and max(SAME_DIRECTION, *steps) < total <= _MOST_TURNED
    )
    return ordered[-1] if drifts else None


def _angle(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the larger angle between the rows and the columns of two orientations, in rad."""
    distances = (math.dist(first[:3], second[:3]), math.dist(first[3:], second[3:]))
    return 2 * math.asin(min(1.0, max(distances) / 2))


def check_locations(series: SeriesRecords) -> Iterator[RelationHit]:
    """Check that slice locations follow the positions (G013)."""
    placed = [
        record
        for record in series.records
        if record.frames == 1 and record.location is not None and record.is_placed
    ]
    for group in group_orientations(placed):
        if len(group) > 1 and is_orthonormal(group[0].orientation):
            yield from _check_group(group)


def _check_group(group: list[Record]) -> Iterator[RelationHit]:
    normal = normal_of(group[0].orientation)
    pairs = sorted(
        ((dot(r.position, normal), r.location or 0.0, r) for r in group), key=lambda pair: pair[0]
    )
    gaps = [gap for (a, *_), (b, *_) in pairwise(pairs) if (gap := b - a) > _ROUNDING]
    if not gaps:
        return
    tolerance = _ROUNDING + _RELATIVE * _find_median(gaps)
    points = [(place, location) for place, location, _record in pairs]
    ratio = max(
        _list_ratios(points),
        key=lambda ratio: (
            sum(rest <= tolerance for rest in _find_rests(points, ratio)),
            -abs(abs(ratio) - 1),
        ),
    )
    for (_place, _location, record), rest in zip(pairs, _find_rests(points, ratio), strict=True):
        if rest > tolerance:
            message = "SliceLocation does not follow the positions along the normal"
            yield RelationHit("G013", message, record.path, _LOCATION)
            return
    length = pairs[-1][0] - pairs[0][0]
    if (
        not _LEAST_RATIO * length - tolerance
        <= abs(ratio) * length
        <= (_MOST_RATIO * length + tolerance)
    ):
        message = "the steps of SliceLocation are not the distances of the positions"
        yield RelationHit("G013", message, pairs[0][2].path, _LOCATION)


def _list_ratios(points: list[tuple[float, float]]) -> list[float]:
    """Return how far the location may move per mm: as the place, or as pairs of points say."""
    half = max(1, len(points) // 2)
    far = sorted(_slopes(points, points[half:]))
    near = _slopes(points, points[1:]) if len(points) <= _FEW else []
    return [1.0, -1.0, *far[len(far) // 2 : len(far) // 2 + 1], *near]


def _slopes(
    points: list[tuple[float, float]], later_points: list[tuple[float, float]]
) -> list[float]:
    return [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for earlier, later in zip(points, later_points, strict=False)
        if later[0] - earlier[0] > _ROUNDING
    ]


def _find_rests(points: list[tuple[float, float]], ratio: float) -> list[float]:
    """Return how far each location is from the line of this ratio, in mm."""
    offset = _find_median(location - ratio * place for place, location in points)
    return [abs(location - ratio * place - offset) for place, location in points]


def _find_median(values: Iterable[float]) -> float:
    """Return the median; the module `statistics` takes 4 ms to import."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
