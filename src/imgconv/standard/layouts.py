"""Where the attributes of a multi-frame IOD stand: in the data set, or in which functional group.

Source
------
PS3.3 annex A (functional groups of each IOD) and C.7.6.16.2 (their macros)
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from imgconv.standard.iods import find_iod, load_tables

__all__ = ["Group", "Layout", "find_layout"]

_SHARED_GROUPS = "52009229"
# Module -> what shows that it is used, though of type 1C.
_SHOWN_BY = {
    "cardiac-synchronization": {0x00189037},
    "respiratory-synchronization": {0x00189170},
    "bulk-motion-synchronization": {0x00189172},
}


@dataclass(frozen=True, slots=True)
class Group:
    """One functional group macro.

    Parameters
    ----------
    tag
        Of its sequence.
    is_mandatory
        Whether every object of the IOD has it.
    attributes
        Tags of the sequence's items.
    required
        Those of them that are of type 1 without a condition.
    conditional
        Those of type 1C.
    """

    tag: int
    is_mandatory: bool
    attributes: frozenset[int]
    required: frozenset[int]
    conditional: frozenset[int]


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the attributes of an IOD stand.

    Parameters
    ----------
    kinds
        Tag -> the types that the IOD's modules give the attribute in the data set.
    modules
        Tag -> the modules that have it in the data set.
    optional
        Modules that need not be used -> what the data set must have if they are.
    groups
        The functional groups by the tags of their sequences.
    """

    kinds: Mapping[int, frozenset[str]]
    modules: Mapping[int, frozenset[str]]
    optional: Mapping[str, frozenset[int]]
    groups: Mapping[int, Group]

    def is_required(self, tag: int) -> bool:
        """Whether the data set must have the attribute, perhaps empty."""
        return bool(self.kinds.get(tag, frozenset()) & {"1", "2"})

    def has_place(self, tag: int, present: Container[int]) -> bool:
        """Whether the data set has the attribute, given what else there is.

        An optional module is used only if all is there that it demands.
        """
        return any(
            all(needed in present for needed in self.optional.get(module, ()))
            for module in self.modules.get(tag, ())
        )


@cache
def find_layout(sop_class: str) -> Layout | None:
    """Return the layout of a SOP class; None if it has no functional groups."""
    tables, iod = load_tables(), find_iod(sop_class)
    if iod is None or "functional_groups" not in tables["iod"][iod]:
        return None
    kinds: dict[int, set[str]] = {}
    modules: dict[int, set[str]] = {}
    children: dict[str, list[Any]] = {}
    optional: dict[str, frozenset[int]] = {}
    for name, usage, *_ in tables["iod"][iod]["modules"]:
        number = tables["module"].get(name)
        if usage != "M" and number is not None:
            rows = tables["set"][number].items()
            needed = {int(tag, 16) for tag, row in rows if row[0] == "1"}
            optional[name] = frozenset(needed | _SHOWN_BY.get(name, set()))
        for tag, row in (tables["set"][number] if number is not None else {}).items():
            kinds.setdefault(int(tag, 16), set()).add(row[0])
            modules.setdefault(int(tag, 16), set()).add(name)
            if tag == _SHARED_GROUPS:
                children = tables["set"][row[1]["s"]]
    return Layout(
        {tag: frozenset(found) for tag, found in kinds.items()},
        {tag: frozenset(found) for tag, found in modules.items()},
        optional,
        _groups(tables["iod"][iod]["functional_groups"], children),
    )


def _groups(rows: list[Any], children: Mapping[str, list[Any]]) -> dict[int, Group]:
    groups = {}
    for tag, _name, usage, *_ in rows:
        row = children.get(tag, [])
        items = load_tables()["set"][row[1]["s"]] if len(row) > 1 and "s" in row[1] else {}
        number = int(tag, 16) if tag else 0
        groups[number] = Group(
            number,
            usage == "M",
            frozenset(int(key, 16) for key in items),
            frozenset(int(key, 16) for key, value in items.items() if value[0] == "1"),
            frozenset(int(key, 16) for key, value in items.items() if value[0] == "1C"),
        )
    return groups
