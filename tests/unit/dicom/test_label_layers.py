import numpy as np
import pytest

from imgconv.dicom.label_layers import MAX_LAYERS, Layers
from imgconv.errors import UnsupportedData


def mask(*columns):
    found = np.zeros((1, 4), bool)
    found[0, list(columns)] = True
    return {0: found}


def test_layers_share_a_volume_as_long_as_nothing_overlaps():
    layers = Layers((1, 1, 4), 3)
    assert [layers.place(mask(n), n + 1, 0) for n in range(3)] == [0, 0, 0]
    assert layers.array().tolist() == [[[1, 2, 3, 0]]]
    assert layers.array().dtype == np.uint8


def test_layers_overlap_goes_to_the_next_volume():
    layers = Layers((1, 1, 4), 300)
    assert [layers.place(mask(0, 1), 1, 0), layers.place(mask(1, 2), 300, 0)] == [0, 1]
    assert layers.array().tolist() == [[[[1, 1, 0, 0]]], [[[0, 300, 300, 0]]]]
    assert layers.array().dtype == np.uint16


def test_layers_asked_for_layer_is_kept():
    layers = Layers((1, 1, 4), 1)
    assert layers.place(mask(0), 1, 2) == 2
    assert layers.array().shape == (3, 1, 1, 4)


def test_layers_of_nothing_are_one_empty_volume():
    assert not Layers((1, 2, 3), 1).array().any()


def test_layers_without_end_are_unsupported():
    layers = Layers((1, 1, 1), 1)
    with pytest.raises(UnsupportedData):
        layers.place({0: np.ones((1, 1), bool)}, 1, MAX_LAYERS + 1)
