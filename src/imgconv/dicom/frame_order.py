"""Put the images of a series in the order of frames, and say how they are indexed.

Frames are told apart by stack (orientation), by the first attribute that
tells frames at one place apart, and by the place in the stack, in this order.

Source
------
PS3.3 C.7.6.16.2.2 (stacks), C.7.6.17 (dimensions)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgconv.core.vectors import dot, normal_of
from imgconv.dicom.elements import Item
from imgconv.standard.elements import find_tag

__all__ = ["FrameOrder", "find_order"]

_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_INSTANCE_NUMBER = 0x00200013
# What may tell images at one place apart; the more it says about the image, the earlier.
_TELLTALES = tuple(
    find_tag(keyword) or 0
    for keyword in (
        "TemporalPositionIdentifier", "EchoTime", "DiffusionBValue", "TriggerTime",
        "FrameReferenceTime", "AcquisitionNumber", "AcquisitionTime", "InstanceNumber",
    )
)  # fmt: skip
# Millimetres: positions that are closer are the same.
_SAME_PLACE = 1e-2
# Of the mean step: what is called regular may vary by this.
_REGULAR = 1e-2
_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class FrameOrder:
    """Where each frame stands.

    Parameters
    ----------
    order
        Numbers of the images in the order of the frames.
    stacks, places
        Per frame: number of its stack, and its place in it, from 1; empty if
        an image has no position.
    telltale
        Tag of the attribute that tells frames at one place apart; 0 if there
        are none, or nothing does.
    ranks
        Per frame: which of its values, in their order, it has, from 1.
    is_indexed
        Whether stack, place and rank name each frame.
    is_volume
        Whether the frames are one stack with even steps, each place once.
    is_parallel
        Whether all frames have one orientation.
    """

    order: tuple[int, ...]
    stacks: tuple[int, ...]
    places: tuple[int, ...]
    telltale: int
    ranks: tuple[int, ...]
    is_indexed: bool
    is_volume: bool
    is_parallel: bool


def find_order(roots: Sequence[Item]) -> FrameOrder:
    """Find the order of images.

    Parameters
    ----------
    roots
        The attributes of each image.
    """
    stacks, places, is_even = _find_places(roots)
    telltale, ranks = 0, (1,) * len(roots)
    is_indexed = bool(stacks) and len(set(zip(stacks, places, strict=True))) == len(roots)
    if not is_indexed:
        for tag in _TELLTALES:
            found = _rank(roots, tag)
            if found and _tells_apart(found, stacks, places):
                telltale, ranks, is_indexed = tag, found, True
                break
    numbers = [root.number(_INSTANCE_NUMBER) or 0 for root in roots]
    keys = [
        (stack, rank, place, number, index)
        for index, (stack, rank, place, number) in enumerate(
            zip(stacks or ranks, ranks, places or ranks, numbers, strict=True)
        )
    ]
    order = tuple(key[-1] for key in sorted(keys))
    is_one = len(set(stacks)) == 1
    return FrameOrder(
        order,
        tuple(stacks[n] for n in order) if stacks else (),
        tuple(places[n] for n in order) if places else (),
        telltale,
        tuple(ranks[n] for n in order),
        is_indexed,
        is_volume=is_one and is_even and not telltale and is_indexed,
        is_parallel=is_one,
    )


def _tells_apart(ranks: Sequence[int], stacks: Sequence[int], places: Sequence[int]) -> bool:
    keys = set(zip(stacks, places, ranks, strict=True)) if stacks else set(ranks)
    return len(keys) == len(ranks)


def _rank(roots: Sequence[Item], tag: int) -> tuple[int, ...]:
    """Return which of an attribute's values each image has, from 1; empty if one has none."""
    values = [root.number(tag) for root in roots]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return ()
    ranks = {value: rank for rank, value in enumerate(sorted(set(known)), 1)}
    return tuple(ranks[value] for value in known)


def _find_places(roots: Sequence[Item]) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """Return stack and place in it of each image, and whether steps are even."""
    numbers: dict[tuple[float, ...], int] = {}
    stacks, distances = [], []
    for root in roots:
        position, orientation = root.numbers(_POSITION), root.numbers(_ORIENTATION)
        if len(position) != 3 or len(orientation) != 6:
            return (), (), False
        key = tuple(round(value, _DECIMALS) + 0.0 for value in orientation)
        stacks.append(numbers.setdefault(key, len(numbers) + 1))
        distances.append(dot(normal_of(key), position))
    places = [0] * len(roots)
    is_even = True
    for stack in numbers.values():
        members = [n for n, found in enumerate(stacks) if found == stack]
        steps = _number_places(members, distances, places)
        mean = sum(steps) / len(steps) if steps else 0.0
        is_even &= all(abs(step - mean) <= _REGULAR * mean for step in steps)
    return tuple(stacks), tuple(places), is_even


def _number_places(
    members: Sequence[int], distances: Sequence[float], places: list[int]
) -> list[float]:
    """Give each image of a stack its place along the normal; return the steps between them."""
    steps: list[float] = []
    place, last = 0, float("-inf")
    for number in sorted(members, key=lambda n: distances[n]):
        if distances[number] - last > _SAME_PLACE:
            place += 1
            if place > 1:
                steps.append(distances[number] - last)
            last = distances[number]
        places[number] = place
    return steps
