"""Which modules, attributes, conditions and values each IOD has.

Read once per process from a generated table, on first use.

Source
------
PS3.3 annexes A and C, structure of edition 2026b
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from imgconv.resources import read_resource

__all__ = [
    "EDITION",
    "find_iod",
    "find_multiplicity",
    "find_value_tags",
    "is_retired",
    "load_tables",
]

EDITION = "2026b"
_UNBOUNDED = 1 << 30
# Operators of conditions that ask for presence, not for a value.
_PRESENCE = ("+", "++", "-")


def _read(name: str) -> Any:
    return json.loads(read_resource("imgconv.standard", f"_generated/{name}"))


@cache
def load_tables() -> dict[str, Any]:
    """Return the tables as `imgconv.standard.build` describes them."""
    tables: dict[str, Any] = _read("iods.json")
    return tables


def find_iod(sop_class: str) -> str | None:
    """Return the name of the IOD of a SOP class, None if the tables have none."""
    found: str | None = load_tables()["sop_class"].get(sop_class)
    return found


@cache
def find_value_tags() -> frozenset[int]:
    """Return the tags whose values conditions and value sets look at, of all IODs together."""
    tables, found = load_tables(), set[str]()
    for table in tables["set"]:
        for tag, row in table.items():
            extras = row[1] if len(row) > 1 else {}
            if "e" in extras or "d" in extras:
                found.add(tag)
            for condition in extras.get("c", ())[1:]:
                _collect_tags(condition, found)
    for iod in tables["iod"].values():
        usages = [row[2] for row in iod["modules"] if len(row) > 2]
        usages.extend(row[3] for row in iod.get("functional_groups", ()) if len(row) > 3)
        for usage in usages:
            for condition in usage[1:]:
                _collect_tags(condition, found)
    return frozenset(int(tag, 16) for tag in found)


def _collect_tags(condition: list[Any], found: set[str]) -> None:
    operator, operand = condition[:2]
    if operator in ("and", "or"):
        for part in operand:
            _collect_tags(part, found)
    elif operator not in _PRESENCE:
        found.add(operand.partition("#")[0])


@cache
def _multiplicities() -> dict[int, tuple[tuple[int, int, int], bool]]:
    return {
        int(tag, 16): (_parse_multiplicity(text), retired)
        for tag, (text, retired) in _read("multiplicities.json").items()
    }


def _parse_multiplicity(text: str) -> tuple[int, int, int]:
    """Return smallest count, largest count and step of ``1-n``, ``2-2n``, ``1 or 2``."""
    low, _, high = text.replace(" or ", "-").partition("-")
    if not high:
        return int(low), int(low), 1
    if high.endswith("n"):
        step = int(high[:-1] or 1)
        return int(low), _UNBOUNDED, step
    return int(low), int(high), 1


def find_multiplicity(tag: int) -> tuple[int, int, int]:
    """Return smallest count, largest count and step of a standard element's values."""
    found = _multiplicities().get(tag)
    return (1, 1, 1) if found is None else found[0]


def is_retired(tag: int) -> bool:
    """Whether PS3.6 marks the element as retired."""
    found = _multiplicities().get(tag)
    return found is not None and found[1]
