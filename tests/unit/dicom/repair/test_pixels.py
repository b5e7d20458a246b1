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


def small(*extra: bytes, stored: int = 12, high: int = 11, pixels: bytes = bytes(8)):
    us = lambda tag, value: element(tag, "US", value.to_bytes(2, "little"))  # noqa: E731
    return tree_of(
        us(0x00280002, 1), *extra, us(0x00280010, 2), us(0x00280011, 2), us(0x00280100, 16),
        us(0x00280101, stored), us(0x00280102, high), us(0x00280103, 0),
        element(0x7FE00010, "OW", pixels),
    )  # fmt: skip


def test_mend_pixels_high_bit_below_the_samples_is_set_and_moves_nothing():
    samples = bytes(range(8))
    tree = small(high=3, pixels=samples)

    assert [change.name for change in mend_pixels(tree)] == ["high-bit"]
    assert tree.dataset.integer(0x00280102) == 11
    assert bytes(tree.dataset.elements[0x7FE00010].value) == samples


@pytest.mark.parametrize(("text", "frames"), [(b"0 ", "2"), (b"-1", "2"), (b"x ", "2")])
def test_mend_pixels_frames_are_counted_where_the_count_is_none(text, frames):
    tree = small(element(0x00280008, "IS", text), pixels=bytes(16))

    assert "frame-count" in [change.name for change in mend_pixels(tree)]
    assert tree.dataset.text(0x00280008) == frames
    assert len(tree.dataset.elements[0x7FE00010].value) == 16


def test_mend_pixels_no_pixel_goes_where_the_size_is_impossible():
    tree = small(element(0x00280008, "IS", b"0 "), pixels=bytes(18))

    mend_pixels(tree)

    assert len(tree.dataset.elements[0x7FE00010].value) == 18


def test_mend_pixels_aspect_ratio_of_square_pixels_goes():
    tree = small(element(0x00280034, "IS", b"1\\1 "))
    mend_pixels(tree)
    assert 0x00280034 not in tree.dataset.elements

    tree = small(element(0x00280034, "IS", b"4\\3 "))
    assert mend_pixels(tree) == []


def test_mend_pixels_no_bits_stored_are_told_and_nothing_moves():
    samples = bytes(range(8))
    tree = small(stored=0, high=15, pixels=samples)

    assert [change.is_done for change in mend_pixels(tree)] == [False]
    assert bytes(tree.dataset.elements[0x7FE00010].value) == samples
