"""Trace masks as polygons along pixel edges, and fill polygons: the two are inverse.

Polygons are arrays (n, 2) of ``(i, j)`` in index space, where pixel (i, j)
reaches from i - 0.5 to i + 0.5; the last vertex is joined to the first. A
pixel is inside if its centre is, by the even-odd rule. A hole is joined to
its outline by a channel of no width, so that it stays a hole for readers that
fill every polygon by itself.

Source: PS3.3 C.8.8.6.1, C.8.8.6.3 (the keyhole technique).
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import InternalError

__all__ = ["fill_polygons", "trace_mask"]

Polygon = NDArray[np.float64]
Vertex = tuple[int, int]

# Directions of travel with the mask on the right: +i, +j, -i, -j.
_STEPS: tuple[Vertex, ...] = ((1, 0), (0, 1), (-1, 0), (0, -1))


def trace_mask(mask: NDArray[np.bool_]) -> list[Polygon]:
    """Return the outlines of a mask ``(j, i)``, holes joined to what they are in.

    Only corners are vertices. Pixels that touch at a corner only are outlined
    separately.
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return []
    top, left = rows[0], columns[0]
    loops = _loops(_edges(mask[top : rows[-1] + 1, left : columns[-1] + 1]))
    outlines = [loop for loop in loops if _area(loop) > 0]
    holes = [loop for loop in loops if _area(loop) < 0]
    shift = np.array([left, top]) - 0.5
    return [polygon + shift for polygon in _join_holes(outlines, holes)]


def fill_polygons(polygons: Iterable[Polygon], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the mask ``(j, i)`` of the pixels that lie in an odd number of polygons."""
    rows, columns = shape
    toggles = np.zeros((rows, columns + 1), dtype=np.int64)
    for polygon in polygons:
        start, stop = polygon, np.roll(polygon, -1, axis=0)
        slanted = start[:, 1] != stop[:, 1]
        _toggle(toggles, start[slanted], stop[slanted])
    inside: NDArray[np.bool_] = (np.cumsum(toggles[:, :columns], axis=1) & 1).astype(bool)
    return inside


def _toggle(toggles: NDArray[np.int64], start: Polygon, stop: Polygon) -> None:
    """Count, for each row, the first pixel behind every edge that crosses its centres."""
    rows, columns = toggles.shape[0], toggles.shape[1] - 1
    upper, lower = np.minimum(start[:, 1], stop[:, 1]), np.maximum(start[:, 1], stop[:, 1])
    first = np.clip(np.ceil(upper), 0, rows).astype(np.int64)
    last = np.clip(np.ceil(lower), 0, rows).astype(np.int64)  # half open: no vertex counts twice
    counts = last - first
    if counts.sum() == 0:
        return
    edge = np.repeat(np.arange(len(start)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    row = first[edge] + offset
    slope = (stop[edge, 0] - start[edge, 0]) / (stop[edge, 1] - start[edge, 1])
    crossing = start[edge, 0] + (row - start[edge, 1]) * slope
    column = np.clip(np.ceil(crossing), 0, columns).astype(np.int64)
    np.add.at(toggles, (row, column), 1)


# --- tracing --------------------------------------------------------------------------------------


def _edges(mask: NDArray[np.bool_]) -> dict[Vertex, list[int]]:
    """Return the directions that leave each vertex, travelling with the mask on the right.

    Vertex (i, j) is the upper left corner of pixel (i, j).
    """
    padded = np.pad(mask, 1).astype(np.int8)
    leaving: dict[Vertex, list[int]] = {}
    down = np.diff(padded, axis=0)[:, 1:-1]  # between row j - 1 and row j
    across = np.diff(padded, axis=1)[1:-1]  # between column i - 1 and column i
    for direction, where, shift in (
        (0, down == 1, (0, 0)),  # an upper edge, travelled to +i
        (2, down == -1, (1, 0)),  # a lower edge, travelled to -i
        (3, across == 1, (0, 1)),  # a left edge, travelled to -j
        (1, across == -1, (0, 0)),  # a right edge, travelled to +j
    ):
        for j, i in np.argwhere(where).tolist():
            leaving.setdefault((i + shift[0], j + shift[1]), []).append(direction)
    return leaving


def _loops(leaving: dict[Vertex, list[int]]) -> list[Polygon]:
    loops = []
    for start in list(leaving):
        while leaving[start]:
            loops.append(_follow(leaving, start))
    return loops


def _follow(leaving: dict[Vertex, list[int]], start: Vertex) -> Polygon:
    """Follow edges until they close, and use them up; return the corners."""
    corners: list[Vertex] = []
    place, direction = start, leaving[start].pop()
    first = direction
    while True:
        step = _STEPS[direction]
        place = (place[0] + step[0], place[1] + step[1])
        if place == start and not _continues(leaving, place, direction, first):
            if direction != first:
                corners.append(place)
            return np.array(corners, dtype=np.float64)
        following = _turn(leaving[place], direction)
        if following != direction:
            corners.append(place)
        direction = following


def _continues(leaving: dict[Vertex, list[int]], place: Vertex, direction: int, first: int) -> bool:
    """Whether the loop passes its start at a corner where two pixels touch, and goes on."""
    right = (direction + 1) % 4
    return first != right and right in leaving[place]


def _turn(choices: list[int], direction: int) -> int:
    """Take the edge that keeps to the same pixel: right first, so that corners do not join."""
    for wanted in ((direction + 1) % 4, direction, (direction + 3) % 4):
        if wanted in choices:
            choices.remove(wanted)
            return wanted
    raise InternalError("an edge of a mask leads nowhere")


def _area(polygon: Polygon) -> float:
    i, j = polygon[:, 0], polygon[:, 1]
    return float(np.sum(i * np.roll(j, -1) - np.roll(i, -1) * j)) / 2


# --- holes ----------------------------------------------------------------------------------------


def _join_holes(outlines: list[Polygon], holes: list[Polygon]) -> list[Polygon]:
    """Join each hole to the smallest outline around it."""
    order = sorted(range(len(outlines)), key=lambda n: _area(outlines[n]))
    joined = list(outlines)
    for hole in holes:
        # The centre of a pixel beside the hole's first vertex is in the outline.
        owner = next(n for n in order if _contains(outlines[n], hole[0]))
        joined[owner] = _with_channel(joined[owner], hole)
    return joined


def _contains(outline: Polygon, vertex: NDArray[np.float64]) -> bool:
    """Whether a vertex of a hole lies in an outline, or on it."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    if (vertex < low).any() or (vertex > high).any():
        return False
    for di, dj in ((0.5, 0.5), (-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5)):
        i, j = vertex[0] + di, vertex[1] + dj
        start, stop = outline, np.roll(outline, -1, axis=0)
        crosses = (start[:, 1] <= j) != (stop[:, 1] <= j)
        if int((crosses & (start[:, 0] > i)).sum()) % 2:
            return True
    return False


def _with_channel(outline: Polygon, hole: Polygon) -> Polygon:
    """Return one polygon: the outline, a channel to the hole, the hole, and back."""
    distances = np.abs(outline[:, None, :] - hole[None, :, :]).sum(axis=2)
    at, entry = np.unravel_index(int(distances.argmin()), distances.shape)
    around = np.roll(hole, -int(entry), axis=0)
    return np.concatenate([outline[: at + 1], around, around[:1], outline[at:]])
