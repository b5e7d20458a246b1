"""Take out what says nothing: items and overlays without a value, icons without pixels, ...

An empty skeleton makes an object nonconformant, because what stands in it is
required as soon as the item is there; without it nothing is lost.

Source
------
PS3.5 7.5 (sequences); PS3.3 10.8 (SOP instance reference), C.9.2 (overlay plane)
"""

from __future__ import annotations

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, remove

__all__ = ["REFERENCES", "mend_hollow"]

_REFERENCED_CLASS, _REFERENCED_INSTANCE = 0x00081150, 0x00081155
# Sequences of references to single instances, optional or empty where there is none.
REFERENCES = frozenset(
    {
        0x00081110,  # Referenced Study
        0x00081111,  # Referenced Performed Procedure Step
        0x00081120,  # Referenced Patient
        0x00081140,  # Referenced Image
        0x0008114A,  # Referenced Instance
        0x00082112,  # Source Image
    }
)
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_GROUPS = frozenset({_SHARED, _PER_FRAME})
# Items that may be empty: a frame without groups of its own, a history without attributes.
_COUNTED = frozenset({*_GROUPS, 0x04000550})
_ICONS, _PIXEL_DATA = 0x00880200, 0x7FE00010
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)


def mend_hollow(tree: Tree) -> list[Change]:
    """Take out items without any value, items of references that name nothing, empty overlays."""
    return [*_empty_items(tree.dataset), *_empty_overlays(tree.dataset)]


def _empty_items(item: Item) -> list[Change]:
    changes = []
    for element in list(item.elements.values()):
        if not element.items:
            continue
        for child in element.items:
            changes += _empty_items(child)
        kept = [child for child in element.items if not _is_hollow(child)]
        if element.tag == _SHARED:  # one item, whatever it holds
            kept = [child for n, child in enumerate(element.items) if not n or child.elements]
        if len(kept) != len(element.items):
            changes.append(_keep_items(element, kept))
    return changes


def _is_hollow(item: Item) -> bool:
    if item.tag >> 16 & 1 or item.tag in _COUNTED:  # only its owner knows a private sequence
        return False
    if item.parent is not None and item.parent.tag in _GROUPS:  # a group may hold nothing
        return False
    if item.tag == _ICONS:
        pixels = item.get(_PIXEL_DATA)
        return pixels is None or pixels.is_empty
    if item.tag in REFERENCES and not (
        item.text(_REFERENCED_CLASS) or item.text(_REFERENCED_INSTANCE)
    ):
        return True
    return all(element.is_empty for element in item.elements.values())


def _keep_items(element: Element, kept: list[Item]) -> Change:
    gone = len(element.items or ()) - len(kept)
    element.set_items(kept)
    return Change(
        "hollow-item",
        element.path,
        f"{gone} item{'s' * (gone > 1)} that say nothing",
        "removed",
        "an item without values names nothing, and would need them",
        "PS3.5 7.5; PS3.3 10.8",
    )


def _empty_overlays(root: Item) -> list[Change]:
    changes = []
    for group in _OVERLAY_GROUPS:
        plane = [element for tag, element in root.elements.items() if tag >> 16 == group]
        if plane and all(element.is_empty for element in plane):
            changes += [
                remove(
                    element,
                    name="hollow-overlay",
                    before="empty",
                    reason="the overlay plane has no value at all",
                    source="PS3.3 C.9.2",
                )
                for element in plane
            ]
    return changes
