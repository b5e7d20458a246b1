from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from imgconv.core.display import Window
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.dicom.reader import read_images
from imgconv.dicom.writer import write


@pytest.fixture
def shown(tmp_path):
    """Return a function: write a CT slice, change its data set, read how it wants to be shown."""

    def make(change):
        image = Image(np.zeros((1, 4, 6), np.int16), "kji", geometry=Geometry(np.eye(4)))
        options = WriteOptions(extra={"dicom": {"as": "ct"}})
        (path,) = write(image, tmp_path / "a.dcm", options)
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
        (read,) = read_images(path)
        return read.shown_as(0, 0)

    return make


def test_slice_display_windows_in_order(shown):
    def change(dataset):
        dataset.WindowCenter, dataset.WindowWidth = [40, 600], [400, 1600]
        dataset.VOILUTFunction = "SIGMOID"

    assert shown(change).windows == (Window(40, 400, "SIGMOID"), Window(600, 1600, "SIGMOID"))


@pytest.mark.parametrize("width", [0, -5])
def test_slice_display_window_without_width_is_left_out(shown, width):
    def change(dataset):
        dataset.WindowCenter, dataset.WindowWidth = 40, width

    assert shown(change).windows == ()


def test_slice_display_table(shown):
    def change(dataset):
        item = pydicom.Dataset()
        item.add_new("LUTDescriptor", "US", [3, 10, 12])
        item.add_new("LUTData", "US", [0, 2000, 4095])
        dataset.VOILUTSequence = [item]

    (table,) = shown(change).tables
    assert (table.first, table.bits, table.values.tolist()) == (10, 12, [0, 2000, 4095])


def test_slice_display_inverse_presentation(shown):
    def change(dataset):
        dataset.PresentationLUTShape = "INVERSE"

    assert shown(change).inverse


def _overlay(rows, columns, origin, bits):
    def change(dataset):
        block = pydicom.Dataset()
        block.add_new(0x60000010, "US", rows)
        block.add_new(0x60000011, "US", columns)
        block.add_new(0x60000040, "CS", "G")
        block.add_new(0x60000050, "SS", origin)
        block.add_new(0x60000100, "US", 1)
        block.add_new(0x60000102, "US", 0)
        block.add_new(0x60003000, "OW", np.packbits(bits, bitorder="little").tobytes() + b"\0")
        dataset.update(block)

    return change


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ([1, 1], [(0, 0), (0, 1)]),
        ([3, 5], [(2, 4), (2, 5)]),
        ([1, 0], [(0, 0)]),
        ([9, 9], []),
    ],
)
def test_slice_display_overlay_is_placed_by_its_origin(shown, origin, expected):
    (mask,) = shown(_overlay(1, 2, origin, [1, 1])).overlays
    assert [tuple(map(int, place)) for place in np.argwhere(mask)] == expected


def test_slice_display_overlay_larger_than_the_slice_is_cut(shown):
    bits = np.arange(8 * 9).reshape(8, 9) % 2
    (mask,) = shown(_overlay(8, 9, [3, 4], bits.ravel())).overlays
    expected = np.zeros((4, 6), bool)
    expected[2:, 3:] = bits[:2, :3]
    np.testing.assert_array_equal(mask, expected)


def test_slice_display_truncated_overlay_is_left_out(shown):
    assert shown(_overlay(50, 50, [1, 1], [1])).overlays == ()


def test_slice_display_overlay_agrees_with_pydicom():
    path = Path(get_testdata_file("examples_overlay.dcm"))
    (image,) = read_images(path)
    (mask,) = image.shown_as(0, 0).overlays
    np.testing.assert_array_equal(mask, pydicom.dcmread(path).overlay_array(0x6000) != 0)


def test_slice_display_of_a_frame_with_functional_groups(tmp_path):
    samples = np.linspace(10, 30, 24, dtype=np.float32).reshape(1, 4, 6)
    image = Image(samples, "kji", geometry=Geometry(np.eye(4)))
    options = WriteOptions(extra={"dicom": {"as": "parametric-map"}})
    (path,) = write(image, tmp_path / "a.dcm", options)
    (read,) = read_images(path)
    (window,) = read.shown_as(0, 0).windows
    assert (window.center, window.width) == (20, 20)
