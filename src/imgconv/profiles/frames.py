"""Run the rules of profiles about the frames of one file."""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.profiles.model import GroupRule, ProfileRule
from imgconv.rules.instance import Hit
from imgconv.standard.elements import find_tag

__all__ = ["check_frames"]

_PER_FRAME, _FRAMES = 0x52009230, 0x00280008


def check_frames(rule: ProfileRule, group: GroupRule, dataset: Item) -> Iterator[Hit]:
    """Check the number of frames, and what must be the same in the groups of each.

    An attribute that is not in the groups of frames is the same in all.
    """
    count = dataset.integer(_FRAMES) or 1
    if count < group.count_min or (group.count_max is not None and count > group.count_max):
        message = rule.message or "the number of frames is not what the profile allows"
        yield Hit(rule.id, message, dataset.path_to(_FRAMES))
    frames = dataset.items_of(_PER_FRAME)
    for keyword, tolerance in group.same:
        tag = find_tag(keyword) or int(keyword.replace(",", ""), 16)
        found = [_find(frame, tag) for frame in frames]
        first = next((element for element in found if element is not None), None)
        if first is None:
            continue
        for frame, element in zip(frames, found, strict=True):
            if element is None or not _are_alike(first, element, tolerance):
                message = rule.message or f"{keyword} differs among the frames"
                place = element.path if element is not None else frame.path_to(tag)
                yield Hit(rule.id, message, place)
                break


def _find(frame: Item, tag: int) -> Element | None:
    """Return an attribute of the functional groups of a frame."""
    for macro in frame.elements.values():
        for item in macro.items or ():
            element = item.elements.get(tag)
            if element is not None:
                return element
    return None


def _are_alike(a: Element, b: Element, tolerance: float) -> bool:
    if not tolerance:
        return a.values() == b.values()
    ours, theirs = a.item.numbers(a.tag), b.item.numbers(b.tag)
    return len(ours) == len(theirs) and all(
        abs(x - y) <= tolerance for x, y in zip(ours, theirs, strict=True)
    )
