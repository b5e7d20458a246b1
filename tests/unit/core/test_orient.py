import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray
from imgconv.core.metadata import Metadata
from imgconv.core.orient import flip, permute


def make_image(axes, **metadata):
    lengths = {"t": 2, "k": 3, "j": 4, "i": 5, "c": 3}
    shape = tuple(lengths[letter] for letter in axes)
    array = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    geometry = Geometry(np.diag([2.0, 3.0, 4.0, 1.0]))
    return Image(array, axes, geometry, metadata=Metadata(**metadata))


@pytest.mark.parametrize("axes", ["kji", "tkji", "kjic", "tkjic"])
@pytest.mark.parametrize("order", ["ijk", "jik", "kij", "jki", "kji"])
def test_permute_moves_samples_with_the_geometry(axes, order):
    image = make_image(axes)
    turned = permute(image, order)
    old = dict(zip("ijk", (4, 1, 2), strict=True))
    new = [old[letter] for letter in order]
    pick = {"i": new[0], "j": new[1], "k": new[2], "t": 1, "c": 2}
    before = {**old, "t": 1, "c": 2}
    value = np.asarray(turned.array)[tuple(pick[letter] for letter in axes)]
    assert value == image.array[tuple(before[letter] for letter in axes)]
    place = turned.geometry.affine @ [*new, 1]
    np.testing.assert_allclose(place, image.geometry.affine @ [4, 1, 2, 1])


@pytest.mark.parametrize("axes", ["kji", "tkji", "kjic", "tkjic"])
@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_flip_moves_samples_with_the_geometry(axes, axis):
    image = make_image(axes)
    flipped = flip(image, axis)
    np.testing.assert_array_equal(flipped.array, np.flip(image.array, axes.index(axis)))
    length = image.array.shape[axes.index(axis)]
    index = [1, 1, 1, 1]
    index["ijk".index(axis)] = length - 2
    np.testing.assert_allclose(
        flipped.geometry.affine @ index, image.geometry.affine @ [1, 1, 1, 1]
    )


def test_a_lazy_array_changes_as_a_plain_one():
    image = make_image("tkji")
    lazy = LazyArray(image.array.shape, image.array.dtype, lambda t: image.array[t])
    turned = flip(permute(Image(lazy, "tkji", image.geometry), "jki"), "i")
    expected = flip(permute(image, "jki"), "i")
    np.testing.assert_array_equal(np.asarray(turned.array), expected.array)


def test_bids_fields_follow_the_axes():
    bids = {"PhaseEncodingDirection": "j", "SliceTiming": [0, 1, 2]}
    image = make_image("kji", bids=bids)
    assert flip(image, "j").metadata.bids["PhaseEncodingDirection"] == "j-"
    assert flip(image, "k").metadata.bids["SliceTiming"] == [2, 1, 0]
    turned = permute(image, "kij").metadata.bids
    assert turned["PhaseEncodingDirection"] == "k"
    assert turned["SliceEncodingDirection"] == "i"


def test_flip_of_slices_alone_reverses_what_is_known_of_each_slice():
    image = make_image("kji", per_slice={"SliceLocation": ((10, 20, 30),)})
    for axis, expected in (("i", (10, 20, 30)), ("j", (10, 20, 30)), ("k", (30, 20, 10))):
        assert flip(image, axis).metadata.per_slice["SliceLocation"] == (expected,)
