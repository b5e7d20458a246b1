"""Family G, one series: whether its slices make a volume.

A series may hold several volumes (echoes, phases, diffusion directions) and
localizers; positions are compared within one orientation.

Source
------
PS3.3 C.7.6.2 (image plane), C.8.3.1 (spacing between slices)
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from imgconv.core.vectors import dot, normal_of
from imgconv.rules.orientations import group_orientations, is_orthonormal
from imgconv.rules.records import Record, SeriesRecords
from imgconv.rules.relation_hit import RelationHit
from imgconv.rules.stack_trends import find_drift

__all__ = ["check_frames", "check_stack"]

_POSITION, _ORIENTATION, _GAP = "(0020,0032)", "(0020,0037)", "(0018,0088)"
_SAME_PLACE = 1e-3  # mm: below what any scanner writes
_EVEN = 0.01  # relative: 1 % of the spacing is more than rounding
_PARALLEL = 0.01  # mm per mm that a slice may leave the normal


def check_stack(series: SeriesRecords) -> Iterator[RelationHit]:
    """Check positions and orientations of a series (G003 to G010)."""
    images = [r for r in series.records if r.frames == 1 and "LOCALIZER" not in r.image_type]
    placed = [r for r in images if r.is_placed]
    if len(images) < 2 or not placed:
        return
    if len(placed) < len(images):
        odd = next(r for r in images if not r.is_placed)
        message = "an image of the series has no position or orientation, others have"
        yield RelationHit("G006", message, odd.path, _POSITION)
    groups = group_orientations(placed)
    main = max(groups, key=len)
    drifted = find_drift(placed)
    if drifted is not None:
        message = "ImageOrientationPatient drifts through the series"
        # A curved reformat turns by intent.
        severity = "warning" if "DERIVED" in drifted.image_type else ""
        yield RelationHit("G005", message, drifted.path, _ORIENTATION, severity)
    else:
        yield from _check_orientations(groups, main)
    for group in groups:
        if len(group) > 1 and is_orthonormal(group[0].orientation):
            yield from _check_positions(group)
            yield from _check_matrix(group)


def check_frames(records: Sequence[Record], *, doubles_only: bool) -> Iterator[RelationHit]:
    """Check the frames of one image like the images of a series; `path` is their place.

    Frames that `volume` tells apart are compared among themselves only. The gaps of a
    volume are looked at where it has three places or more.
    """
    volumes: dict[str, list[Record]] = {}
    for record in records:
        volumes.setdefault(record.volume, []).append(record)
    for volume in volumes.values():
        for group in group_orientations(volume):
            if len(group) < 2 or not is_orthonormal(group[0].orientation):
                continue
            for hit in _check_positions(group):
                is_double = hit.rule == "G003"
                if is_double or not doubles_only:
                    message = hit.message.replace("images of the series", "frames")
                    severity = "error" if is_double else "warning"
                    yield hit._replace(message=message, severity=severity)


def _check_orientations(groups: list[list[Record]], main: list[Record]) -> Iterator[RelationHit]:
    """Report single strays; several slices of each orientation are a localizer or radial scan."""
    strays = [group for group in groups if group is not main]
    if not strays or len(main) < 2:
        return
    message = "ImageOrientationPatient differs from that of the rest of the series"
    if len(strays) == 1 and len(strays[0]) == 1:
        yield RelationHit("G005", message, strays[0][0].path, _ORIENTATION)
    else:
        yield RelationHit("G005", message, strays[0][0].path, _ORIENTATION, "info")


def _check_positions(group: list[Record]) -> Iterator[RelationHit]:
    normal = normal_of(group[0].orientation)
    along = sorted(((dot(r.position, normal), r) for r in group), key=lambda pair: pair[0])
    places: list[list[tuple[float, Record]]] = []
    for distance, record in along:
        if places and distance - places[-1][0][0] < _SAME_PLACE:
            places[-1].append((distance, record))
        else:
            places.append([(distance, record)])
    yield from _check_duplicates(places)
    if len(places) < 3:
        if len(places) == 2:
            yield from _check_gap(places, [places[1][0][0] - places[0][0][0]])
        return
    distances = [place[0][0] for place in places]
    gaps = [b - a for a, b in pairwise(distances)]
    yield from _check_gaps(places, gaps)
    yield from _check_gap(places, gaps)
    yield from _check_shear(places)


def _check_duplicates(places: list[list[tuple[float, Record]]]) -> Iterator[RelationHit]:
    """Report two images at one place that nothing tells apart.

    Where every place has equally many images, the series has several volumes.
    """
    if len({len(place) for place in places}) == 1 and (len(places) > 1 or len(places[0]) > 2):
        return
    usual = _usual_size(places)
    for place in places:
        if len(place) <= usual and len(places) > 1 and usual > 1:
            continue
        seen: dict[tuple[str, tuple[float, ...]], Record] = {}
        for _distance, record in place:
            key = (record.volume, tuple(round(v, 2) for v in record.position))
            if key in seen and record.sop_instance != seen[key].sop_instance:
                message = "two images of the series have the same position"
                yield RelationHit("G003", message, record.path, _POSITION)
                return
            seen[key] = record


def _usual_size(places: list[list[tuple[float, Record]]]) -> int:
    """Return the most frequent number of images per place, the smaller of two."""
    counts = Counter(len(place) for place in places)
    best = max(counts.values())
    return min(size for size, count in counts.items() if count == best)


def _check_gaps(
    places: list[list[tuple[float, Record]]], gaps: list[float]
) -> Iterator[RelationHit]:
    usual = _usual_gap(gaps)
    tolerance = max(_EVEN * usual, 0.01)
    missing, uneven = None, None
    for number, gap in enumerate(gaps):
        if abs(gap - usual) <= tolerance:
            continue
        times = round(gap / usual)
        path = places[number + 1][0][1].path
        if times >= 2 and abs(gap - times * usual) <= tolerance * times:
            missing = missing or path
        else:
            uneven = uneven or path
    if missing and not uneven:
        message = "a slice is missing: one distance is a multiple of the others"
        yield RelationHit("G008", message, missing, _POSITION)
    if uneven:
        yield RelationHit("G004", "the distances between slices differ", uneven, _POSITION)


def _usual_gap(gaps: list[float]) -> float:
    """Return the most frequent gap, the smaller of two equally frequent ones."""
    counts = Counter(round(gap, 2) for gap in gaps)
    best = max(counts.values())
    chosen = min(gap for gap, count in counts.items() if count == best)
    return min(gaps, key=lambda gap: abs(gap - chosen))


def _check_gap(
    places: list[list[tuple[float, Record]]], gaps: list[float]
) -> Iterator[RelationHit]:
    usual = _usual_gap(gaps)
    tolerance = max(_EVEN * usual, 0.01)
    for place in places:
        record = place[0][1]
        if record.gap is not None and record.gap > 0 and abs(record.gap - usual) > tolerance:
            message = "SpacingBetweenSlices is not the distance of the positions"
            yield RelationHit("G007", message, record.path, _GAP)
            return


def _check_shear(places: list[list[tuple[float, Record]]]) -> Iterator[RelationHit]:
    (start, first), (end, last) = places[0][0], places[-1][0]
    offset = [b - a for a, b in zip(first.position, last.position, strict=True)]
    along = end - start
    sideways = math.sqrt(max(0.0, dot(offset, offset) - along * along))
    if sideways > _PARALLEL * along + 0.01:
        message = "the positions are not along the normal of the slices"
        yield RelationHit("G009", message, first.path, _POSITION)


def _check_matrix(group: list[Record]) -> Iterator[RelationHit]:
    counts = Counter(tuple(round(v, 4) for v in record.matrix) for record in group)
    if len(counts) > 1:
        usual = counts.most_common(1)[0][0]
        odd = next(r for r in group if tuple(round(v, 4) for v in r.matrix) != usual)
        message = "rows, columns or pixel spacing differ within the stack"
        yield RelationHit("G010", message, odd.path, _find_odd_size(odd.matrix, usual))


def _find_odd_size(matrix: tuple[float, ...], usual: tuple[float, ...]) -> str:
    """Return the tag of what differs: Rows, Columns or Pixel Spacing."""
    for tag, mine, theirs in zip(("(0028,0010)", "(0028,0011)"), matrix, usual, strict=False):
        if mine != theirs:
            return tag
    return "(0028,0030)"
