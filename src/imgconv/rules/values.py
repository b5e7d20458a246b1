"""Family V: each value against its value representation and the dictionary.

Source
------
PS3.5 6.1 (character sets), 6.2 (value representations), 6.4 (multiplicity), 7.8
(private elements), chapter 9 (UIDs); PS3.6 (dictionary)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.records import record
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.standard.charsets import can_decode, is_known_term
from imgconv.standard.elements import find_vr
from imgconv.standard.iods import find_multiplicity, is_retired

__all__ = ["check_values"]

_CHARSET, _ZONE_OFFSET = 0x00080005, 0x00080201
_UNBOUNDED = 1 << 30
_SHORT_MONTHS = (4, 6, 9, 11)
_ESC = 0x1B


@record
class _Form:
    """What a VR allows: pattern of the whole field, longest value, words for a person."""

    pattern: re.Pattern[bytes] | None
    longest: int
    words: str


def _many(one: bytes) -> re.Pattern[bytes]:
    """Return a pattern of values joined by backslashes, any of them empty, spaces around."""
    # Possessive quantifiers keep hostile values from taking quadratic time.
    value = rb" *+(?:(?:" + one + rb") *+)?+"
    return re.compile(value + rb"(?:\\" + value + rb")*+")


_FRACTION = rb"(?:\.\d{1,6}+)?+"
_SECONDS = rb"(?:[0-5]\d|60)"
_HOURS = rb"(?:[01]\d|2[0-3])"
_TIME = _HOURS + rb"(?:[0-5]\d(?:" + _SECONDS + _FRACTION + rb")?)?"
_MONTH_DAY = rb"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_ZONE = rb"(?:[+-](?:0\d|1[0-4])[0-5]\d)?"
_ZONE_FORM = re.compile(rb"[+-](?:0\d|1[0-4])[0-5]\d")
_DATE_TIME = rb"\d{4}(?:(?:0[1-9]|1[0-2])(?:(?:0[1-9]|[12]\d|3[01])(?:" + _TIME + rb")?)?)?" + _ZONE

# PS3.5 table 6.2-1.
_FORMS = {
    "AE": _Form(_many(rb"[!-\[\]-~][ -\[\]-~]*"), 16, "an application entity title"),
    "AS": _Form(_many(rb"\d{3}[DWMY]"), 4, "an age: three digits and one of D, W, M, Y"),
    "CS": _Form(re.compile(rb"[A-Z0-9_ \\]*"), 16, "capitals, digits, space and underscore"),
    "DA": _Form(_many(rb"\d{4}" + _MONTH_DAY), 8, "a date: YYYYMMDD"),
    "DS": _Form(_many(rb"[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?"), 16, "a decimal number"),
    "DT": _Form(_many(_DATE_TIME), 26, "a date and time: YYYYMMDDHHMMSS.FFFFFF&ZZXX"),
    "IS": _Form(_many(rb"[+-]?\d++"), 12, "a whole number"),
    "LO": _Form(re.compile(rb"[^\x00-\x1a\x1c-\x1f\x7f]*"), 64, "text without control characters"),
    "LT": _Form(re.compile(rb"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]*"), 10240, "text"),
    "PN": _Form(re.compile(rb"[^\x00-\x1a\x1c-\x1f\x7f]*"), 0, "a name without control characters"),
    "SH": _Form(re.compile(rb"[^\x00-\x1a\x1c-\x1f\x7f]*"), 16, "text without control characters"),
    "ST": _Form(re.compile(rb"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]*"), 1024, "text"),
    "TM": _Form(_many(_TIME), 16, "a time: HHMMSS.FFFFFF"),
    "UC": _Form(re.compile(rb"[^\x00-\x1a\x1c-\x1f\x7f]*"), 0, "text without control characters"),
    "UI": _Form(
        _many(rb"(?:0|[1-9]\d*+)(?:\.(?:0|[1-9]\d*+))++"),
        64,
        "a UID: numbers without leading zeros, joined by dots",
    ),
    "UR": _Form(re.compile(rb"[!-~]*"), 0, "a URI"),
    "UT": _Form(re.compile(rb"[^\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]*"), 0, "text"),
}
_SINGLE_TEXT = {"LT", "ST", "UR", "UT"}
_EXTENDED_TEXT = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}  # Specific Character Set applies
_SIZES = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "UV": 8, "SV": 8, "AT": 4}
_UNEXTENDED = frozenset({"ISO_IR 192", "GB18030", "GBK"})
_NOT_ASCII = re.compile(rb"[\x80-\xff\x1b]")
_INT32 = range(-(2**31), 2**31)  # PS3.5 6.2: IS
_BULK_BYTES = 1 << 20
# (tag, VR, value) that nothing is wrong with: the files of a series share most of them. Text
# beyond ASCII depends on the character set, and is looked at each time.
_SOUND: set[tuple[int, str, object]] = set()
_SHORT_BYTES, _MOST_SOUND = 64, 1 << 14
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}".encode()


def check_values(instance: Instance) -> Iterator[Hit]:
    """Check every element against VR, length, multiplicity, character set and dictionary.

    V001, V010 to V015, V020 to V024.
    """
    charsets = _Charsets()
    meta = instance.meta.elements.values() if instance.meta is not None else ()
    for element in (*meta, *instance.elements):
        tag = element.tag
        if tag >> 16 & 1:
            yield from _check_private(element)
            known = None
        else:
            known = find_vr(tag)
            if known is None:
                yield from _check_unknown(element)
            elif element.written_vr not in ("", known) or is_retired(tag):
                yield from _check_dictionary(element, known)
        if element.items is not None or not len(element.value):
            continue
        if len(element.value) > _SHORT_BYTES:
            yield from _check_value(element, known, charsets)
            continue
        key = (tag, element.vr, element.value)
        if key in _SOUND:
            continue
        hits = list(_check_value(element, known, charsets))
        yield from hits
        if not hits and not _NOT_ASCII.search(element.value):
            if len(_SOUND) >= _MOST_SOUND:
                _SOUND.clear()
            _SOUND.add(key)


def _check_value(element: Element, known: str | None, charsets: _Charsets) -> Iterator[Hit]:
    if known is not None:
        yield from _check_count(element, charsets)
    form = _FORMS.get(element.vr)
    if form is not None and len(element.value) < _BULK_BYTES:
        yield from _check_text(element, form, charsets)


def _check_dictionary(element: Element, known: str) -> Iterator[Hit]:
    vr = element.written_vr
    if vr and vr != known and vr not in known.split(" or ") and element.items is None:
        message = f"{name_tag(element.tag)} has the value representation {vr}; expected {known}"
        # PS3.5 6.2.2: UN is what software writes that does not know the attribute.
        severity = "warning" if vr == "UN" else ""
        yield Hit("V001", message, element.path, severity=severity)
    if is_retired(element.tag) and element.tag & 0xFFFF:
        yield Hit("V020", f"{name_tag(element.tag)} is retired", element.path)


def _check_unknown(element: Element) -> Iterator[Hit]:
    tag = element.tag
    group, number = tag >> 16, tag & 0xFFFF
    repeating = (
        0x5000 <= group < 0x5100 or 0x6000 <= group < 0x6100 or 0x7F00 <= group < 0x7FE0
        or group in (0x1000, 0x1010) or tag >> 8 in (0x002031, 0x002804, 0x002808)
    )  # fmt: skip
    if number and not repeating:
        yield Hit("V021", "the tag is not in the dictionary", element.path)


def _check_private(element: Element) -> Iterator[Hit]:
    group, number = element.tag >> 16, element.tag & 0xFFFF
    if not number:
        return
    if group <= 7 or group == 0xFFFF or number < 0x10 or 0x100 <= number < 0x1000:
        # PS3.5 7.8.1
        yield Hit("V023", "no private element may have this tag", element.path, severity="warning")
    elif number < 0x100:
        if element.written_vr not in ("", "LO", "UN"):
            message = "a private creator must have the value representation LO"
            yield Hit("V023", message, element.path)
        elif element.is_empty:
            yield Hit("V023", "the private creator is empty", element.path)
    elif element.item.get(group << 16 | number >> 8) is None:
        yield Hit("V022", "the private element has no private creator", element.path)


class _Charsets:
    """The character sets in force for each item, remembered."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, ...] | None] = {}

    def find(self, item: Item) -> tuple[str, ...] | None:
        """Return the declared terms of the nearest declaration, None if there is none."""
        key = id(item)
        if key not in self._known:
            own = item.get(_CHARSET)
            if own is not None and not own.is_empty:
                self._known[key] = item.texts(_CHARSET)
            else:
                self._known[key] = None if item.parent is None else self.find(item.parent)
        return self._known[key]


