from pathlib import Path

import numpy as np
import pytest

from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData
from imgconv.formats.raster.page import Page, require_size, scale_to_bytes, to_images

SOURCE = Path("a.tif")
CORNERS = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)

# What each orientation says of the stored first row and column; EXIF 2.32 4.6.4.
UPRIGHT = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[4, 1], [5, 2], [6, 3]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[3, 6], [2, 5], [1, 4]],
}


@pytest.mark.parametrize(("orientation", "expected"), UPRIGHT.items())
def test_to_images_turns_the_picture_upright(orientation, expected):
    (image,) = to_images([Page(CORNERS, orientation=orientation, bits_stored=8)], SOURCE)
    assert image.array[0].tolist() == expected


def test_to_images_turned_picture_has_no_codestream():
    upright, turned = (
        next(to_images([Page(CORNERS, orientation=n, codestream=b"x")], SOURCE)) for n in (1, 6)
    )
    assert upright.codestreams == (b"x",)
    assert turned.codestreams == ()


def test_to_images_pages_of_one_size_are_slices():
    (image,) = to_images([Page(CORNERS), Page(CORNERS + 1)], SOURCE)
    assert image.array.shape == (2, 2, 3)
    assert image.name == ""


def test_to_images_pages_of_several_sizes_are_images_named_by_their_first_page():
    images = list(to_images([Page(CORNERS), Page(CORNERS), Page(CORNERS.T)], SOURCE))
    assert [image.array.shape for image in images] == [(2, 2, 3), (1, 3, 2)]
    assert [image.name for image in images] == ["page-1", "page-3"]


@pytest.mark.parametrize(("bits", "white"), [(1, 1), (2, 3), (4, 15)])
def test_scale_to_bytes_keeps_black_and_white(bits, white):
    assert scale_to_bytes(np.array([0, white]), bits).tolist() == [0, 255]


@pytest.mark.parametrize("size", [(0, 5), (5, 0)])
def test_require_size_zero_is_refused(size):
    with pytest.raises(CorruptData):
        require_size(*size, bytes_per_pixel=1, file_bytes=100, options=ReadOptions())


def test_require_size_large_picture_in_a_large_file_is_fine():
    require_size(30000, 30000, bytes_per_pixel=3, file_bytes=50 << 20, options=ReadOptions())
    with pytest.raises(CorruptData, match="bomb"):
        require_size(30000, 30000, bytes_per_pixel=3, file_bytes=1000, options=ReadOptions())
