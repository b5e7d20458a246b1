"""Descriptions of labels: read from JSON, CSV, TSV and colour tables, written as JSON.

Read, told apart by content:

- JSON of dcmqi (``segmentAttributes``), our own JSON is the same;
- JSON with ``labels`` (nnU-Net: name -> number), or number -> name;
- CSV and TSV with a header line: `number` (also ``label``, ``index``, ``value``, ``id``)
  and `name`, then optionally `colour` (``#rrggbb`` or three numbers), `category`,
  `type`, `type_modifier`, `region`, `region_modifier` (``SCT^10200004^Liver``),
  `algorithm_type`, `algorithm_name`, `description`, `layer`;
- colour tables of 3D Slicer, ITK-SNAP and FreeSurfer.

Source: dcmqi's seg-schema.json; BIDS 1.10 (``dseg.tsv``); PS3.3 C.8.20.2.
"""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from imgconv.core.atomic import write_bytes
from imgconv.core.image import Segment
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = [
    "SegmentTable",
    "find_segment_table",
    "format_segments",
    "parse_code",
    "parse_segments",
    "read_segments",
    "write_segment_table",
]

Code = tuple[str, str, str]

_TABLE_SUFFIX = ".segments.json"
_MAX_BYTES = 1 << 24
_MAX_NUMBER = 65535  # Segment Number is US; PS3.3 C.8.20.2

# Our field -> names that users give the column, in lower case without spaces.
_COLUMNS = {
    "number": ("number", "label", "labelid", "index", "value", "id", "labelvalue"),
    "label": ("name", "segmentlabel", "structure", "labelname"),
    "colour": ("colour", "color", "rgb", "hex"),
    "category": ("category",),
    "type": ("type",),
    "type_modifier": ("type_modifier", "modifier", "laterality"),
    "region": ("region",),
    "region_modifier": ("region_modifier",),
    "algorithm_type": ("algorithm_type", "segmentalgorithmtype"),
    "algorithm_name": ("algorithm_name", "segmentalgorithmname"),
    "description": ("description", "segmentdescription"),
    "layer": ("layer",),
}
_CODE_FIELDS = ("category", "type", "type_modifier", "region", "region_modifier")
_TEXT_FIELDS = {
    "label": "SegmentLabel",
    "algorithm_type": "SegmentAlgorithmType",
    "algorithm_name": "SegmentAlgorithmName",
    "description": "SegmentDescription",
    "tracking_id": "TrackingIdentifier",
    "tracking_uid": "TrackingUniqueIdentifier",
}
_DCMQI_CODES = {
    "category": "SegmentedPropertyCategoryCodeSequence",
    "type": "SegmentedPropertyTypeCodeSequence",
    "type_modifier": "SegmentedPropertyTypeModifierCodeSequence",
    "region": "AnatomicRegionSequence",
    "region_modifier": "AnatomicRegionModifierSequence",
}
_ALGORITHMS = ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL")
_SCHEME = re.compile(
    r"SCT|SRT|SNM3|99\w+|DCM|UCUM|FMA|RADLEX|UBERON|NCIt|LN|UMLS|MSH|ICD\w*|I\d+C?"
)


