"""Assign slices that repeat at the same locations to the volumes of a 4D series.

Each location is seen once per volume. Which volume a slice belongs to is
told by those attributes whose values repeat alike at all locations
(dimension indices, temporal position, b-value and direction, trigger time
...); where these do not suffice, the scanner's numbering decides.

Source
------
PS3.3 C.7.6.17 (dimensions), C.8.3.1 (MR image), C.8.13.5.9 (diffusion)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import fields
from typing import Any

from imgconv.dicom.positions import Locations
from imgconv.dicom.slices import Slice, Timing
from imgconv.records import record

__all__ = ["Grid", "arrange"]

# The attributes that repeat alike, and the rank among slices that share them.
VolumeName = tuple[tuple[Hashable, ...], int]

_NAMES = tuple(field.name for field in fields(Timing) if field.name != "dimensions")


@record
class Grid:
    """Slices by volume and location.

    Parameters
    ----------
    volumes
        Complete volumes, ``[t][k]``.
    incomplete
        Volumes where some locations have no slice; these are missing.
    first_missing
        Number of the first incomplete volume, and of the first location that
        it lacks; both from 0.
    """

    volumes: tuple[tuple[Slice, ...], ...]
    incomplete: tuple[tuple[Slice, ...], ...]
    first_missing: tuple[int, int] = (0, 0)

    @property
    def missing_count(self) -> int:
        """How many slices the incomplete volumes lack; 0 if nothing is complete."""
        length = len(self.volumes[0]) if self.volumes else 0
        return sum(max(0, length - len(volume)) for volume in self.incomplete)


def arrange(slices: Sequence[Slice], locations: Locations) -> Grid:
    """Return the slices as a grid of volumes and locations.

    Parameters
    ----------
    slices
        All of one kind and orientation.
    locations
        Where they are.
    """
    where = locations.index.tolist()
    if len(slices) == locations.count:
        ordered = sorted(range(len(slices)), key=where.__getitem__)
        return Grid((tuple(slices[n] for n in ordered),), ())
    dimensions = _dimensions(slices, where)
    identities = _identities(slices, where, dimensions)
    volumes: dict[VolumeName, dict[int, Slice]] = defaultdict(dict)
    orders: dict[VolumeName, tuple[Any, ...]] = {}
    numbered = sorted(range(len(slices)), key=lambda n: slices[n].order)
    ranks: Counter[Hashable] = Counter()
    for n in numbered:
        place = (where[n], identities[n])
        name = (identities[n], ranks[place])
        volumes[name][where[n]] = slices[n]
        orders.setdefault(name, _volume_order(slices[n], dimensions[n]))
        ranks[place] += 1
    complete: list[tuple[Slice, ...]] = []
    incomplete: list[tuple[Slice, ...]] = []
    first_missing = (0, 0)
    for number, name in enumerate(sorted(volumes, key=orders.__getitem__)):
        volume = volumes[name]
        row = tuple(volume[k] for k in sorted(volume))
        if len(row) == locations.count:
            complete.append(row)
            continue
        if not incomplete:
            first_missing = (number, min(set(range(locations.count)) - set(volume)))
        incomplete.append(row)
    return Grid(tuple(complete), tuple(incomplete), first_missing)


def _volume_order(first: Slice, dimensions: tuple[int, ...]) -> tuple[Any, ...]:
    """Sort by file and dimension indices, the last dimension slowest, else as numbered."""
    if dimensions:
        return (first.timing.file or 0, tuple(reversed(dimensions)), first.order)
    return (0, (), first.order)


def _dimensions(slices: Sequence[Slice], where: list[int]) -> list[tuple[int, ...]]:
    """Return those dimension indices of each slice that repeat alike at all locations."""
    found = [item.timing.dimensions for item in slices]
    lengths = {len(values) for values in found if values is not None}
    if None in found or len(lengths) != 1:
        return [()] * len(slices)
    columns = [column for column in zip(*found, strict=True) if _repeats_alike(column, where)]
    return list(zip(*columns, strict=True)) if columns else [()] * len(slices)


def _identities(
    slices: Sequence[Slice], where: list[int], dimensions: list[tuple[int, ...]]
) -> list[tuple[Hashable, ...]]:
    columns: list[Sequence[Hashable]] = [dimensions]
    for name in _NAMES:
        values = [getattr(item.timing, name) for item in slices]
        if len(set(values)) > 1 and _repeats_alike(values, where):
            columns.append(values)
    return list(zip(*columns, strict=True))


def _repeats_alike(values: Sequence[Hashable], where: list[int]) -> bool:
    """Whether most locations have the same values equally often, and the others part of them."""
    by_place: dict[int, Counter[Hashable]] = defaultdict(Counter)
    for value, place in zip(values, where, strict=True):
        by_place[place][value] += 1
    groups = Counter(frozenset(counter.items()) for counter in by_place.values())
    usual, count = groups.most_common(1)[0]
    if 2 * count <= len(by_place) and len(groups) > 1:
        return False
    expected = Counter(dict(usual))
    return all(counter <= expected for counter in by_place.values())
