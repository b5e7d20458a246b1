import struct

import numpy as np
import pytest
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.colour import find_palette, ybr_to_rgb
from imgconv.dicom.header import parse_header
from imgconv.errors import CorruptData

COLOURS = ("Red", "Green", "Blue")


def palette(descriptor, data, *, segmented=False):
    dataset = make_slice()
    prefix = "Segmented" if segmented else ""
    for colour in COLOURS:
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", descriptor)
        setattr(dataset, f"{prefix}{colour}PaletteColorLookupTableData", data)
    return find_palette(parse_header(encode(dataset), "x"))


def test_find_palette_16_bits_stay_16_bits():
    found = palette([3, 0, 16], struct.pack("<3H", 1, 256, 65535))
    assert found.table.dtype == np.uint16
    np.testing.assert_array_equal(found.expand(np.array([2, 0]))[:, 0], [65535, 1])


@pytest.mark.parametrize("factor", [256, 257])
def test_find_palette_16_bits_that_are_8_bits_become_8_bits(factor):
    found = palette([3, 0, 16], struct.pack("<3H", 0, factor, 255 * factor))
    assert found.table.dtype == np.uint8
    assert found.table[:, 0].tolist() == [0, 1, 255]


def test_find_palette_8_bit_entries():
    assert palette([4, 0, 8], bytes([1, 2, 3, 4])).table[:, 2].tolist() == [1, 2, 3, 4]


def test_expand_outside_of_the_table_takes_its_ends():
    found = palette([2, 10, 8], bytes([5, 6]))
    assert found.expand(np.array([0, 10, 11, 99], np.uint8))[:, 0].tolist() == [5, 5, 6, 6]


def test_find_palette_segmented_is_expanded():
    words = [0, 2, 10, 20]  # discrete: 10 20
    words += [1, 2, 40]  # linear: 30 40
    words += [2, 1, 8, 0]  # indirect: the linear segment, 8 bytes behind the start, again
    found = palette([6, 0, 16], struct.pack(f"<{len(words)}H", *words), segmented=True)
    assert found.table[:, 0].tolist() == [10, 20, 30, 40, 40, 40]


@pytest.mark.parametrize("words", [[9, 1, 0], [0, 2, 10], [2, 1, 0, 0], [1, 2, 40], [2, 200, 0, 0]])
def test_find_palette_broken_segments_are_corrupt(words):
    with pytest.raises(CorruptData):
        palette([6, 0, 16], struct.pack(f"<{len(words)}H", *words), segmented=True)


def test_find_palette_short_table_is_corrupt():
    with pytest.raises(CorruptData, match="entries"):
        palette([9, 0, 16], bytes(4))


def test_find_palette_missing_is_corrupt():
    with pytest.raises(CorruptData, match="descriptor"):
        find_palette(parse_header(encode(make_slice()), "x"))


def test_ybr_to_rgb_grey_and_primary_colours():
    ybr = np.array([[[0, 128, 128], [255, 128, 128], [150, 44, 21], [29, 255, 107]]], np.uint8)
    expected = [[0, 0, 0], [255, 255, 255], [0, 255, 1], [0, 0, 254]]
    np.testing.assert_allclose(ybr_to_rgb(ybr)[0], expected, atol=1)


def test_ybr_to_rgb_other_than_8_bits_is_corrupt():
    with pytest.raises(CorruptData):
        ybr_to_rgb(np.zeros((1, 1, 3), np.uint16))
