"""Family B: files that are no DICOM: NIfTI volumes and gradient tables here.

Headers are read here as bytes: a rule must see what is wrong with them.

Source
------
NIfTI-1.1 header (nifti1.h), NIfTI-2 header; BIDS 1.10, MRI data
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from imgconv.rules.instance import Hit
from imgconv.rules.nrrd_files import check_nrrd, is_nrrd
from imgconv.rules.sidecars import (
    check_sidecar,
    check_volume_fields,
    find_companions,
    strip_suffix,
)

__all__ = ["check_other_file", "is_other_format"]

_SUFFIXES = (".nii", ".nii.gz", ".bval", ".bvec", ".json", ".nrrd", ".nhdr")
# Code of the unit of time in a header -> seconds.
_TIME_UNITS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_HEAD_BYTES = 540
_MAX_TABLE_BYTES = 4 << 20


class _Head(NamedTuple):
    """What the rules need of a NIfTI header."""

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    bits: int
    offset: float
    qform: int
    sform: int
    rows: tuple[tuple[float, ...], ...]
    repetition_s: float | None


def is_other_format(path: Path) -> bool:
    """Whether the file's name is that of a format with rules of its own."""
    return path.name.lower().endswith(_SUFFIXES)


def check_other_file(path: Path) -> Iterator[Hit]:
    """Check a NIfTI or NRRD volume, a sidecar or a gradient table (B001 to B008)."""
    name = path.name.lower()
    try:
        if name.endswith(".json"):
            yield from check_sidecar(path)
        elif name.endswith((".bval", ".bvec")):
            yield from _check_table(path)
        elif is_nrrd(path):
            yield from check_nrrd(path)
        else:
            yield from _check_nifti(path)
    except OSError as error:
        yield Hit("F014", f"cannot be read: {error.strerror or type(error).__name__}")


def _read_head(path: Path) -> bytes:
    with path.open("rb") as stream:
        if stream.read(2) != b"\x1f\x8b":
            stream.seek(0)
            return stream.read(_HEAD_BYTES)
    with gzip.open(path) as packed:
        return packed.read(_HEAD_BYTES)


def _parse_head(data: bytes) -> _Head | None:
    """Return the header's fields, None if it is no NIfTI header."""
    if len(data) < 348:
        return None
    for order in "<>":
        size = struct.unpack_from(f"{order}i", data)[0]
        if size == 348 and data[344:348] in (b"n+1\0", b"ni1\0"):
            dims = struct.unpack_from(f"{order}8h", data, 40)
            bits = struct.unpack_from(f"{order}h", data, 72)[0]
            spacing = struct.unpack_from(f"{order}8f", data, 76)
            offset = struct.unpack_from(f"{order}f", data, 108)[0]
            qform, sform = struct.unpack_from(f"{order}hh", data, 252)
            values = struct.unpack_from(f"{order}12f", data, 280)
            units = data[123]
        elif size == 540 and data[4:7] in (b"n+2", b"ni2") and len(data) >= 540:
            dims = struct.unpack_from(f"{order}8q", data, 16)
            bits = struct.unpack_from(f"{order}h", data, 14)[0]
            spacing = struct.unpack_from(f"{order}8d", data, 104)
            offset = struct.unpack_from(f"{order}q", data, 168)[0]
            qform, sform = struct.unpack_from(f"{order}ii", data, 344)
            values = struct.unpack_from(f"{order}12d", data, 400)
            units = struct.unpack_from(f"{order}i", data, 500)[0]
        else:
            continue
        count = dims[0] if 0 <= dims[0] <= 7 else 0
        rows = (values[:4], values[4:8], values[8:])
        scale = _TIME_UNITS.get(units & 0x38)
        time = spacing[4] * scale if scale is not None and count > 3 else None
        shape, sizes = dims[1 : count + 1], spacing[1 : count + 1]
        return _Head(shape, sizes, bits, offset, qform, sform, rows, time)
    return None


def _check_nifti(path: Path) -> Iterator[Hit]:
    try:
        head = _parse_head(_read_head(path))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        yield Hit("B001", "the file is damaged: it cannot be inflated")
        return
    if head is None or not head.shape or min(head.shape) < 1:
        yield Hit("B001", "the file has no valid NIfTI header")
        return
    if not head.qform and not head.sform:
        yield Hit("B002", "neither sform nor qform gives the orientation")
    if head.sform:
        linear = [row[:3] for row in head.rows]
        if not all(math.isfinite(v) for row in head.rows for v in row) or _determinant(linear) == 0:
            yield Hit("B002", "the sform has no inverse")
    if any(not math.isfinite(s) or s <= 0 for s in head.spacing[:3]):
        yield Hit("B003", "a voxel size is not positive")
    if path.suffix.lower() != ".gz":
        expected = math.prod(head.shape) * head.bits // 8 + int(max(head.offset, 0))
        if path.stat().st_size < expected:
            yield Hit("B001", "the file is shorter than its header says")
    yield from _check_companions(path, head)


def _determinant(m: list[tuple[float, ...]]) -> float:
    (a, b, c), (d, e, f), (g, h, i) = m
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _check_companions(path: Path, head: _Head) -> Iterator[Hit]:
    volumes = math.prod(head.shape[3:]) if len(head.shape) > 3 else 1
    tables = [find_companions(path, suffix)[-1:] for suffix in (".bval", ".bvec")]
    present = [found[0] for found in tables if found]
    if len(present) == 1:
        yield Hit("B005", "one of .bval and .bvec is missing")
    elif not present and volumes > 1 and strip_suffix(path).endswith("_dwi"):
        yield Hit("B005", "a diffusion volume has no gradient tables")
    for table in present:
        numbers = _read_table(table)
        if numbers and any(len(row) != volumes for row in numbers):
            yield Hit("B005", f"{table.suffix} has not one entry per volume")
    yield from check_volume_fields(path, head.shape, head.repetition_s)


def _read_table(path: Path) -> list[list[float]] | None:
    if path.stat().st_size > _MAX_TABLE_BYTES:
        return None
    try:
        text = path.read_text(encoding="ascii")
        return [
            [float(word) for word in line.split()] for line in text.splitlines() if line.strip()
        ]
    except ValueError:
        return None


def _check_table(path: Path) -> Iterator[Hit]:
    rows = _read_table(path)
    expected = 3 if path.suffix.lower() == ".bvec" else 1
    if rows is None or len(rows) != expected or len({len(row) for row in rows}) > 1:
        yield Hit("B005", f"the table has not {expected} rows of numbers of equal length")
    elif expected == 3:
        for vector in zip(*rows, strict=True):
            length = math.hypot(*vector)
            if length > 1e-3 and abs(length - 1) > 0.02:
                yield Hit("B005", "a gradient direction is not of unit length", severity="warning")
                return
