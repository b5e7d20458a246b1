from dataclasses import replace

import numpy as np
import pytest

from imgconv.core.image import Encoded, Image
from imgconv.errors import InternalError


def make(array, axes="kji", **more):
    return Image(array, axes, **more)


def test_image_axes_out_of_order_is_a_bug():
    with pytest.raises(InternalError):
        make(np.zeros((2, 2, 2)), "ijk")


def test_image_axes_that_do_not_fit_is_a_bug():
    with pytest.raises(InternalError):
        make(np.zeros((2, 2)), "kji")


def test_codestreams_of_the_decoded_array_are_given():
    array = np.zeros((1, 2, 2), np.uint8)
    assert make(array, encoded=Encoded((b"jpeg",), array)).codestreams == (b"jpeg",)


def test_codestreams_after_a_change_of_the_array_are_withheld():
    array = np.zeros((1, 2, 2), np.uint8)
    image = make(array, encoded=Encoded((b"jpeg",), array))
    assert replace(image, array=array[:, ::-1]).codestreams == ()
    assert make(array).codestreams == ()
