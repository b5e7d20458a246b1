"""Volumes packed as tiles of one image: Siemens mosaics and UIH grids.

Source
------
NiBabel's notes on mosaics, https://nipy.org/nibabel/dicom/dicom_mosaic.html;
UIH's DICOM conformance statement (MR VFrame sequence)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.dicom.header import Header
from imgconv.dicom.vendors.csa import CsaHeader, mosaic_tile_count, parse_csa, slice_normal
from imgconv.dicom.vendors.facts import Facts
from imgconv.errors import CorruptData, GeometryError
from imgconv.records import record

__all__ = ["Tiling", "cut_tile", "find_tiling"]

Vector = tuple[float, float, float]

_CSA = "SIEMENS CSA HEADER"
_MR = "SIEMENS MR HEADER"
_SDI = "SIEMENS MR SDI 02"
_UIH = "Image Private Header"


@record
class Tiling:
    """How one image holds the slices of a volume, row by row from the top left.

    Parameters
    ----------
    count
        How many tiles are used.
    per_row
        Tiles side by side.
    rows, columns
        Size of a tile.
    positions
        LPS position of each tile's first voxel; empty if unknown.
    """

    count: int
    per_row: int
    rows: int
    columns: int
    positions: tuple[Vector, ...] = ()


def cut_tile(image: NDArray[Any], tiling: Tiling, tile: int) -> NDArray[Any]:
    """Return the view ``(j, i)`` of tile number `tile`, counted from 0."""
    row, column = divmod(tile, tiling.per_row)
    top, left = row * tiling.rows, column * tiling.columns
    return image[top : top + tiling.rows, left : left + tiling.columns]


def find_tiling(header: Header) -> Tiling | None:
    """Return how the image of a header is tiled, None if it is not.

    Raises
    ------
    CorruptData
        The tiles do not fit the image.
    GeometryError
        It is a mosaic without slice spacing or orientation.
    """
    image_type = header.texts("ImageType")
    if "MOSAIC" in image_type or (not image_type and _is_siemens(header)):
        return _find_mosaic(header)
    if "VFRAME" in image_type:
        return _find_grid(header)
    return None


def _is_siemens(header: Header) -> bool:
    return str(header.get("Manufacturer", "")).upper().startswith("SIEMENS")


def _find_mosaic(header: Header) -> Tiling | None:
    csa = _image_csa(header)
    count = mosaic_tile_count(csa) or _public_count(header)
    if count <= 1:
        if "MOSAIC" in header.texts("ImageType"):
            _require_single(header)
        return None
    tiling = _square_tiling(header, count)
    return Tiling(
        count, tiling.per_row, tiling.rows, tiling.columns, _mosaic_positions(header, csa, tiling)
    )


def _require_single(header: Header) -> None:
    """Raise if a mosaic lacks its number of tiles, but its matrix says that it has some.

    Neither their number nor the direction in which they run can be guessed safely.
    """
    matrix = [size for size in header.numbers("AcquisitionMatrix") if size > 0]
    sides = (header.get("Rows", 0), header.get("Columns", 0))
    # Partial sampling acquires fewer lines than a tile has, never more.
    if matrix and min(sides) >= 2 * max(matrix) and all(side % max(matrix) == 0 for side in sides):
        raise GeometryError(
            "a mosaic without the private attributes that say how many slices it has, "
            "and in which direction",
            path=header.path,
        )


def _image_csa(header: Header) -> CsaHeader:
    blob = Facts(header).private(0x0029, _CSA, 0x10, "OB")
    if not isinstance(blob, bytes):
        return {}
    try:
        return parse_csa(blob)
    except CorruptData as error:
        raise error.with_path(header.path) from error.__cause__


def _public_count(header: Header) -> int:
    """Return the number of tiles by other private attributes: XA has no CSA header."""
    for group, creator, element in ((0x0019, _MR, 0x0A), (0x0021, _SDI, 0x4F)):
        count = header.private(group, creator, element, vr="US")
        if isinstance(count, int):
            return count
    times = header.private(0x0019, _MR, 0x29, vr="FD")
    return len(times) if isinstance(times, tuple) else 0


def _square_tiling(header: Header, count: int) -> Tiling:
    per_row = math.ceil(math.sqrt(count))
    rows, columns = int(header.get("Rows", 0)), int(header.get("Columns", 0))
    if rows % per_row or columns % per_row or not rows or not columns:
        raise CorruptData(
            f"an image of {columns} x {rows} cannot be {per_row} x {per_row} tiles",
            path=header.path,
        )
    return Tiling(count, per_row, rows // per_row, columns // per_row)


def _mosaic_positions(header: Header, csa: CsaHeader, tiling: Tiling) -> tuple[Vector, ...]:
    corner = header.numbers("ImagePositionPatient")
    orientation = header.numbers("ImageOrientationPatient")
    spacing = header.numbers("PixelSpacing")
    step = header.numbers("SpacingBetweenSlices") or header.numbers("SliceThickness")
    if len(corner) != 3 or len(orientation) != 6 or len(spacing) != 2 or not step:
        raise GeometryError("a mosaic without position, orientation or spacing", path=header.path)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    normal = np.cross(row, column)
    stated = slice_normal(csa)
    if stated is not None and np.dot(stated, normal) < 0:
        normal = -normal  # the tiles run against the normal
    # The position is that of a single slice of the mosaic's size around the same centre.
    full_rows, full_columns = int(header.get("Rows")), int(header.get("Columns"))
    first = (
        np.array(corner)
        + row * spacing[1] * (full_columns - tiling.columns) / 2
        + column * spacing[0] * (full_rows - tiling.rows) / 2
    )
    return tuple(_vector(first + normal * step[0] * k) for k in range(tiling.count))


def _find_grid(header: Header) -> Tiling | None:
    items = header.private(0x0065, _UIH, 0x51, (), vr="SQ")
    count = header.private(0x0065, _UIH, 0x50, vr="DS")
    if not isinstance(count, int | float) or count <= 1:
        _require_single(header)
        return None
    positions = tuple(
        _vector(item.numbers("ImagePositionPatient"))
        for item in items
        if len(item.numbers("ImagePositionPatient")) == 3
    )
    if len(positions) != int(count):
        raise GeometryError(
            f"a grid of `{int(count)}` tiles has `{len(positions)}` positions", path=header.path
        )
    tiling = _grid_by_matrix(header, int(count))
    return Tiling(tiling.count, tiling.per_row, tiling.rows, tiling.columns, positions)


def _matrix(header: Header) -> tuple[int, int] | None:
    """Return the size of a tile, columns and rows, from text such as ``64*64``."""
    text = header.private(0x0065, _UIH, 0x04, "", vr="SH")
    parts = text.split("*") if isinstance(text, str) else []
    if len(parts) == 2 and all(part.strip().isdigit() for part in parts):
        return int(parts[0]), int(parts[1])
    return None


def _grid_by_matrix(header: Header, count: int) -> Tiling:
    rows, columns = int(header.get("Rows", 0)), int(header.get("Columns", 0))
    matrix = _matrix(header)
    # Tiles fill a grid that is at most one column wider than high.
    for per_row in (math.ceil(math.sqrt(count)), *range(1, count + 1)):
        per_column = math.ceil(count / per_row)
        if columns % per_row == 0 and rows % per_column == 0:
            tile = Tiling(count, per_row, rows // per_column, columns // per_row)
            if matrix is None or set(matrix) == {tile.rows, tile.columns}:
                return tile
    return _square_tiling(header, count)


def _vector(values: Any) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z