@record
class SegmentTable:
    """Segments, and what the table says of the whole object.

    `attributes` maps DICOM keywords (``SeriesDescription``) to values.
    """

    segments: tuple[Segment, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


def read_segments(path: Path) -> SegmentTable:
    """Read a description of labels.

    Raises
    ------
    CorruptData
        It cannot be read or understood, numbers a label twice, or numbers
        one outside 1 to 65535.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise CorruptData(f"a segment table of more than {_MAX_BYTES} bytes", path=path)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CorruptData("the segment table cannot be read", path=path) from error
    except UnicodeDecodeError as error:
        raise CorruptData("the segment table is not UTF-8 text", path=path) from error
    try:
        return parse_segments(text)
    except CorruptData as error:
        raise error.with_path(path) from error


def parse_segments(text: str) -> SegmentTable:
    """Parse a description of labels; see `read_segments`."""
    stripped = text.lstrip()
    if stripped.startswith(("{", "[")):
        table = _parse_json(stripped)
    elif _is_colour_table(text):
        table = SegmentTable(tuple(_iter_colour_table(text)))
    else:
        table = SegmentTable(tuple(_iter_rows(text)))
    _require_distinct(table.segments)
    return table


def format_segments(
    segments: Iterable[Segment], attributes: Mapping[str, Any] | None = None
) -> str:
    """Return the JSON that `parse_segments` and dcmqi read, one list per layer."""
    layers: dict[int, list[dict[str, Any]]] = {}
    for segment in segments:
        layers.setdefault(segment.layer, []).append(_to_dcmqi(segment))
    whole = {**(attributes or {}), "segmentAttributes": [layers[n] for n in sorted(layers)]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def write_segment_table(segments: Iterable[Segment], base: Path) -> Path:
    """Write the description of labels beside an image that cannot hold it.

    Parameters
    ----------
    base
        The image's path without extension.

    Returns
    -------
    Path
        ``<base>.segments.json``, which `find_segment_table` finds.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    path = base.with_name(base.name + _TABLE_SUFFIX)
    write_bytes(path, format_segments(segments).encode())
    return path


def find_segment_table(image_path: Path) -> Path | None:
    """Return the description beside an image, None if there is none."""
    name = image_path.name.removesuffix(".gz")
    path = image_path.with_name(name.rpartition(".")[0] + _TABLE_SUFFIX)
    return path if path.is_file() else None


def parse_code(text: str) -> Code | None:
    """Parse ``scheme^value^meaning`` or ``value^scheme^meaning``; None for an empty text.

    Raises
    ------
    CorruptData
        It has not three parts, or neither of the first two is a coding scheme.
    """
    parts = [part.strip() for part in text.split("^")]
    if not any(parts):
        return None
    if len(parts) == 3 and all(parts):
        first, second, meaning = parts
        if _SCHEME.fullmatch(first):
            return second, first, meaning
        if _SCHEME.fullmatch(second):
            return first, second, meaning
    raise CorruptData("a code is not `scheme^value^meaning`, such as `SCT^10200004^Liver`")


def _require_distinct(segments: tuple[Segment, ...]) -> None:
    seen: set[tuple[int, int]] = set()
    for segment in segments:
        if not 1 <= segment.number <= _MAX_NUMBER:
            raise CorruptData(
                f"label `{segment.number}`; expected a number from 1 to {_MAX_NUMBER}"
            )
        if (segment.layer, segment.number) in seen:
            raise CorruptData(f"label `{segment.number}` is described twice")
        seen.add((segment.layer, segment.number))


# --- JSON -----------------------------------------------------------------------------------------


def _parse_json(text: str) -> SegmentTable:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptData("the segment table is no valid JSON") from error
    if isinstance(whole, list):
        whole = {"segmentAttributes": whole}
    groups = whole.get("segmentAttributes")
    if groups is None:
        labels = whole.get("labels", whole)
        return SegmentTable(tuple(_iter_plain(labels)))
    if not isinstance(groups, list):
        raise CorruptData("`segmentAttributes` is not a list")
    if not groups or isinstance(groups[0], Mapping):
        groups = [groups]
    segments = tuple(
        _from_dcmqi(item, layer) for layer, group in enumerate(groups) for item in _items(group)
    )
    attributes = {
        key: value
        for key, value in whole.items()
        if key[:1].isupper() and isinstance(value, str) and value
    }
    return SegmentTable(segments, attributes)


def _items(group: Any) -> list[Mapping[str, Any]]:
    if not isinstance(group, list) or not all(isinstance(item, Mapping) for item in group):
        raise CorruptData("`segmentAttributes` is not a list of lists of objects")
    return group


def _iter_plain(labels: Any) -> Iterable[Segment]:
    """Yield segments of ``{"liver": 1}`` or ``{"1": "liver"}``; 0 is the background."""
    if not isinstance(labels, Mapping):
        raise CorruptData("`labels` is not an object")
    for key, value in labels.items():
        number, name = (value, key) if isinstance(value, int) else (key, value)
        if not isinstance(name, str) or isinstance(number, bool):
            raise CorruptData("a label is neither name and number nor number and name")
        found = _to_integer(number)
        if found != 0:
            yield Segment(found, name)


def _from_dcmqi(item: Mapping[str, Any], layer: int) -> Segment:
    fields: dict[str, Any] = {
        name: str(item[key]) for name, key in _TEXT_FIELDS.items() if item.get(key)
    }
    for name, key in _DCMQI_CODES.items():
        fields[name] = _code_from_json(item.get(key))
    number = _to_integer(item.get("labelID", item.get("number", layer + 1)))
    label = fields.pop("label", "") or str(item.get("name", ""))
    if not label:
        label = (fields["type"] or ("", "", f"Segment {number}"))[2]
    colour = item.get("recommendedDisplayRGBValue", item.get("colour"))
    return Segment(
        number,
        label,
        colour=None if colour is None else _to_colour(colour),
        layer=layer,
        **_checked(fields),
    )


def _code_from_json(value: Any) -> Code | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None:
        return None
    keys = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    if not isinstance(value, Mapping) or not all(isinstance(value.get(key), str) for key in keys):
        raise CorruptData(f"a code is not an object with {', '.join(keys)}")
    return value["CodeValue"], value["CodingSchemeDesignator"], value["CodeMeaning"]


def _to_dcmqi(segment: Segment) -> dict[str, Any]:
    item: dict[str, Any] = {"labelID": segment.number}
    for name, key in _TEXT_FIELDS.items():
        if getattr(segment, name):
            item[key] = getattr(segment, name)
    for name, key in _DCMQI_CODES.items():
        code = getattr(segment, name)
        if code is not None:
            names = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
            item[key] = dict(zip(names, code, strict=True))
    if segment.colour is not None:
        item["recommendedDisplayRGBValue"] = list(segment.colour)
    return item


# --- tables ---------------------------------------------------------------------------------------


def _iter_rows(text: str) -> Iterable[Segment]:
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise CorruptData("the segment table is empty")
    delimiter = max("\t;,", key=lines[0].count)
    try:
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise CorruptData("the segment table is no valid CSV") from error
    names = _name_columns(rows[0])
    for row in rows[1:]:
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}
        if _to_integer(cells.get("number", "")) != 0:
            yield _from_cells(cells)


