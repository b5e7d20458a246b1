"""Stored types: never one that alters a value."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.core.image import Image, LazyArray
from imgconv.core.values import ValueMap
from imgconv.dicom.sops.samples import finite_range, fit_samples, frame_parts
from imgconv.errors import UnsupportedData


def _image(values, dtype) -> Image:
    return Image(np.array(values, dtype).reshape(1, 1, -1), "kji")


@pytest.mark.parametrize(
    ("values", "dtype", "allowed", "expected"),
    [
        ([0, 255], "uint8", ("int16", "uint16"), "uint16"),
        ([-128], "int8", ("int16", "uint16"), "int16"),
        ([-1024, 3000], "int32", ("int16", "uint16"), "int16"),
        ([0, 65535], "int64", ("int16", "uint16"), "uint16"),
        ([1.0, -2.0], "float64", ("int16", "uint16"), "int16"),
        ([True], "bool", ("uint8",), "uint8"),
        ([2**31 - 1], "int32", ("int16", "float64"), "float64"),
        ([2**53], "int64", ("int16", "float64"), "float64"),
    ],
)
def test_fit_samples_finds_a_type_that_holds_all(values, dtype, allowed, expected):
    image = _image(values, dtype)
    samples = fit_samples(image, allowed, "X")
    assert samples.dtype == expected
    assert np.array_equal(samples.cast(image.array), image.array)


@pytest.mark.parametrize(
    ("values", "dtype", "allowed"),
    [
        ([65536], "int32", ("int16", "uint16")),
        ([-1, 40000], "int32", ("int16", "uint16")),
        ([0.5], "float32", ("int16",)),
        ([np.nan], "float32", ("int16",)),
        ([-0.0], "float32", ("int16",)),
        ([2**53 + 1], "int64", ("int16", "float64")),
        ([1j], "complex64", ("float64",)),
        ([0.1], "float64", ("float32",)),
    ],
)
def test_fit_samples_refuses_what_would_be_altered(values, dtype, allowed):
    with pytest.raises(UnsupportedData):
        fit_samples(_image(values, dtype), allowed, "X")


def test_fit_samples_keeps_the_stated_bits_of_the_own_type_only():
    image = Image(np.zeros((1, 1, 1), np.uint16), "kji", values=ValueMap(bits_stored=12))
    assert fit_samples(image, ("uint16",), "X").bits_stored == 12
    narrow = Image(np.zeros((1, 1, 1), np.uint8), "kji", values=ValueMap(bits_stored=8))
    assert fit_samples(narrow, ("uint16",), "X").bits_stored == 16


def test_finite_range_ignores_what_is_not_finite():
    assert finite_range(_image([np.nan, -2, 5, np.inf], "float32")) == (-2, 5)
    assert finite_range(_image([np.nan], "float32")) == (0, 0)


def test_frame_parts_streams_volume_by_volume():
    loaded = []

    def load(t):
        loaded.append(t)
        return np.full((1, 2, 2), t, np.int16)

    image = Image(LazyArray((3, 1, 2, 2), np.int16, load), "tkji")
    length, parts = frame_parts(image, fit_samples(image, ("int16",), "X"))
    assert length == 24
    next(parts)
    assert loaded == [0]
