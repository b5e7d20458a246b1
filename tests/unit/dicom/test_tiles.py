import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.header import parse_header
from imgconv.dicom.tiles import Tiling, cut_tile, find_tiling
from imgconv.errors import CorruptData, GeometryError


def grid(count, rows, columns, matrix=None, positions=None):
    dataset = make_slice(ImageType=["ORIGINAL", "PRIMARY", "M", "VFRAME"])
    dataset.Rows, dataset.Columns = rows, columns
    del dataset.ImagePositionPatient
    block = dataset.private_block(0x0065, "Image Private Header", create=True)
    if matrix:
        block.add_new(0x04, "SH", matrix)
    block.add_new(0x50, "DS", str(count))
    items = []
    for z in range(count if positions is None else positions):
        item = Dataset()
        item.ImagePositionPatient = [1, 2, 3 * z]
        items.append(item)
    block.add_new(0x51, "SQ", items)
    return parse_header(encode(dataset), "x")


@pytest.mark.parametrize(
    ("count", "rows", "columns", "matrix", "expected"),
    [
        (20, 256, 320, "64*64", (5, 64, 64)),
        (9, 30, 30, "10*10", (3, 10, 10)),
        (2, 10, 20, "10*10", (2, 10, 10)),
        (9, 30, 30, None, (3, 10, 10)),
    ],
)
def test_find_tiling_of_a_grid(count, rows, columns, matrix, expected):
    tiling = find_tiling(grid(count, rows, columns, matrix))
    assert (tiling.per_row, tiling.rows, tiling.columns) == expected
    assert tiling.positions[-1] == (1, 2, 3 * (count - 1))


def test_find_tiling_grid_without_all_positions_is_refused():
    with pytest.raises(GeometryError, match="3"):
        find_tiling(grid(4, 20, 20, positions=3))


def test_find_tiling_grid_that_does_not_fit_is_corrupt():
    with pytest.raises(CorruptData):
        find_tiling(grid(4, 21, 23))


def test_find_tiling_plain_image_has_none():
    assert find_tiling(parse_header(encode(make_slice()), "x")) is None


def test_find_tiling_mosaic_without_spacing_is_refused():
    dataset = make_slice(ImageType=["ORIGINAL", "PRIMARY", "MOSAIC"])
    dataset.Rows = dataset.Columns = 4
    del dataset.SliceThickness
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 4)
    with pytest.raises(GeometryError):
        find_tiling(parse_header(encode(dataset), "x"))


@pytest.mark.parametrize("element", [0x0A, 0x29])
def test_find_tiling_mosaic_without_csa_header(element):
    dataset = make_slice(ImageType=["ORIGINAL", "PRIMARY", "MOSAIC"])
    dataset.Rows = dataset.Columns = 4
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(element, *(("US", 3) if element == 0x0A else ("FD", [0.0, 1.0, 2.0])))
    assert find_tiling(parse_header(encode(dataset), "x")).count == 3


def test_find_tiling_mosaic_without_image_type():
    dataset = make_slice(Manufacturer="SIEMENS")
    dataset.Rows = dataset.Columns = 4
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 3)
    assert find_tiling(parse_header(encode(dataset), "x")) is None  # a derived image keeps it
    del dataset.ImageType
    assert find_tiling(parse_header(encode(dataset), "x")).count == 3
    dataset.Manufacturer = "OTHER"
    assert find_tiling(parse_header(encode(dataset), "x")) is None


@pytest.mark.parametrize("kind", ["MOSAIC", "VFRAME"])
@pytest.mark.parametrize(
    ("matrix", "refused"),
    [([4, 0, 0, 4], True), ([0, 4, 3, 0], True), ([12, 0, 0, 12], False), (None, False)],
)
def test_find_tiling_mosaic_whose_number_of_tiles_was_removed_is_refused(kind, matrix, refused):
    dataset = make_slice(ImageType=["ORIGINAL", "PRIMARY", kind])
    dataset.Rows = dataset.Columns = 12
    dataset.AcquisitionMatrix = matrix
    header = parse_header(encode(dataset), "x")
    if refused:
        with pytest.raises(GeometryError, match="private attributes"):
            find_tiling(header)
    else:
        assert find_tiling(header) is None


def test_cut_tile_takes_rows_of_tiles():
    image = np.arange(24).reshape(4, 6)
    np.testing.assert_array_equal(cut_tile(image, Tiling(6, 3, 2, 2), 4), [[14, 15], [20, 21]])