def _split(element: Element, charsets: _Charsets) -> list[bytes]:
    """Split at the backslashes that are separators, not bytes of a character."""
    value = bytes(element.value)
    if element.vr in _SINGLE_TEXT:
        return [value]
    if element.vr in _EXTENDED_TEXT and _NOT_ASCII.search(value):
        terms = charsets.find(element.item) or ()
        codec = {"GB18030": "gb18030", "GBK": "gbk", "ISO_IR 13": "shift_jis"}.get(
            terms[0] if terms else ""
        )
        if codec is not None:
            return [
                part.encode(codec, "replace") for part in value.decode(codec, "replace").split("\\")
            ]
    return value.split(b"\\")


def _check_count(element: Element, charsets: _Charsets) -> Iterator[Hit]:
    low, high, step = find_multiplicity(element.tag)
    size = _SIZES.get(element.vr)
    if size is not None:
        if len(element.value) % size:
            yield Hit(
                "V011",
                f"{name_tag(element.tag)} does not hold whole {element.vr} values",
                element.path,
            )
            return
        count = len(element.value) // size
    elif element.vr in _FORMS:
        if high == 1 and b"\\" not in bytes(element.value[:_BULK_BYTES]):
            return
        count = len(_split(element, charsets)) if not element.is_empty else 0
    else:
        return
    if count and (not low <= count <= high or (step > 1 and count % step)):
        expected = str(low) if low == high else f"{low} to {'n' if high >= _UNBOUNDED else high}"
        message = f"{name_tag(element.tag)} has {count} values; expected {expected}"
        yield Hit("V012", message, element.path)
    elif count > 1 and low == high and element.vr == "DS" and "" in element.values():
        message = f"{name_tag(element.tag)} has an empty value; expected {low} numbers"
        yield Hit("V012", message, element.path)


