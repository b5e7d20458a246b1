import imagecodecs
import libjpeg
import numpy as np
import pytest

from imgconv.codecs.lossless_jpeg import encode_samples
from imgconv.codecs.streams import parse_jpeg_header

SHAPES = [(1, 1), (1, 2), (3, 1), (5, 7), (33, 31, 3), (3, 3, 3), (200, 300)]


def _samples(kind, precision, shape):
    rng = np.random.default_rng(precision)
    count = int(np.prod(shape))
    top = (1 << precision) - 1
    values = {
        "noise": rng.integers(0, top + 1, count),
        "constant": np.full(count, top),
        "smooth": (np.arange(count) // 7) % (top + 1),
        "extreme": rng.choice([0, top, 1 << (precision - 1)], count),
    }[kind]
    return values.reshape(shape).astype(np.uint8 if precision <= 8 else np.uint16)


@pytest.mark.parametrize("seed", range(40))
def test_encode_samples_small_noise_comes_back(seed):
    samples = np.random.default_rng(seed).integers(0, 65536, (5, 7)).astype(np.uint16)
    assert np.array_equal(imagecodecs.jpeg8_decode(encode_samples(samples, 16)), samples)
    assert np.array_equal(libjpeg.decode(encode_samples(samples, 16)), samples)


@pytest.mark.parametrize("kind", ["noise", "constant", "smooth", "extreme"])
@pytest.mark.parametrize("precision", [2, 8, 12, 16])
@pytest.mark.parametrize("shape", SHAPES)
def test_encode_samples_two_decoders_give_them_back(kind, precision, shape):
    samples = _samples(kind, precision, shape)
    stream = encode_samples(samples, precision)
    assert np.array_equal(libjpeg.decode(stream), samples)
    space = "YCBCR" if len(shape) == 3 else None
    decoded = imagecodecs.jpeg8_decode(stream, colorspace=space, outcolorspace=space)
    assert np.array_equal(decoded, samples)


def test_encode_samples_of_a_large_image_counts_a_part_and_codes_all():
    samples = _samples("smooth", 12, (1200, 1100)) >> 4
    samples[300:] += _samples("noise", 12, (900, 1100)) >> 6
    samples[600, 500] = 4095  # a difference that the counted part may not have
    stream = encode_samples(samples, 12)
    assert np.array_equal(imagecodecs.jpeg8_decode(stream), samples)
    other = imagecodecs.jpeg8_encode(samples, lossless=True, predictor=1, bitspersample=12)
    assert len(stream) < 1.01 * len(other)


def test_encode_samples_declares_predictor_precision_and_colour():
    header = parse_jpeg_header(encode_samples(_samples("noise", 8, (5, 6, 3)), 8))
    assert (header.process, header.predictor, header.precision) == (0xC3, 1, 8)
    assert header.is_ycbcr is False
