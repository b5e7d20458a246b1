"""Family G, one multi-frame image: whether its frames make a volume (G011).

A stack is what has one orientation; frames that another functional group, a time or
a dimension other than the position tells apart are volumes of their own. Frames of
segmentations may be left out, so that only their doubles are looked for.

Source
------
PS3.3 C.7.6.16.2 (plane and frame content macros), C.7.6.17 (dimensions)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.records import Record
from imgconv.rules.stacks import check_frames

__all__ = ["check_frame_stacks"]

_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_PLANE_POSITION, _POSITION = 0x00209113, 0x00200032
_PLANE_ORIENTATION, _ORIENTATION = 0x00209116, 0x00200037
_FRAME_CONTENT, _INDEX_VALUES = 0x00209111, 0x00209157
_INDEXES, _INDEX_POINTER = 0x00209222, 0x00209165
# What follows the position: Image Position, In-Stack Position Number.
_PLACES = frozenset({0x00200032, 0x00209057})
# Derivation, source images and what frames were converted from differ whatever the frames are.
_UNTELLING = frozenset(
    {_PLANE_POSITION, _FRAME_CONTENT, 0x00089124, 0x00209171, 0x00209172, 0x00081140}
)
_SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
_MOST_FRAMES = 20000  # what is beyond has its positions in few patterns


def check_frame_stacks(instance: Instance) -> Iterator[Hit]:
    """Check positions of the frames of one image (G011)."""
    dataset = instance.dataset
    frames = dataset.items_of(_PER_FRAME)
    if not 2 <= len(frames) <= _MOST_FRAMES or instance.is_truncated:
        return
    shared = next(iter(dataset.items_of(_SHARED)), None)
    turned = _numbers(shared, _PLANE_ORIENTATION, _ORIENTATION) if shared is not None else ()
    telling = [
        number
        for number, item in enumerate(dataset.items_of(_INDEXES))
        if not _PLACES.intersection(_values(item, _INDEX_POINTER))
    ]
    records = []
    for frame in frames:
        position = _numbers(frame, _PLANE_POSITION, _POSITION)
        orientation = _numbers(frame, _PLANE_ORIENTATION, _ORIENTATION) or turned
        if len(position) != 3 or len(orientation) != 6:
            return
        place = frame.items_of(_PLANE_POSITION)[0].path_to(_POSITION)
        records.append(_record(place, position, orientation, _tell_apart(frame, telling)))
    doubles_only = instance.sop_class == _SEGMENTATION
    for hit in check_frames(records, doubles_only=doubles_only):
        yield Hit("G011", hit.message, hit.path, severity=hit.severity)


def _values(item: Item, tag: int) -> tuple[object, ...]:
    element = item.get(tag)
    return () if element is None else tuple(element.values())


def _numbers(group: Item, macro: int, tag: int) -> tuple[float, ...]:
    items = group.items_of(macro)
    return items[0].numbers(tag) if items else ()


def _tell_apart(frame: Item, telling: list[int]) -> str:
    """Return what tells the volume of a frame: its other groups, its other dimensions."""
    parts = [
        f"{element.tag}={element.values()}"
        for macro in frame.elements.values()
        if macro.tag not in _UNTELLING
        for item in macro.items or ()
        for element in item.walk()
        if element.items is None and element.fragments is None
    ]
    for content in frame.items_of(_FRAME_CONTENT):
        values = _values(content, _INDEX_VALUES)
        parts.extend(str(values[number]) for number in telling if number < len(values))
        parts.append(content.text(0x00209128) + "/" + content.text(0x00209156))
    return "\x1f".join(parts)


def _record(
    place: str, position: tuple[float, ...], orientation: tuple[float, ...], volume: str
) -> Record:
    return Record(
        path=place,
        sop_class="",
        sop_instance=place,
        series="",
        study="",
        patient="",
        number="",
        position=position,
        orientation=orientation,
        volume=volume,
    )
