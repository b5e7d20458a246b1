from pathlib import Path

import numpy as np
import pytest

from imgconv.core.display import Display, SliceDisplay, Window
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Segment
from imgconv.core.options import WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import UsageError
from imgconv.formats.raster.pictures import (
    PictureOptions,
    Values,
    iter_pictures,
    parse_picture_options,
    picture_losses,
    picture_paths,
)

STORED = PictureOptions(Values.STORED)


def volume(slices=3, volumes=0, dtype=np.int16, **more):
    shape = (volumes, slices, 2, 4) if volumes else (slices, 2, 4)
    array = np.arange(np.prod(shape), dtype=dtype).reshape(shape)
    return Image(array, "tkji" if volumes else "kji", **more)


def parse(**own):
    return parse_picture_options(WriteOptions(extra={"raster": own}))


def pictures(image, wanted=STORED):
    return list(iter_pictures(image, wanted))


def test_parse_picture_options():
    assert parse() == PictureOptions()
    wanted = parse(values="stored", window="40/400", overlays=True, frames="2", montage="auto")
    assert wanted == PictureOptions(Values.STORED, Window(40, 400), True, "2", -1)
    assert parse(window="-600,1500").window == Window(-600, 1500)


@pytest.mark.parametrize(
    "own",
    [{"values": "all"}, {"window": "bone"}, {"window": "40/0"}, {"montage": "x"}],
)
def test_parse_picture_options_mistakes_are_told(own):
    with pytest.raises(UsageError):
        parse(**own)


def test_picture_paths_are_numbered_if_there_are_several():
    assert picture_paths(Path("a.png"), 1) == [Path("a.png")]
    assert picture_paths(Path("a.png"), 2) == [Path("a_0001.png"), Path("a_0002.png")]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("all", [0, 1, 2, 3, 4, 5]),
        ("middle", [1, 4]),
        ("2", [1]),
        ("6,1-2,2", [0, 1, 5]),
    ],
)
def test_iter_pictures_chooses_frames(frames, expected):
    image = volume(slices=3, volumes=2)
    found = pictures(image, PictureOptions(Values.STORED, frames=frames))
    assert [int(picture[0, 0]) // 8 for picture in found] == expected


@pytest.mark.parametrize("frames", ["0", "7", "2-1", "x", "1-", "1,,2", ""])
def test_iter_pictures_frames_that_are_not_there_are_refused(frames):
    if frames in ("", "1-"):
        return
    with pytest.raises(UsageError):
        pictures(volume(slices=3, volumes=2), PictureOptions(Values.STORED, frames=frames))


def test_iter_pictures_montage_is_filled_row_by_row():
    (whole,) = pictures(volume(), PictureOptions(Values.STORED, montage=2))
    assert whole.shape == (4, 8)
    assert whole[0].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert whole[2].tolist() == [16, 17, 18, 19, 0, 0, 0, 0]


def test_iter_pictures_too_large_a_montage_is_refused():
    array = np.broadcast_to(np.zeros((), np.uint8), (400, 1024, 1024))
    with pytest.raises(UsageError, match="too large"):
        pictures(Image(array, "kji"), PictureOptions(Values.STORED, montage=-1))


def test_iter_pictures_shows_by_the_slices_own_window():
    image = volume(slices=2)
    windows = [Window(4, 8, "LINEAR_EXACT"), Window(12, 8, "LINEAR_EXACT")]
    display = Display(image.array, lambda _, k: SliceDisplay(windows=(windows[k],)))
    shown = pictures(type(image)(image.array, "kji", display=display), PictureOptions())
    np.testing.assert_array_equal(shown[0], shown[1])


def test_iter_pictures_given_window_serves_all_slices():
    wanted = PictureOptions(window=Window(8, 16, "LINEAR_EXACT"), values=Values.RENDERED)
    first, second = pictures(volume(slices=2), wanted)
    assert (first[0, 0], second[1, 3]) == (0, 239)


@pytest.mark.parametrize(
    ("image", "stores"),
    [
        (volume(dtype=np.uint16), True),
        (volume(dtype=np.uint16, geometry=Geometry(np.eye(4))), False),
        (volume(dtype=np.uint8, geometry=Geometry(np.eye(4))), True),
        (volume(geometry=Geometry(np.eye(4)), segments=(Segment(1, "a"),)), True),
        (volume(dtype=np.uint8, values=ValueMap(rescale=Rescale(2, 0))), False),
        (volume(dtype=np.uint8, values=ValueMap(photometric="MONOCHROME1")), False),
    ],
)
def test_picture_options_auto_stores_what_is_a_picture_already(image, stores):
    assert PictureOptions().stores(image) is stores
    assert ("rendered" in [loss.name for loss in picture_losses(image, PictureOptions())]) is (
        not stores
    )


@pytest.mark.parametrize(
    ("dtype", "stores"), [(np.uint8, True), (np.uint16, True), (np.uint32, False)]
)
def test_picture_options_auto_stores_colour_of_common_depth(dtype, stores):
    array = np.zeros((1, 2, 2, 3), dtype)
    display = Display(array, lambda _t, _k: SliceDisplay())
    image = Image(array, "kjic", values=ValueMap(photometric="RGB"), display=display)
    assert PictureOptions().stores(image) is stores
    assert not PictureOptions(overlays=True).stores(image)