def _check_text(element: Element, form: _Form, charsets: _Charsets) -> Iterator[Hit]:
    value = bytes(element.value)
    body = value.rstrip(b" \0")
    if not body:
        return
    vr = element.vr
    if value[-1:] == (b" " if vr == "UI" else b"\0"):
        pad = "a space; expected a null byte" if vr == "UI" else "a null byte; expected a space"
        yield Hit("V013", f"the {vr} value is padded with {pad}", element.path, severity="warning")
    if form.pattern is not None and not form.pattern.fullmatch(body):
        message = f"{name_tag(element.tag)} is not {form.words} ({vr})"
        yield Hit("V010", message, element.path, _show(body))
    elif vr in _DETAILS:
        yield from _DETAILS[vr](element, body)
    if form.longest and len(body) > form.longest:
        yield from _check_length(element, form.longest, charsets)
    if element.tag == _CHARSET:
        yield from _check_terms(element)
    elif vr in _EXTENDED_TEXT and _NOT_ASCII.search(body):
        yield from _check_charset(element, body, charsets)


def _show(value: bytes) -> str:
    return value[:80].decode("latin-1")


def _check_length(element: Element, longest: int, charsets: _Charsets) -> Iterator[Hit]:
    terms = charsets.find(element.item) or ()
    for part in _split(element, charsets):
        text = part.strip(b" \0") if element.vr not in _SINGLE_TEXT else part.rstrip(b" \0")
        count = len(text)
        if count > longest and element.vr in _EXTENDED_TEXT and "ISO_IR 192" in terms:
            count = len(text.decode("utf-8", "replace"))  # PS3.5 6.2: characters, not bytes
        if count > longest and not (element.vr in _EXTENDED_TEXT and b"\x1b" in text):
            message = (
                f"{name_tag(element.tag)} has {count} characters; {element.vr} allows {longest}"
            )
            yield Hit("V011", message, element.path, _show(text))
            return


