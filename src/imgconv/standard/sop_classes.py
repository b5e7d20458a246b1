"""Names of the storage SOP classes.

Source
------
PS3.6 table A-1
"""

from __future__ import annotations

import json
from functools import cache

from imgconv.resources import read_resource

__all__ = ["find_name", "find_uid", "is_retired"]


@cache
def _rows() -> dict[str, tuple[str, str, bool]]:
    table = read_resource("imgconv.standard", "_generated/sop_classes.json")
    return {
        uid: (keyword, name, retired) for uid, (keyword, name, retired) in json.loads(table).items()
    }


@cache
def _uids() -> dict[str, str]:
    return {keyword: uid for uid, (keyword, _name, _retired) in _rows().items()}


def find_uid(keyword: str) -> str | None:
    """Return the UID that a keyword such as ``CTImageStorage`` names, or None."""
    return _uids().get(keyword)


def find_name(uid: str) -> str | None:
    """Return the name of a SOP class, None if the table has none."""
    row = _rows().get(uid)
    return None if row is None else row[1]


def is_retired(uid: str) -> bool:
    """Whether PS3.6 marks the SOP class as retired."""
    row = _rows().get(uid)
    return row is not None and row[2]
