"""Segments in the key/value pairs of 3D Slicer's ``.seg.nrrd``.

Source: 3D Slicer developer guide, "Segmentations", segmentation file (.seg.nrrd) format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from imgconv.core.image import Segment
from imgconv.errors import CorruptData

__all__ = ["format_slicer_segments", "parse_slicer_segments"]

Code = tuple[str, str, str]

_KEY = re.compile(r"Segment(\d+)_(\w+)")
_TERMINOLOGY = "TerminologyEntry:"
_MAX_SEGMENTS = 65535
# The places of codes in a terminology entry, parts between tildes.
_PLACES = {"category": 1, "type": 2, "type_modifier": 3, "region": 5, "region_modifier": 6}
_CONTEXTS = {
    0: "Segmentation category and type - DICOM master list",
    4: "Anatomic codes - DICOM master list",
}


def parse_slicer_segments(fields: Mapping[str, str]) -> tuple[Segment, ...]:
    """Return the segments that ``Segment<n>_...`` keys describe, in their order.

    Raises
    ------
    CorruptData
        A number, a layer or a colour is none.
    """
    groups: dict[int, dict[str, str]] = {}
    for key, value in fields.items():
        match = _KEY.fullmatch(key)
        if match is not None:
            groups.setdefault(int(match[1][:9]), {})[match[2]] = value
    if len(groups) > _MAX_SEGMENTS:
        raise CorruptData(f"`{len(groups)}` segments; the limit is {_MAX_SEGMENTS}")
    return tuple(_to_segment(n, groups[n]) for n in sorted(groups))


def format_slicer_segments(
    segments: Iterable[Segment], size_ijk: tuple[int, int, int]
) -> dict[str, str]:
    """Return the key/value pairs that describe `segments`; the extent is the whole image's."""
    extent = " ".join(f"0 {size - 1}" for size in size_ijk)
    fields: dict[str, str] = {}
    for n, segment in enumerate(segments):
        head = f"Segment{n}_"
        if segment.colour is not None:
            fields[f"{head}Color"] = " ".join(f"{part / 255:.6g}" for part in segment.colour)
        fields[f"{head}Extent"] = extent
        fields[f"{head}ID"] = f"Segment_{n + 1}"
        fields[f"{head}LabelValue"] = str(segment.number)
        fields[f"{head}Layer"] = str(segment.layer)
        fields[f"{head}Name"] = _one_line(segment.label)
        if segment.category is not None and segment.type is not None:
            fields[f"{head}Tags"] = f"{_TERMINOLOGY}{_format_terminology(segment)}|"
    return fields


def _to_segment(n: int, fields: Mapping[str, str]) -> Segment:
    try:
        number = int(fields.get("LabelValue", n + 1))
        layer = int(fields.get("Layer", 0))
        colour = tuple(round(float(part) * 255) for part in fields.get("Color", "").split())
    except (ValueError, OverflowError) as error:
        raise CorruptData(f"segment {n} has a label value, layer or colour that is none") from error
    is_colour = len(colour) == 3 and all(0 <= part <= 255 for part in colour)
    return Segment(
        number,
        fields.get("Name", "").strip() or f"Segment {number}",
        colour=(colour[0], colour[1], colour[2]) if is_colour else None,
        layer=layer,
        **_parse_terminology(fields.get("Tags", "")),
    )


def _parse_terminology(tags: str) -> dict[str, Any]:
    for tag in tags.split("|"):
        if tag.startswith(_TERMINOLOGY):
            parts = tag.removeprefix(_TERMINOLOGY).split("~")
            return {
                name: _to_code(parts[place]) if place < len(parts) else None
                for name, place in _PLACES.items()
            }
    return {}


def _to_code(text: str) -> Code | None:
    """Return ``(value, scheme, meaning)`` of ``scheme^value^meaning``."""
    parts = text.split("^")
    return (parts[1], parts[0], parts[2]) if len(parts) == 3 and all(parts) else None


def _format_terminology(segment: Segment) -> str:
    parts = ["^^"] * 7
    for place, text in _CONTEXTS.items():
        parts[place] = text
    for name, place in _PLACES.items():
        code: Code | None = getattr(segment, name)
        if code is not None:
            parts[place] = _one_line(f"{code[1]}^{code[0]}^{code[2]}")
    return "~".join(parts)


def _one_line(text: str) -> str:
    """Replace what would end a line or a part of an entry."""
    return re.sub(r"[\r\n|~]", " ", text)
