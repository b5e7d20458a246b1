"""Which modules, attributes, conditions and values each IOD has.

Read once per process from a generated table, on first use.

Source
------
PS3.3 annexes A and C, structure of edition 2026b
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["EDITION", "find_iod", "find_multiplicity", "is_retired", "load_tables"]

EDITION = "2026b"
_UNBOUNDED = 1 << 30


def _read(name: str) -> Any:
    return json.loads(files("imgconv.standard").joinpath("_generated", name).read_bytes())


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
