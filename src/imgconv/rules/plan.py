"""What an IOD demands, compiled once per IOD from the tables of the standard.

The tables of all modules of an IOD are merged by tag, each row remembering its
module, because the same attribute may be type 1 in one module and type 3 in
another, and a module may be mandatory, conditional or optional.

Source
------
PS3.3 annex A (IODs) and 5.4 (types); PS3.5 7.4
"""

from __future__ import annotations

from functools import cache
from typing import Any

from imgconv.records import record
from imgconv.rules.conditions import Condition, compile_condition
from imgconv.standard.iods import load_tables

__all__ = ["Attribute", "GroupUse", "Module", "Node", "Plan", "Row", "find_plan"]


# (module, tag) -> the general module whose row it replaces: secondary capture says type 3 where
# General Series says 1 (PS3.3 C.8.6.1, Modality); a secondary capture of one frame needs no Frame
# Increment Pointer (C.8.6.3).
_SPECIALIZED = {
    ("sc-equipment", 0x00080060): "general-series",
    ("sc-multi-frame-image", 0x00280009): "multi-frame",
}


@record
class Row:
    """One row of one module's table.

    `mode` says what a condition means: ``MN`` required if true, else
    forbidden; ``MP`` the same, but the standard is silent about the other
    case; ``MU`` required if true, else optional; ``MC`` required if true, else
    allowed only if `other` holds; ``NU`` forbidden if true. `child` is the
    number of the table of the sequence's items, -1 if there is none.
    """

    module: int
    kind: str
    mode: str
    condition: Condition | None
    other: Condition | None
    enumerated: tuple[tuple[int, frozenset[str]], ...]
    defined: tuple[tuple[int, frozenset[str]], ...]
    child: int


@record
class Attribute:
    """One tag, with the rows of all modules that have it.

    `is_unconditional`: no condition of it can be decided, and it is required
    nowhere, so that only its emptiness can be judged. `is_optional`: type 3
    everywhere. `is_conditional` and `has_terms`: a row has a condition, or a
    value set. `is_judged`: one of them, so that its presence is looked at.
    """

    tag: int
    rows: tuple[Row, ...]
    is_unconditional: bool
    is_optional: bool
    is_conditional: bool
    has_terms: bool
    is_judged: bool


@record
class Module:
    """One module of the IOD: its usage M, C or U, and its condition."""

    name: str
    usage: str
    mode: str
    condition: Condition | None
    triggers: frozenset[int]  # root tags that only this module has: their presence shows its use


@record
class GroupUse:
    """One functional group macro of the IOD."""

    tag: int
    usage: str
    mode: str
    condition: Condition | None


class Node:
    """What the data set, or the items of one sequence, may and must hold."""

    __slots__ = ("attributes", "conditional", "required")

    def __init__(self, attributes: dict[int, Attribute]) -> None:
        self.attributes = attributes
        self.required = tuple(
            attribute
            for attribute in attributes.values()
            if any(
                row.kind in ("1", "2") or (row.kind in ("1C", "2C") and row.condition is not None)
                for row in attribute.rows
            )
        )


class Plan:
    """Everything that one IOD demands."""

    def __init__(self, iod: str) -> None:
        tables = load_tables()
        description = tables["iod"][iod]
        numbers = [tables["module"].get(row[0]) for row in description["modules"]]
        self.iod = iod
        self._nodes: dict[tuple[tuple[int, int], ...], Node] = {}
        names = [row[0] for row in description["modules"]]
        self._replaced = {
            (names.index(general), tag)
            for (special, tag), general in _SPECIALIZED.items()
            if special in names and general in names
        }
        key = tuple((i, number) for i, number in enumerate(numbers) if number is not None)
        self.root = self._node(key)
        self.modules = tuple(self._module(i, row) for i, row in enumerate(description["modules"]))
        self.groups = tuple(_group(row) for row in description.get("functional_groups", ()))

    def _module(self, number: int, row: list[Any]) -> Module:
        mode, condition = (row[2][0], row[2][1]) if len(row) > 2 else ("", None)
        triggers = frozenset(
            attribute.tag
            for attribute in self.root.attributes.values()
            if len(attribute.rows) == 1
            and attribute.rows[0].module == number
            # A conditional module needs more than an optional attribute to be taken for used.
            and (row[1] == "U" or attribute.rows[0].kind != "3")
        )
        compiled = compile_condition(condition) if condition else None
        return Module(row[0], row[1], mode, compiled, triggers)

    def _node(self, key: tuple[tuple[int, int], ...]) -> Node:
        found = self._nodes.get(key)
        if found is None:
            merged: dict[int, list[Row]] = {}
            for module, table in key:
                for tag, row in _rows(table):
                    if (module, tag) in self._replaced:
                        continue
                    merged.setdefault(tag, []).append(_with_module(row, module))
            found = self._nodes[key] = Node(
                {tag: _attribute(tag, tuple(rows)) for tag, rows in merged.items()}
            )
        return found

    def child(self, rows: list[Row]) -> Node | None:
        """Return what the items of a sequence must hold by `rows`, None if nothing is known."""
        key = tuple((row.module, row.child) for row in rows)
        return self._node(key) if key else None


def _attribute(tag: int, rows: tuple[Row, ...]) -> Attribute:
    kinds = {row.kind for row in rows}
    required = any(
        row.kind in ("1", "2") or (row.kind in ("1C", "2C") and row.condition is not None)
        for row in rows
    )
    unconditional = "1C" in kinds and not required
    conditional = any(row.condition is not None for row in rows)
    has_terms = any(row.enumerated or row.defined for row in rows)
    return Attribute(
        tag,
        rows,
        is_unconditional=unconditional,
        is_optional=kinds == {"3"},
        is_conditional=conditional,
        has_terms=has_terms,
        is_judged=unconditional or conditional or has_terms,
    )


def _with_module(row: Row, module: int) -> Row:
    return Row(
        module,
        row.kind,
        row.mode,
        row.condition,
        row.other,
        row.enumerated,
        row.defined,
        row.child,
    )


@cache
def _rows(table: int) -> tuple[tuple[int, Row], ...]:
    return tuple(
        (int(tag, 16), _row(row[0], row[1] if len(row) > 1 else {}))
        for tag, row in load_tables()["set"][table].items()
    )


def _row(kind: str, extras: dict[str, Any]) -> Row:
    condition = extras.get("c")
    return Row(
        module=0,
        kind=kind,
        mode=condition[0] if condition else "",
        condition=compile_condition(condition[1]) if condition and len(condition) > 1 else None,
        other=compile_condition(condition[2]) if condition and len(condition) > 2 else None,
        enumerated=_value_sets(extras.get("e")),
        defined=_value_sets(extras.get("d")),
        child=extras.get("s", -1),
    )


def _value_sets(lists: list[Any] | None) -> tuple[tuple[int, frozenset[str]], ...]:
    return tuple(
        (number, frozenset(str(value) for value in values)) for number, values in lists or ()
    )


def _group(row: list[Any]) -> GroupUse:
    condition = row[3] if len(row) > 3 else None
    return GroupUse(
        tag=int(row[0], 16) if row[0] else 0,
        usage=row[2],
        mode=condition[0] if condition else "",
        condition=compile_condition(condition[1]) if condition and len(condition) > 1 else None,
    )


@cache
def find_plan(iod: str) -> Plan:
    """Return the plan of an IOD, compiled on first use."""
    return Plan(iod)