def _name_columns(header: list[str]) -> list[str]:
    """Return our field for each column, empty for others."""
    asked = [cell.strip().lower().replace(" ", "").replace("colour", "color") for cell in header]
    found = []
    for cell in asked:
        matches = [
            field
            for field, names in _COLUMNS.items()
            if cell in names or cell in (field, field.replace("_", ""))
        ]
        found.append(matches[0] if matches and matches[0] not in found else "")
    if "number" not in found or "label" not in found:
        raise CorruptData("the segment table has no columns `number` and `name`")
    return found


def _from_cells(cells: Mapping[str, str]) -> Segment:
    fields: dict[str, Any] = {k: v for k, v in cells.items() if v and k in _TEXT_FIELDS}
    for name in _CODE_FIELDS:
        fields[name] = parse_code(cells.get(name, ""))
    colour = cells.get("colour", "")
    label = fields.pop("label", "")
    number = _to_integer(cells["number"])
    if not label:
        raise CorruptData(f"label `{number}` has no name")
    return Segment(
        number,
        label,
        colour=_to_colour(colour) if colour else None,
        layer=_to_integer(cells.get("layer") or "0"),
        **_checked(fields),
    )


def _is_colour_table(text: str) -> bool:
    """Whether the first line with data is a number, a name and colours in some order."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            words = line.split()
            return len(words) >= 5 and words[0].isdigit() and "," not in line
    return False


def _iter_colour_table(text: str) -> Iterable[Segment]:
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            words = shlex.split(line, posix=True)
        except ValueError as error:
            raise CorruptData("a line of the colour table has an unbalanced quote") from error
        if len(words) >= 8 and all(word.replace(".", "").isdigit() for word in words[:7]):
            number, name, colours = words[0], " ".join(words[7:]), words[1:4]  # ITK-SNAP
        elif len(words) >= 5:
            number, name, colours = words[0], " ".join(words[1:-4]), words[-4:-1]
            if not name:  # a table without alpha
                name, colours = " ".join(words[1:-3]), words[-3:]
        else:
            raise CorruptData("a line of the colour table is not `number name red green blue`")
        found = _to_integer(number)
        if found != 0:
            yield Segment(found, name.replace("_", " "), colour=_to_colour(colours))


# --- values ---------------------------------------------------------------------------------------


def _checked(fields: dict[str, Any]) -> dict[str, Any]:
    algorithm = fields.get("algorithm_type", "").upper()
    if algorithm and algorithm not in _ALGORITHMS:
        raise CorruptData(f"an algorithm type is none of {', '.join(_ALGORITHMS)}")
    return {**fields, "algorithm_type": algorithm} if algorithm else fields


def _to_integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise CorruptData("a label's number is not an integer") from error


def _to_colour(value: Any) -> tuple[int, int, int]:
    """Return 8-bit colour of ``#rrggbb``, ``"1 2 3"``, or three numbers up to 255."""
    words = value
    if isinstance(value, str):
        text = value.strip().lstrip("#")
        if re.fullmatch(r"[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?", text):
            return int(text[0:2], 16), int(text[2:4], 16), int(text[4:6], 16)
        words = re.split(r"[\s,;]+", value.strip("()[] "))
    try:
        red, green, blue = (int(float(word)) for word in words[:3])
    except (TypeError, ValueError, OverflowError) as error:
        raise CorruptData("a colour is neither `#rrggbb` nor three numbers") from error
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise CorruptData("a colour has a part outside 0 to 255")
    return red, green, blue
