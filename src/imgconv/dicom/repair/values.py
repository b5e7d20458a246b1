"""Mend values that their VR does not allow.

A value is written anew only if its meaning is certain (``12:30:00`` is the
time ``123000``). One that has no certain meaning is taken out and kept in the
Original Attributes Sequence, unless the object needs the attribute: then it
stays, and the report says so.

Source
------
PS3.5 6.2, table 6.2-1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation

from imgconv.dicom.elements import Element, Tree
from imgconv.dicom.repair.change import Change, replace_value, skipped

__all__ = ["mend_values"]

_MAX_CHARS = {"AE": 16, "CS": 16, "DS": 16, "IS": 12, "LO": 64, "SH": 16, "ST": 1024, "LT": 10240}
_VALID = {
    "AE": re.compile(r"[\x20-\x5b\x5d-\x7e]{0,16}"),
    "AS": re.compile(r"\d{3}[DWMY]|"),
    "CS": re.compile(r"[A-Z0-9_ ]{0,16}"),
    "DA": re.compile(r"\d{8}|"),
    "DS": re.compile(r" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)? *|"),
    "DT": re.compile(r"(\d{4}(\d\d){0,5}(\.\d{1,6})?([+-]\d{4})?)?"),
    "IS": re.compile(r" *[+-]?\d{1,12} *|"),
    "TM": re.compile(r"(\d\d){1,2}|\d{6}(\.\d{1,6})?|"),
    "UI": re.compile(r"((0|[1-9]\d*)(\.(0|[1-9]\d*))*)?"),
}
_MAX_UID = 64
# PS3.5 6.2: the characters of control that text may hold.
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_LINE_CONTROL = re.compile(rb"[\x00-\x1a\x1c-\x1f\x7f]")
_TEXTS = {"LO": _LINE_CONTROL, "SH": _LINE_CONTROL, "PN": _LINE_CONTROL, "UC": _LINE_CONTROL,
          "LT": _CONTROL, "ST": _CONTROL, "UT": _CONTROL}  # fmt: skip


def mend_values(tree: Tree, needed: frozenset[int] = frozenset()) -> list[Change]:
    """Mend every value of the data set and its sequences.

    Parameters
    ----------
    needed
        Tags of the data set's own attributes that must have a value (type 1):
        a value without a certain meaning stays there.
    """
    changes = []
    for element in list(tree.dataset.walk()):
        change = _mend(element, needed)
        if change is not None:
            changes.append(change)
    return changes


def _mend(element: Element, needed: frozenset[int]) -> Change | None:
    vr = element.vr
    if element.items is not None or not len(element.value):
        return None
    if vr in _TEXTS:
        return _mend_text(element)
    valid = _VALID.get(vr)
    if valid is None:
        return None
    text = bytes(element.value).decode("latin-1").rstrip(" \0" if vr != "UI" else "\0 ")
    parts = text.split("\\")
    if vr in ("DS", "IS"):
        text = text.rstrip("\\ ")  # an empty number behind the last one is none
    whole = text.split("\\")
    fixed = [_mend_part(vr, part) for part in whole]
    if fixed == parts:
        return None
    if any(part is None for part in fixed):
        return _set_aside(element, needed)
    value = "\\".join(part for part in fixed if part is not None).encode("latin-1")
    name, before, after = _NAMES.get(vr, ("wrong-value", "not as its VR wants", "as its VR wants"))
    return replace_value(
        element,
        value,
        name=name,
        before=before,
        after=after,
        reason=f"{vr} does not allow what was there",
        source="PS3.5 6.2",
        keep=True,
    )


_NAMES = {
    "DA": ("date-form", "date in another form", "YYYYMMDD"),
    "TM": ("time-form", "time in another form", "HHMMSS.FFFFFF"),
    "DT": ("date-time-form", "date time in another form", "YYYYMMDDHHMMSS.FFFFFF"),
    "AS": ("age-form", "age in another form", "nnnD, nnnW, nnnM or nnnY"),
    "DS": ("decimal-form", "decimal in another form or too long", "decimal of 16 characters"),
    "IS": ("integer-form", "integer in another form", "integer of 12 characters"),
    "CS": ("code-string-form", "lower case or foreign characters", "upper case"),
    "UI": ("uid-form", "UID with leading zeros", "UID without leading zeros"),
}


def _mend_part(vr: str, part: str) -> str | None:
    """Return the value in the form of its VR, or None if its meaning is not certain."""
    if _is_valid(vr, part):
        return part
    mender = _MENDERS.get(vr)
    fixed = mender(part.strip(" \0")) if mender is not None else None
    return fixed if fixed is not None and _is_valid(vr, fixed) else None


def _is_valid(vr: str, part: str) -> bool:
    if not _VALID[vr].fullmatch(part) or len(part) > _MAX_CHARS.get(vr, len(part)):
        return False
    check = _CHECKS.get(vr)
    return not part or check is None or check(part)


def _is_date(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    # PS3.5 6.2: seconds may be 60 for a leap second.
    return int(text[:2]) < 24 and int(text[2:4] or 0) < 60 and int(text[4:6] or 0) <= 60


def _is_date_time(text: str) -> bool:
    digits = re.match(r"\d+", text)
    stem = digits.group() if digits else ""
    zone = re.search(r"[+-](\d\d)(\d\d)$", text)
    if zone is not None and not (int(zone[1]) <= 14 and int(zone[2]) < 60):  # PS3.5 6.2
        return False
    if not _is_date(f"{stem[:8]}{'0101'[max(0, len(stem[:8]) - 4) :]}"):  # the rest of a date
        return False
    return len(stem) < 10 or _is_time(stem[8:].ljust(2, "0"))


_CHECKS: dict[str, Callable[[str], bool]] = {
    "DA": _is_date,
    "TM": _is_time,
    "DT": _is_date_time,
    "UI": lambda text: len(text) <= _MAX_UID,
    "IS": lambda text: -(2**31) <= int(text) < 2**31,
}


def _to_date(text: str) -> str | None:
    found = re.fullmatch(r"(\d{4})[-./: ](\d{1,2})[-./: ](\d{1,2})", text)
    return "{}{:0>2}{:0>2}".format(*found.groups()) if found else None


def _to_time(text: str) -> str | None:
    found = re.fullmatch(r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d*)?)?", text)
    if found is None:
        # Fractions longer than six digits, or none behind the point.
        found = re.fullmatch(r"(\d\d)(\d\d)(\d\d)(\.\d*)", text)
        if found is None:
            return None
    hours, minutes, seconds, fraction = found.groups()
    fraction = (fraction or "")[:7].rstrip(".")
    return (
        f"{hours:0>2}{minutes:0>2}{seconds or '':0>2}{fraction}"
        if seconds
        else (f"{hours:0>2}{minutes:0>2}")
    )


def _to_date_time(text: str) -> str | None:
    found = re.fullmatch(r"(\d{4}[-./]\d{1,2}[-./]\d{1,2})(?:[ T](\d{1,2}:\d\d(?::.*)?))?", text)
    if found is None:
        return None
    day, time = _to_date(found[1]), _to_time(found[2]) if found[2] else ""
    return None if day is None or time is None else day + time


def _to_age(text: str) -> str | None:
    found = re.fullmatch(r"(\d{1,3})([DWMYdwmy])", text)
    return f"{found[1]:0>3}{found[2].upper()}" if found else None


def _to_decimal(text: str) -> str | None:
    """Write a number with as many digits as 16 characters hold."""
    try:
        number = Decimal(text.replace(",", ".") if text.count(",") == 1 else text)
    except InvalidOperation:
        return None
    if not number.is_finite():
        return None
    for digits in range(17, 0, -1):
        candidate = f"{float(number):.{digits}g}"
        if len(candidate) <= _MAX_CHARS["DS"]:
            return candidate
    return None


def _to_integer(text: str) -> str | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return str(int(number)) if number.is_finite() and number == int(number) else None


def _to_uid(text: str) -> str | None:
    parts = text.strip(". ").split(".")
    if not all(part.isascii() and part.isdigit() for part in parts):
        return None
    return ".".join(str(int(part)) if len(part) <= _MAX_UID else part for part in parts)


_MENDERS: dict[str, Callable[[str], str | None]] = {
    "AS": _to_age,
    "CS": lambda text: text.upper().replace("-", "_"),
    "DA": _to_date,
    "DS": _to_decimal,
    "DT": _to_date_time,
    "IS": _to_integer,
    "TM": _to_time,
    "UI": _to_uid,
}


def _set_aside(element: Element, needed: frozenset[int]) -> Change:
    """Empty an attribute whose value has no certain meaning; the value is kept beside."""
    reason = f"the value is none of {element.vr}, and what it means is not certain"
    before = f"value that {element.vr} does not allow"
    is_root = element.item.parent is None
    if not is_root or element.tag in needed or element.vr == "UI":
        return skipped("wrong-value", element.path, before, reason, "PS3.5 6.2")
    return replace_value(
        element,
        b"",
        name="wrong-value",
        before=before,
        after="empty, the value is in Original Attributes Sequence",
        reason=reason,
        source="PS3.5 6.2; PS3.3 C.12.1.1.9",
        keep=True,
    )


def _mend_text(element: Element) -> Change | None:
    """Take control characters out of text, and cut what is too long for its VR."""
    vr, value = element.vr, bytes(element.value)
    cleaned = _TEXTS[vr].sub(b" ", value.rstrip(b"\0")) if _TEXTS[vr].search(value) else value
    before, after, name = "control characters", "spaces", "control-characters"
    limit = _MAX_CHARS.get(vr)
    if limit is not None and any(len(part) > limit for part in _split(vr, cleaned.rstrip(b" "))):
        # Counted in characters: with a multi-byte character set more bytes may be right.
        if not cleaned.isascii():
            return (
                None if cleaned == value else _replace_text(element, cleaned, name, before, after)
            )
        cleaned = b"\\".join(part[:limit].rstrip() for part in _split(vr, cleaned.rstrip(b" ")))
        name, before, after = "too-long", f"longer than {limit} characters", f"cut to {limit}"
    if cleaned == value:
        return None
    return _replace_text(element, cleaned, name, before, after)


def _split(vr: str, value: bytes) -> list[bytes]:
    return [value] if vr in ("LT", "ST", "UT") else value.split(b"\\")


def _replace_text(element: Element, value: bytes, name: str, before: str, after: str) -> Change:
    return replace_value(
        element,
        value,
        name=name,
        before=before,
        after=after,
        reason=f"{element.vr} does not allow it",
        source="PS3.5 6.2",
        keep=True,
    )