def _check_terms(element: Element) -> Iterator[Hit]:
    for number, term in enumerate(element.values()):
        if not is_known_term(str(term)) or (not term and number):
            yield Hit("V014", "SpecificCharacterSet has a term that is not defined", element.path)
            return
    terms = element.item.texts(_CHARSET)
    if len(terms) > 1 and not _UNEXTENDED.isdisjoint(terms):
        # PS3.3 C.12.1.1.2: they are the only value, without code extensions.
        message = "SpecificCharacterSet has several terms, one of which stands alone"
        yield Hit("V014", message, element.path)


def _check_charset(element: Element, value: bytes, charsets: _Charsets) -> Iterator[Hit]:
    terms = charsets.find(element.item)
    name = name_tag(element.tag)
    if terms is None:
        if any(byte > 0x7F or byte == _ESC for byte in value):
            message = f"{name} has characters beyond ASCII, and SpecificCharacterSet is missing"
            yield Hit("V014", message, element.path)
    elif not can_decode(value, terms):
        yield Hit(
            "V015", f"{name} has bytes that SpecificCharacterSet does not allow", element.path
        )
    elif "ISO_IR 192" in terms and _REPLACEMENT in value:
        message = f"{name} has replacement characters: its text was lost in a conversion"
        yield Hit("V015", message, element.path)


def _check_name(element: Element, value: bytes) -> Iterator[Hit]:
    for name in value.split(b"\\"):
        groups = name.split(b"=")
        if len(groups) > 3:
            message = f"{name_tag(element.tag)} has more than three component groups (PN)"
            yield Hit("V010", message, element.path, _show(value))
        elif any(group.count(b"^") > 4 for group in groups):
            message = f"{name_tag(element.tag)} has more than five components (PN)"
            yield Hit("V010", message, element.path, _show(value))
        elif any(len(group.decode("utf-8", "replace")) > 64 for group in groups) and (
            b"\x1b" not in name
        ):
            message = f"{name_tag(element.tag)} has a component group of more than 64 characters"
            yield Hit("V011", message, element.path, _show(value))


def _check_integer(element: Element, value: bytes) -> Iterator[Hit]:
    if len(value) > 9 and any(
        len(part.strip()) <= 12 and int(part) not in _INT32
        for part in value.split(b"\\")
        if part.strip()
    ):
        message = f"{name_tag(element.tag)} exceeds the range of IS: 32 bits"
        yield Hit("V010", message, element.path, _show(value))


def _check_uid(element: Element, value: bytes) -> Iterator[Hit]:
    for uid in value.split(b"\\"):
        parts = uid.strip(b" \0").split(b".")
        if len(parts) < 2:
            continue
        root, arc = parts[0], parts[1]
        if root not in (b"0", b"1", b"2") or (root != b"2" and (len(arc) > 2 or int(arc) > 39)):
            message = f"{name_tag(element.tag)} has a root that no UID can have"
            yield Hit("V024", message, element.path)
        elif root == b"1" and int(arc) > 3:  # ISO has assigned 1.0 to 1.3
            message = f"{name_tag(element.tag)} has a root that nobody has assigned"
            yield Hit("V024", message, element.path, severity="warning")


def _check_day(element: Element, value: bytes) -> Iterator[Hit]:
    """Report a day that its month has not; the pattern lets 31 pass everywhere."""
    for part in value.split(b"\\"):
        day = part.strip()[:8]
        if len(day) == 8 and day[6:] > b"28" and not _exists(day):
            message = f"{name_tag(element.tag)} has a day that its month does not have"
            yield Hit("V010", message, element.path, _show(value))


def _exists(day: bytes) -> bool:
    year, month = int(day[:4]), int(day[4:6])
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    longest = 30 if month in _SHORT_MONTHS else 31
    return int(day[6:]) <= ((29 if is_leap else 28) if month == 2 else longest)


def _check_zone(element: Element, value: bytes) -> Iterator[Hit]:
    if element.tag == _ZONE_OFFSET and not _ZONE_FORM.fullmatch(value.strip()):
        message = "TimezoneOffsetFromUTC is no offset: &ZZXX"
        yield Hit("V010", message, element.path, _show(value))


_DETAILS = {
    "DA": _check_day, "DT": _check_day, "IS": _check_integer, "PN": _check_name,
    "SH": _check_zone, "UI": _check_uid,
}  # fmt: skip
