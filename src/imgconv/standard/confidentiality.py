"""What the Basic Confidentiality Profile does to each attribute, and its options.

Source
------
PS3.15 Table E.1-1; options: PS3.15 E.3 and PS3.16 CID 7050
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from imgconv.resources import read_resource

__all__ = ["OPTION_CODES", "Action", "find_action", "iter_actions"]

# PS3.16 CID 7050: code value of the DCM scheme -> option column of Table E.1-1.
OPTION_CODES = {
    "113103": "clean_graphics",
    "113104": "clean_structured_content",
    "113105": "clean_descriptors",
    "113106": "full_dates",
    "113107": "modified_dates",
    "113108": "patient_characteristics",
    "113109": "device_identity",
    "113110": "uids",
    "113111": "safe_private",
    "113112": "institution_identity",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One row: what the basic profile and its options do to an attribute.

    Parameters
    ----------
    basic
        ``X`` remove, ``Z`` empty or dummy, ``D`` dummy, ``U`` new UID, ``C``
        clean, ``K`` keep, or several joined by a slash.
    options
        Option column -> ``K`` (keep) or ``C`` (clean).
    """

    basic: str
    options: Mapping[str, str]


@cache
def _rows() -> tuple[dict[int, Action], list[tuple[int, int, Action]]]:
    table = read_resource("imgconv.standard", "_facts/confidentiality.json")
    plain: dict[int, Action] = {}
    repeating: list[tuple[int, int, Action]] = []
    for key, row in json.loads(table)["rows"].items():
        action = Action(row["basic"], row.get("options", {}))
        value, slash, mask = key.partition("/")
        if slash:
            repeating.append((int(value, 16), int(mask, 16), action))
        else:
            plain[int(value, 16)] = action
    return plain, repeating


def find_action(tag: int) -> Action | None:
    """Return the row of `tag`; None if Table E.1-1 does not name it."""
    plain, repeating = _rows()
    found = plain.get(tag)
    if found is None:
        for value, mask, action in repeating:
            if tag & mask == value:
                return action
    return found


def iter_actions() -> Mapping[int, Action]:
    """Return every row that names a single tag."""
    return dict(_rows()[0])
