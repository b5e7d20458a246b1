"""Read the values of a profile's document: each function names file, line and key of a mistake."""

from __future__ import annotations

import re
from typing import Any

from imgconv.profiles.located import Document, Place
from imgconv.profiles.model import GEOMETRY
from imgconv.profiles.paths import parse_path
from imgconv.standard.elements import find_tag
from imgconv.standard.sop_classes import find_uid

__all__ = [
    "read_list",
    "read_mapping",
    "read_number",
    "read_pattern",
    "read_tag_path",
    "read_text",
    "read_texts",
    "read_uid_pattern",
    "require_keyword",
]

_KEYS = {
    "profile": {
        "profile", "title", "version", "source", "extends", "edition", "severity", "select",
        "ignore", "rules", "tests",
    },
    "rule": {
        "id", "level", "message", "reason", "source", "for", "when", "require", "present",
        "forbid", "tag", "presence", "values", "not_values", "regex", "range", "vm", "equals",
        "near", "tolerance", "code", "transfer_syntaxes", "sop_classes", "group", "same",
        "different", "count", "geometry", "pixel", "phi", "type",
    },
    "range": {"gt", "ge", "lt", "le"},
    "count": {"min", "max"},
    "geometry": set(GEOMETRY),
    "pixel": {"decodable", "min_frames", "max_frames", "not_constant", "range"},
    "phi": {"e1", "private", "text", "burned_in"},
    "test": {"name", "data", "expect"},
}  # fmt: skip


def read_mapping(document: Document, raw: Any, place: Place, kind: str) -> dict[str, Any]:
    """Return a mapping that has only the keys of its kind."""
    if not isinstance(raw, dict):
        document.fail(place, f"expected a mapping, got `{type(raw).__name__}`")
    for key in raw:
        if key not in _KEYS[kind]:
            words = ", ".join(sorted(_KEYS[kind]))
            document.fail((*place, key), f"unknown key; expected one of {words}")
    return raw


def read_list(document: Document, raw: Any, place: Place) -> list[Any]:
    """Return a list; empty if there is none."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        document.fail(place, "expected a list")
    return raw


def read_text(document: Document, raw: Any, place: Place) -> str:
    """Return a scalar as text."""
    if raw is None:
        document.fail(place, "is missing")
    if isinstance(raw, (dict, list)):
        document.fail(place, "expected a text")
    return str(raw)


def read_texts(document: Document, raw: Any, place: Place) -> tuple[str, ...]:
    """Return a list of texts, of which one may stand alone."""
    items = raw if isinstance(raw, list) else [] if raw is None else [raw]
    return tuple(read_text(document, item, (*place, n)) for n, item in enumerate(items))


def read_number(document: Document, raw: Any, place: Place) -> float | None:
    """Return a number, None if there is none."""
    if raw is None:
        return None
    try:
        return float(raw)
    except (TypeError, ValueError):
        document.fail(place, f"`{raw}` is no number")


def read_pattern(document: Document, raw: Any, place: Place) -> re.Pattern[str] | None:
    """Return a regular expression, None if there is none."""
    if raw is None:
        return None
    try:
        return re.compile(str(raw))
    except re.error as error:
        document.fail(place, f"`{raw}` is no pattern: {error}")


def require_keyword(document: Document, keyword: str, place: Place) -> None:
    """Check that a text is a keyword of the dictionary, or ``gggg,eeee``."""
    if find_tag(keyword) is None and not re.fullmatch(r"[0-9A-Fa-f]{4},[0-9A-Fa-f]{4}", keyword):
        document.fail(place, f"unknown keyword `{keyword}`")


def read_tag_path(document: Document, path: str, place: Place) -> str:
    """Return a tag path that can be parsed."""
    try:
        parse_path(path)
    except ValueError as error:
        document.fail(place, str(error))
    return path


def read_uid_pattern(document: Document, text: str, place: Place) -> str:
    """Return a UID pattern; names of SOP classes may be given instead."""
    if text[:1].isdigit():
        return text
    uid = find_uid(text)
    if uid is None:
        document.fail(place, f"unknown SOP class `{text}`")
    return uid
