from dataclasses import replace

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Segment
from imgconv.core.layers import stack_layers
from imgconv.errors import GeometryError, UnsupportedData


def label_map(value, shift=0.0, shape=(2, 3, 4)):
    affine = np.eye(4)
    affine[0, 3] = shift
    array = np.full(shape, value, np.uint8)
    return Image(array, "kji", geometry=Geometry(affine), segments=(Segment(value, f"s{value}"),))


def test_stack_layers_puts_images_behind_each_other():
    stacked = stack_layers([label_map(1), label_map(1), label_map(5)])
    assert stacked.axes == "tkji"
    assert [int(volume.max()) for volume in stacked.iter_volumes()] == [1, 1, 5]
    assert [(s.number, s.layer) for s in stacked.segments] == [(1, 0), (1, 1), (5, 2)]


def test_stack_layers_one_stays_as_it_is():
    image = label_map(1)
    assert stack_layers([image]) is image


@pytest.mark.parametrize("other", [label_map(1, shift=0.1), label_map(1, shape=(2, 3, 5))])
def test_stack_layers_of_other_grids_are_refused(other):
    with pytest.raises(GeometryError):
        stack_layers([label_map(1), other])


def test_stack_layers_with_and_without_position_are_refused():
    with pytest.raises(GeometryError):
        stack_layers([label_map(1), replace(label_map(1), geometry=None)])


def test_stack_layers_of_nothing_or_of_time_are_unsupported():
    with pytest.raises(UnsupportedData):
        stack_layers([])
    time = Image(np.zeros((2, 2, 3, 4)), "tkji")
    with pytest.raises(UnsupportedData):
        stack_layers([time, time])
