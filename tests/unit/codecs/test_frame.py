import numpy as np
import pytest

from imgconv.codecs.frame import PixelFormat, decode_native, encode_native, significant
from imgconv.errors import CorruptData, UnsupportedData


def _format(**changes):
    return PixelFormat(
        **{"rows": 3, "columns": 5, "bits_allocated": 16, "bits_stored": 12, **changes}
    )


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"rows": 0}, CorruptData),
        ({"samples_per_pixel": 5}, CorruptData),
        ({"bits_stored": 17}, CorruptData),
        ({"bits_allocated": 12}, UnsupportedData),
        ({"rows": 65535, "columns": 65535}, UnsupportedData),
    ],
)
def test_pixel_format_contradictory_is_refused(changes, error):
    with pytest.raises(error):
        _format(**changes)


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "f4", "f8"])
def test_decode_native_either_byte_order_gives_native_samples(dtype, big_endian):
    samples = np.arange(15).reshape(3, 5).astype(dtype)
    bits = 8 * samples.dtype.itemsize
    pixel_format = _format(
        bits_allocated=bits, bits_stored=bits, signed=dtype == "i2", floating=dtype[0] == "f"
    )
    data = samples.astype(samples.dtype.newbyteorder(">" if big_endian else "<")).tobytes()
    decoded = decode_native(data, pixel_format, big_endian=big_endian)
    assert decoded.dtype == pixel_format.dtype
    assert np.array_equal(decoded, samples)


def test_decode_native_planar_is_by_pixel():
    samples = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    pixel_format = _format(
        bits_allocated=8, bits_stored=8, samples_per_pixel=3, planar_configuration=1
    )
    data = encode_native(samples, pixel_format)
    assert data == samples.transpose(2, 0, 1).tobytes()
    assert np.array_equal(decode_native(data, pixel_format), samples)
    assert pixel_format.decoded.planar_configuration == 0


def test_decode_native_one_bit_packs_from_the_lowest_bit():
    pixel_format = _format(bits_allocated=1, bits_stored=1)
    samples = decode_native(b"\x05\x40", pixel_format)
    assert samples.shape == (3, 5)
    assert samples.reshape(-1).nonzero()[0].tolist() == [0, 2, 14]
    assert encode_native(samples, pixel_format) == b"\x05\x40"


def test_decode_native_subsampled_repeats_chroma_and_comes_back():
    pixel_format = _format(
        rows=1,
        columns=4,
        bits_allocated=8,
        bits_stored=8,
        samples_per_pixel=3,
        photometric_interpretation="YBR_FULL_422",
    )
    data = bytes([10, 11, 100, 200, 12, 13, 101, 201])
    samples = decode_native(data, pixel_format)
    assert samples[0].tolist() == [[10, 100, 200], [11, 100, 200], [12, 101, 201], [13, 101, 201]]
    assert encode_native(samples, pixel_format) == data
    assert pixel_format.decoded.photometric_interpretation == "YBR_FULL"


def test_decode_native_short_data_is_corrupt():
    with pytest.raises(CorruptData, match="expected 30"):
        decode_native(b"\0" * 29, _format())


def test_significant_extends_the_sign_and_drops_overlays():
    signed = np.array([[0x0FFF, 0x07FF, -1]], np.int16)
    assert significant(signed, _format(signed=True)).tolist() == [[-1, 2047, -1]]
    overlay = np.array([[0x8123]], np.uint16)
    assert significant(overlay, _format()).tolist() == [[0x0123]]


def test_significant_high_bit_shifts_values_down():
    samples = np.array([[0x1230]], np.uint16)
    assert significant(samples, _format(high_bit=15)).tolist() == [[0x0123]]


def test_decode_native_bits_are_never_signed():
    pixel_format = PixelFormat(rows=2, columns=4, bits_allocated=1, bits_stored=1, signed=True)
    samples = decode_native(b"\xa5", pixel_format)
    assert samples.dtype == pixel_format.dtype == np.uint8
    assert samples.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]
