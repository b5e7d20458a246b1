"""Family M: content items of structured reports against value type, parent and SOP class (M018).

Source
------
PS3.3 A.35 (value types and relationships per SOP class), C.17.3 (content), C.18.6 and C.18.9
(coordinates)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance

__all__ = ["check_content"]

_CONTENT, _VALUE_TYPE, _RELATIONSHIP = 0x0040A730, 0x0040A040, 0x0040A010
_REFERENCED_ITEM = 0x0040DB73
_GRAPHIC_TYPE, _GRAPHIC_DATA = 0x00700023, 0x00700022
_REPORTS = "1.2.840.10008.5.1.4.1.1.88."
_MEASURED = frozenset({"NUM", "SCOORD", "SCOORD3D", "TCOORD", "TABLE"})
# SOP class -> value types that it has not.
_EXCLUDED = {
    _REPORTS + "11": _MEASURED,
    _REPORTS + "22": frozenset({"SCOORD3D", "TABLE"}),
    _REPORTS + "33": frozenset({"SCOORD3D", "TABLE"}),
    _REPORTS + "59": _MEASURED | {"DATE", "TIME", "DATETIME"},
    _REPORTS + "67": frozenset({"SCOORD", "SCOORD3D", "TCOORD", "WAVEFORM", "TABLE"}),
}
# Relationship -> value types that may be its source, its target; None if any.
_SOURCES = {"CONTAINS": {"CONTAINER"}, "SELECTED FROM": {"SCOORD", "SCOORD3D", "TCOORD"}}
_TARGETS = {
    "HAS CONCEPT MOD": {"TEXT", "CODE"},
    "SELECTED FROM": {"IMAGE", "SCOORD", "WAVEFORM", "COMPOSITE", "UIDREF"},
}
# Value type -> dimensions; graphic type -> fewest and most points.
_DIMENSIONS = {"SCOORD": 2, "SCOORD3D": 3}
_POINTS: dict[str, dict[str, tuple[int, int | None]]] = {
    "SCOORD": {
        "POINT": (1, 1), "MULTIPOINT": (1, None), "POLYLINE": (1, None), "CIRCLE": (2, 2),
        "ELLIPSE": (4, 4),
    },
    "SCOORD3D": {
        "POINT": (1, 1), "MULTIPOINT": (1, None), "POLYLINE": (1, None), "POLYGON": (3, None),
        "ELLIPSE": (4, 4), "ELLIPSOID": (6, 6),
    },
}  # fmt: skip
_MOST_DEEP = 60


def check_content(instance: Instance) -> Iterator[Hit]:
    """Check each content item of a structured report (M018)."""
    root = instance.dataset
    if not instance.sop_class.startswith(_REPORTS) or instance.is_truncated:
        return
    value_type = root.text(_VALUE_TYPE)
    if value_type and value_type != "CONTAINER":
        yield Hit("M018", "the root of the content is no CONTAINER", root.path_to(_VALUE_TYPE))
    excluded = _EXCLUDED.get(instance.sop_class, frozenset())
    yield from _check_children(root, value_type, excluded, root)


def _check_children(item: Item, source: str, excluded: frozenset[str], root: Item) -> Iterator[Hit]:
    for child in item.items_of(_CONTENT):
        yield from _check_relationship(child, source, root)
        value_type = child.text(_VALUE_TYPE)
        if value_type in excluded:
            message = f"the SOP class has no content items of the value type {value_type}"
            yield Hit("M018", message, child.path_to(_VALUE_TYPE))
        elif value_type in _DIMENSIONS:
            yield from _check_coordinates(child, value_type)
        if child.depth < _MOST_DEEP:
            yield from _check_children(child, value_type, excluded, root)


def _check_relationship(child: Item, source: str, root: Item) -> Iterator[Hit]:
    relationship = child.text(_RELATIONSHIP)
    sources = _SOURCES.get(relationship)
    if sources is not None and source and source not in sources:
        message = f"a {source} item has no items by {relationship}"
        yield Hit("M018", message, child.path_to(_RELATIONSHIP))
        return
    target = child
    reference = child.get(_REFERENCED_ITEM)
    if reference is not None and not reference.is_empty:
        found = _resolve(root, reference.values())
        if found is None:
            message = "ReferencedContentItemIdentifier names no content item"
            yield Hit("M018", message, reference.path)
            return
        target = found
    targets, value_type = _TARGETS.get(relationship), target.text(_VALUE_TYPE)
    if targets is not None and value_type and value_type not in targets:
        message = f"{relationship} does not lead to a {value_type} item"
        yield Hit("M018", message, child.path_to(_RELATIONSHIP))


def _resolve(root: Item, numbers: list[str] | list[int] | list[float]) -> Item | None:
    """Return the item that a path of numbers from 1 leads to; the first is the root."""
    if not numbers or numbers[0] != 1:
        return None
    item = root
    for number in numbers[1:]:
        children = item.items_of(_CONTENT)
        if not isinstance(number, int) or not 1 <= number <= len(children):
            return None
        item = children[number - 1]
    return item


def _check_coordinates(item: Item, value_type: str) -> Iterator[Hit]:
    """Check graphic type and number of points of coordinates (PS3.3 C.18.6.1, C.18.9.1)."""
    graphic, data = item.text(_GRAPHIC_TYPE), item.get(_GRAPHIC_DATA)
    limits = _POINTS[value_type].get(graphic)
    if limits is None:
        if any(graphic in types for types in _POINTS.values()):
            message = f"GraphicType {graphic} is none of {value_type}"
            yield Hit("M018", message, item.path_to(_GRAPHIC_TYPE))
        return
    if data is None or data.is_empty:
        return
    count, rest = divmod(len(data.values()), _DIMENSIONS[value_type])
    fewest, most = limits
    if rest:
        yield Hit(
            "M018", f"GraphicData has not {_DIMENSIONS[value_type]} values per point", data.path
        )
    elif count < fewest or (most is not None and count > most):
        message = f"GraphicData has {count} points; {graphic} has {fewest}"
        yield Hit("M018", message + ("" if most is not None else " or more"), data.path)
    elif value_type == "SCOORD" and not _is_selected(item):
        message = "no image is selected for the coordinates"
        yield Hit("M018", message, item.path_to(_CONTENT), severity="warning")


def _is_selected(item: Item) -> bool:
    return any(child.text(_RELATIONSHIP) == "SELECTED FROM" for child in item.items_of(_CONTENT))
