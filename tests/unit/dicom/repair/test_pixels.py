from __future__ import annotations

import struct

import numpy as np
import pytest
from builders import element, tree_of

from imgconv.dicom.repair.pixels import mend_pixels
from imgconv.errors import CorruptData

PIXELS = 0x7FE00010


def us(tag: int, value: int) -> bytes:
    return element(tag, "US", struct.pack("<H", value))


def pixel_tree(
    data: bytes, *, allocated: int = 16, stored: int = 12, high: int = 11, signed: int = 0
):
    return tree_of(
        us(0x00280002, 1),
        element(0x00280004, "CS", b"MONOCHROME2 "),
        us(0x00280010, 2),
        us(0x00280011, 2),
        us(0x00280100, allocated),
        us(0x00280101, stored),
        us(0x00280102, high),
        us(0x00280103, signed),
        element(PIXELS, "OW", data),
    )


def test_mend_pixels_surplus_bytes_are_cut():
    tree = pixel_tree(bytes(8) + b"xxxx")

    (change,) = mend_pixels(tree)

    assert change.name == "pixel-length"
    assert len(tree.dataset.elements[PIXELS].value) == 8


def test_mend_pixels_surplus_of_a_whole_frame_is_left():
    tree = pixel_tree(bytes(16))

    (change,) = mend_pixels(tree)

    assert not change.is_done
    assert len(tree.dataset.elements[PIXELS].value) == 16


def test_mend_pixels_missing_bytes_are_refused():
    with pytest.raises(CorruptData, match="expected 8"):
        mend_pixels(pixel_tree(bytes(6)))


@pytest.mark.parametrize("signed", [0, 1])
def test_mend_pixels_samples_in_high_bits_keep_their_values(signed):
    kind = "<i2" if signed else "<u2"
    values = np.array([-5, 7, -2048, 2047] if signed else [0, 7, 4095, 2048], kind)
    tree = pixel_tree((values << 4).astype(kind).tobytes(), high=15, signed=signed)

    mend_pixels(tree)

    assert np.array_equal(np.frombuffer(bytes(tree.dataset.elements[PIXELS].value), kind), values)
    assert tree.dataset.integer(0x00280102) == 11


def test_mend_pixels_overlay_below_the_samples_is_left():
    tree = pixel_tree(np.array([1, 0, 0, 16], "<u2").tobytes(), high=15)

    (change,) = mend_pixels(tree)

    assert not change.is_done


def test_mend_pixels_right_image_is_left_alone():
    assert mend_pixels(pixel_tree(bytes(8))) == []
