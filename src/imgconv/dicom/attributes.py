"""Turn words and numbers into DICOM elements that are valid for their VR.

Values that come from a sidecar, a metadata file or the command line pass
through `make_element`; no message ever shows a value.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydicom import config
from pydicom.datadict import dictionary_VM, dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import validate_value

from imgconv.errors import UsageError

__all__ = ["find_tag", "format_ds", "make_element", "name_of", "parse_text"]

_INTEGER_VRS = {
    "US": (0, 0xFFFF),
    "SS": (-0x8000, 0x7FFF),
    "UL": (0, 0xFFFFFFFF),
    "SL": (-0x80000000, 0x7FFFFFFF),
    "UV": (0, 2**64 - 1),
    "SV": (-(2**63), 2**63 - 1),
    "IS": (-(2**31), 2**31 - 1),
}
_FLOAT_VRS = frozenset({"FL", "FD", "DS"})
_BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW"})
# Text VRs in which a backslash is a character, not a separator; PS3.5 6.2.
_SINGLE_TEXT_VRS = frozenset({"LT", "ST", "UT", "UR"})
_DS_LENGTH = 16  # PS3.5 6.2
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,6})?\d*)?")
_DATE_TIME = re.compile(rf"{_DATE.pattern}[T ]{_TIME.pattern}")
_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),? ?([0-9A-Fa-f]{4})\)?")
# PS3.3 C.7.1.1.1, C.7.3.1: enumerated values that PACS and the checkers insist on.
_ENUMERATED = {
    "PatientSex": ("M", "F", "O"),
    "Laterality": ("L", "R"),
    "ImageLaterality": ("L", "R", "U", "B"),
    "BurnedInAnnotation": ("YES", "NO"),
    "MRAcquisitionType": ("2D", "3D", "1D"),
    "PatientIdentityRemoved": ("YES", "NO"),
}


def find_tag(name: str) -> BaseTag | None:
    """Return the tag of a keyword, of ``(0010,0020)`` or of ``00100020``; None if unknown."""
    tag = tag_for_keyword(name) if name else None
    if tag is None and (match := _TAG.fullmatch(name)) is not None:
        tag = int(match[1] + match[2], 16)
        if not keyword_for_tag(tag):
            return None
    return None if tag is None else Tag(tag)


def name_of(tag: int) -> str:
    """Return the keyword of a tag, or its number if it has none."""
    return keyword_for_tag(tag) or str(Tag(tag))


def make_element(name: str, value: Any) -> DataElement:
    """Return the element `name` with `value`, which is valid for its VR.

    Parameters
    ----------
    name
        A keyword or a tag.
    value
        A string (values separated by backslashes), a number, a date or time
        of Python or in ISO 8601, a list of them, a mapping or a list of
        mappings for a sequence, or None for an empty value.

    Raises
    ------
    UsageError
        The attribute is unknown, or the value is not valid for it. The
        message names the attribute and the VR, never the value.
    """
    tag = find_tag(name)
    if tag is None:
        raise UsageError(
            f"unknown attribute `{name}`; expected a DICOM keyword or a tag (gggg,eeee)"
        )
    keyword = name_of(tag)
    vr = dictionary_VR(tag).split(" or ")[0]
    if vr == "SQ":
        return DataElement(tag, vr, _make_items(keyword, value))
    if vr in _BINARY_VRS:
        if value in (None, "") or isinstance(value, bytes):
            return DataElement(tag, vr, value or b"")
        raise UsageError(f"`{keyword}` holds bytes (VR {vr}), which cannot be given as text")
    values = [_convert(keyword, vr, one) for one in _split(vr, value)]
    _require_multiplicity(keyword, tag, len(values))
    _require_enumerated(keyword, values)
    if not values:
        return DataElement(tag, vr, None)
    return DataElement(tag, vr, values[0] if len(values) == 1 else values)


def format_ds(value: float) -> str:
    """Return a Decimal String of at most 16 characters, the closest there is to `value`.

    The shortest text that gives exactly `value` is taken if it fits; others
    differ by less than 1e-8 of it, for most 1e-13.

    Raises
    ------
    UsageError
        The value is not finite.

    Source
    ------
    PS3.5 6.2
    """
    if not math.isfinite(value):
        raise UsageError("a number is not finite; Decimal Strings hold finite numbers only")
    exact = repr(float(value)).removesuffix(".0")
    if len(exact) <= _DS_LENGTH:
        return exact
    texts = (f"{value:.{digits}g}" for digits in range(16, 0, -1))
    return next(t for t in texts if len(t) <= _DS_LENGTH and math.isfinite(float(t)))


def parse_text(text: str) -> tuple[str, str]:
    """Split ``Keyword=value`` at its first equals sign.

    Raises
    ------
    UsageError
        There is none, or nothing stands in front of it.
    """
    name, sign, value = text.partition("=")
    if not sign or not name.strip():
        raise UsageError("an assignment has no `=`", hint="write it as `--set PatientID=value`")
    return name.strip(), value


def _split(vr: str, value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    if isinstance(value, str) and vr not in _SINGLE_TEXT_VRS:
        return value.split("\\")
    if isinstance(value, Mapping):
        return [value]
    if isinstance(value, Sequence | Iterable) and not isinstance(value, str | bytes):
        return list(value)
    return [value]


def _convert(keyword: str, vr: str, value: Any) -> Any:
    """Return one value in the type that pydicom wants for `vr`."""
    try:
        converted = _convert_typed(vr, value)
        if isinstance(converted, str):
            validate_value(vr, converted, config.RAISE)
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"the value of `{keyword}` is not valid for its VR {vr}") from error
    return converted


def _convert_typed(vr: str, value: Any) -> Any:
    if isinstance(value, bool):
        raise TypeError("no VR holds a truth value")
    if vr in _INTEGER_VRS:
        return _to_integer(vr, value)
    if vr in _FLOAT_VRS:
        number = float(value)
        if not math.isfinite(number):
            raise ValueError("not finite")
        return format_ds(number) if vr == "DS" else number
    if vr == "AT":
        tag = find_tag(str(value))
        if tag is None:
            raise ValueError("no tag")
        return tag
    if vr == "PN" and isinstance(value, Mapping):  # DICOM JSON Model, PS3.18 F.2.2
        groups = [str(value.get(k, "")) for k in ("Alphabetic", "Ideographic", "Phonetic")]
        return "=".join(groups).rstrip("=")
    if isinstance(value, Mapping | bytes):
        raise TypeError("not a text")
    return _to_text(vr, value)


def _to_integer(vr: str, value: Any) -> int | str:
    number = int(value) if isinstance(value, str) else value
    if isinstance(number, float) and not number.is_integer():
        raise ValueError("not an integer")
    number = int(number)
    low, high = _INTEGER_VRS[vr]
    if not low <= number <= high:
        raise ValueError("out of range")
    return str(number) if vr == "IS" else number


def _to_text(vr: str, value: Any) -> str:
    text = value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
    if vr not in _SINGLE_TEXT_VRS and any(ord(c) < 32 and c != "\x1b" for c in text):
        raise ValueError("control characters")
    if vr == "DA" and (match := _DATE.fullmatch(text)):
        return "".join(match.groups())
    if vr == "TM" and (match := _TIME.fullmatch(text)):
        return "".join(group or "" for group in match.groups())
    if vr == "DT" and (match := _DATE_TIME.fullmatch(text)):
        return "".join(group or "" for group in match.groups())
    return text.strip() if vr in ("CS", "UI", "DA", "TM", "DT", "AS", "AE") else text


def _make_items(keyword: str, value: Any) -> list[Dataset]:
    if value in (None, ""):
        return []
    items = value if isinstance(value, list | tuple) else [value]
    datasets = []
    for item in items:
        if isinstance(item, Dataset):
            datasets.append(item)
            continue
        if not isinstance(item, Mapping):
            raise UsageError(f"`{keyword}` is a sequence; expected a list of objects with keywords")
        dataset = Dataset()
        for name, inner in item.items():
            dataset.add(make_element(str(name), inner))
        datasets.append(dataset)
    return datasets


def _require_multiplicity(keyword: str, tag: int, count: int) -> None:
    """Compare with the dictionary's VM: ``1``, ``1-3``, ``2-n``, ``3-3n``."""
    low, _, high = dictionary_VM(tag).partition("-")
    if count == 0:
        return
    if high.endswith("n"):
        step = int(high[:-1] or 1)
        fits = count >= int(low) and (step == 1 or count % step == 0)
    else:
        fits = int(low) <= count <= int(high or low)
    if not fits:
        raise UsageError(
            f"`{keyword}` has {count} values; its multiplicity is {dictionary_VM(tag)}"
        )


def _require_enumerated(keyword: str, values: list[Any]) -> None:
    allowed = _ENUMERATED.get(keyword)
    if allowed is not None and any(value not in allowed for value in values):
        raise UsageError(f"the value of `{keyword}` is none of {', '.join(allowed)}")
