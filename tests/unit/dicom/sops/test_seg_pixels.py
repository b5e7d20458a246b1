import numpy as np
import pytest

from imgconv.dicom.sops.seg_pixels import binary_pixels, fractional_pixels, label_pixels


def body(pixels):
    return b"".join(bytes(part) for part in pixels)[12:]


@pytest.mark.parametrize("shape", [(3, 5), (4, 8), (1, 1)])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 20])
def test_binary_pixels_are_one_stream_of_bits(shape, count):
    masks = np.random.default_rng(count).random((count, *shape)) < 0.5
    pixels = binary_pixels(count, lambda n: masks[n], *shape)
    expected = np.packbits(masks.ravel(), bitorder="little").tobytes()
    assert body(pixels) == expected + b"\0" * (len(expected) % 2)
    assert pixels.length == len(expected)


def test_fractional_pixels_of_masks_are_full_or_nothing():
    pixels = fractional_pixels(1, lambda _: np.array([[True, False]]), 1, 2)
    assert body(pixels) == b"\xff\0"


def test_fractional_pixels_of_fractions_are_rounded():
    pixels = fractional_pixels(1, lambda _: np.array([[0.0, 0.5, 0.999, 1.0]]), 1, 4)
    assert list(body(pixels)) == [0, 128, 255, 255]


@pytest.mark.parametrize(("dtype", "vr"), [(np.uint8, "OB"), (np.uint16, "OW")])
def test_label_pixels_of_chosen_slices(dtype, vr):
    volume = np.arange(12, dtype=np.int32).reshape(3, 2, 2)
    pixels = label_pixels([0, 2], volume, np.dtype(dtype))
    assert pixels.vr == vr
    assert np.frombuffer(body(pixels), dtype).tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
