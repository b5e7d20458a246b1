"""Family B: NRRD files (B002, B003, B008).

Headers are read here as text: a rule must see what is wrong with them.

Source
------
NRRD file format, teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

from imgconv.rules.instance import Hit

__all__ = ["check_nrrd", "is_nrrd"]

_HEAD_BYTES = 1 << 20
_REQUIRED = ("dimension", "type", "encoding", "sizes")
_SIZES = {
    1: "signed char,int8,int8_t,uchar,unsigned char,uint8,uint8_t",
    2: "short,short int,signed short,signed short int,int16,int16_t,ushort,unsigned short,"
    "unsigned short int,uint16,uint16_t",
    4: "int,signed int,int32,int32_t,uint,unsigned int,uint32,uint32_t,float",
    8: "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t,"
    "ulonglong,unsigned long long,unsigned long long int,uint64,uint64_t,double",
}  # fmt: skip
_BYTES_OF = {name: size for size, names in _SIZES.items() for name in names.split(",")}
_MOST_AXES = 16


def is_nrrd(path: Path) -> bool:
    """Whether the name is that of a NRRD file."""
    return path.name.lower().endswith((".nrrd", ".nhdr"))


def check_nrrd(path: Path) -> Iterator[Hit]:
    """Check header, geometry and, where the data is plain, its length."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    if not head.startswith(b"NRRD000"):
        yield Hit("B008", "the file has no valid NRRD header")
        return
    text, blank, _rest = head.replace(b"\r\n", b"\n").partition(b"\n\n")
    fields = _parse(text.decode("utf-8", "replace"))
    missing = [name for name in _REQUIRED if not fields.get(name)]
    if missing:
        yield Hit("B008", f"the header has no `{missing[0]}`")
        return
    sizes = _numbers(fields["sizes"])
    if not 0 < len(sizes) <= _MOST_AXES or any(size < 1 or size % 1 for size in sizes):
        yield Hit("B008", "`sizes` are no positive whole numbers")
        return
    if _numbers(fields["dimension"]) != [len(sizes)]:
        yield Hit("B008", "`dimension` is not the number of `sizes`")
    yield from _check_data(path, fields, sizes, bool(blank), len(text) + 2)
    yield from _check_geometry(fields)


def _parse(text: str) -> dict[str, str]:
    fields = {}
    for line in text.splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon and not line.startswith("#") and not value.startswith("="):
            fields[name.strip().lower()] = value.strip()
    return fields


def _numbers(text: str) -> list[float]:
    try:
        return [float(word) for word in text.split()]
    except ValueError:
        return []


def _check_data(
    path: Path, fields: Mapping[str, str], sizes: list[float], is_ended: bool, head_bytes: int
) -> Iterator[Hit]:
    size = _BYTES_OF.get(fields["type"].lower(), 0)
    if size > 1 and fields["encoding"].lower() == "raw" and "endian" not in fields:
        yield Hit("B008", "the header has no `endian`, and samples have several bytes")
    detached = fields.get("data file", fields.get("datafile", ""))
    if detached:
        plain = not any(mark in detached for mark in (" ", "%", "LIST"))
        if plain and not (path.parent / detached).is_file():
            yield Hit("B008", "the data file that the header names does not exist")
    elif not is_ended:
        yield Hit("B008", "the header does not end, and names no data file")
    elif (
        fields["encoding"].lower() == "raw"
        and path.stat().st_size - head_bytes < math.prod(sizes) * size
    ):
        yield Hit("B008", "the file is shorter than its header says")


def _check_geometry(fields: Mapping[str, str]) -> Iterator[Hit]:
    directions = fields.get("space directions", "")
    if not directions and not fields.get("space"):
        yield Hit("B002", "no space gives the orientation", severity="warning")
    vectors = [
        _numbers(part.replace(",", " "))
        for part in directions.replace("none", " ").replace("(", " ").split(")")
        if part.strip()
    ]
    spacings = [math.hypot(*vector) for vector in vectors if vector]
    spacings += [abs(n) for n in _numbers(fields.get("spacings", "")) if not math.isnan(n)]
    if any(not math.isfinite(spacing) or spacing == 0 for spacing in spacings):
        yield Hit("B003", "a voxel size is not positive")
