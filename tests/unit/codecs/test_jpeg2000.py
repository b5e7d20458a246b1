import imagecodecs
import numpy as np
import pytest
from tests.unit.dicom.pixel_files import ramp

from imgconv.codecs import EncodeOptions, PixelFormat, decode_frame, encode_frame
from imgconv.codecs.jpeg2000 import decode, decode_htj2k
from imgconv.codecs.streams import parse_jpeg2000_header
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.standard.transfer_syntaxes import find_transfer_syntax

SAMPLES = np.arange(48, dtype=np.uint16).reshape(6, 8)
GREY = PixelFormat(rows=6, columns=8, bits_allocated=16, bits_stored=12)


def _encode(name, samples=SAMPLES, pixel_format=GREY):
    return encode_frame(samples, find_transfer_syntax(name).uid, pixel_format).data


def test_decode_skips_the_boxes_that_the_standard_forbids():
    boxed = bytes(imagecodecs.jpeg2k_encode(SAMPLES, level=0, codecformat="JP2", reversible=True))
    assert np.array_equal(decode(boxed, GREY, ""), SAMPLES)


def test_decode_htj2k_colour_without_transform_is_by_pixel():
    samples = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    pixel_format = PixelFormat(
        rows=3,
        columns=3,
        bits_allocated=8,
        bits_stored=8,
        samples_per_pixel=3,
        photometric_interpretation="YBR_FULL",
    )
    data = _encode("htj2k", samples, pixel_format)
    assert parse_jpeg2000_header(data).transform == 0
    assert np.array_equal(decode_htj2k(data, pixel_format, ""), samples)


def test_encode_precision_is_bits_stored_where_that_is_enough():
    assert parse_jpeg2000_header(_encode("jpeg2000")).precision == 12
    assert parse_jpeg2000_header(_encode("jpeg2000", SAMPLES | 0x8000)).precision == 16


def test_encode_rpcl_has_its_order_and_tile_part_lengths():
    samples = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    pixel_format = PixelFormat(rows=64, columns=64, bits_allocated=16, bits_stored=12)
    data = _encode("htj2k-rpcl", samples, pixel_format)
    style = data.index(b"\xff\x52")
    assert data[style + 5] == 2  # RPCL
    assert b"\xff\x55" in data[: data.index(b"\xff\x90")]  # TLM in the main header


def test_decode_htj2k_damaged_never_gives_an_image_that_was_not_decoded():
    samples = np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16)
    pixel_format = PixelFormat(rows=64, columns=64, bits_allocated=16, bits_stored=12)
    data = _encode("htj2k", samples, pixel_format)
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(60):
        at = int(rng.integers(120, len(data)))
        damaged = data[:at] + rng.bytes(3) + data[at:]
        try:
            decode_htj2k(damaged, pixel_format, "")
        except CorruptData:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("name", ["jpeg2000-lossy", "htj2k-lossy"])
@pytest.mark.parametrize(("dtype", "psnr"), [(np.uint8, 40), (np.uint8, 48), (np.uint16, 70)])
def test_encode_psnr_is_reached(name, dtype, psnr):
    bits = 8 * np.dtype(dtype).itemsize
    grey = PixelFormat(rows=64, columns=48, bits_allocated=bits, bits_stored=bits)
    samples = ramp(dtype, (64, 48), 250)
    uid = find_transfer_syntax(name).uid
    encoded = encode_frame(samples, uid, grey, EncodeOptions(psnr=psnr))
    decoded = decode_frame(encoded.data, uid, encoded.pixel_format)
    rms = np.sqrt(np.mean((decoded.astype(float) - samples) ** 2))
    assert 0 < rms <= (2**bits - 1) / 10 ** (psnr / 20)


def test_encode_htj2k_of_8_bits_reaches_what_is_nearly_lossless():
    grey = PixelFormat(rows=64, columns=48, bits_allocated=8, bits_stored=8)
    uid = find_transfer_syntax("htj2k-lossy").uid
    encode_frame(ramp(np.uint8, (64, 48), 250), uid, grey, EncodeOptions(psnr=60))


def test_encode_psnr_beyond_the_codec_is_refused():
    grey = PixelFormat(rows=64, columns=48, bits_allocated=8, bits_stored=8)
    uid = find_transfer_syntax("jpeg2000-lossy").uid
    with pytest.raises(UnsupportedData, match="cannot be reached"):
        encode_frame(ramp(np.uint8, (64, 48), 250), uid, grey, EncodeOptions(psnr=90))


@pytest.mark.parametrize(("signed", "bits"), [(False, 20), (False, 23), (True, 17), (True, 23)])
def test_encode_wide_samples_are_exact(signed, bits):
    grey = PixelFormat(rows=64, columns=48, bits_allocated=32, bits_stored=bits, signed=signed)
    ends = [-(1 << (bits - 1)), (1 << (bits - 1)) - 1] if signed else [0, (1 << bits) - 1]
    samples = np.random.default_rng(0).choice(ends, grey.shape).astype(grey.dtype)
    uid = find_transfer_syntax("jpeg2000").uid
    encoded = encode_frame(samples, uid, grey)
    assert np.array_equal(decode_frame(encoded.data, uid, encoded.pixel_format), samples)


@pytest.mark.parametrize(("signed", "bits"), [(False, 24), (True, 24), (True, 32)])
def test_encode_samples_that_openjpeg_does_not_keep_are_refused(signed, bits):
    grey = PixelFormat(rows=6, columns=8, bits_allocated=32, bits_stored=bits, signed=signed)
    top = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    samples = np.full(grey.shape, top, grey.dtype)
    with pytest.raises(UnsupportedData, match="not exact") as caught:
        encode_frame(samples, find_transfer_syntax("jpeg2000").uid, grey)
    assert "htj2k" in caught.value.hint


@pytest.mark.parametrize("name", ["jpeg2000", "htj2k"])
@pytest.mark.parametrize("change", ["code blocks", "precincts"])
def test_decode_millions_of_blocks_in_few_bytes_are_corrupt(name, change):
    pixel_format = PixelFormat(rows=4096, columns=4096, bits_allocated=8, bits_stored=8)
    data = _encode(name, np.zeros((4096, 4096), np.uint8), pixel_format)
    at = data.index(b"\xff\x52")  # COD
    if change == "code blocks":
        hostile = data[: at + 10] + b"\0\0" + data[at + 12 :]
    else:
        levels = data[at + 9] + 1
        length = int.from_bytes(data[at + 2 : at + 4], "big") + levels
        style = bytes((data[at + 4] | 1,))
        hostile = data[: at + 2] + length.to_bytes(2, "big") + style + data[at + 5 : at + 14]
        hostile += bytes(levels) + data[at + 14 :]
    decoder = decode if name == "jpeg2000" else decode_htj2k
    with pytest.raises(CorruptData, match="code blocks"):
        decoder(hostile, pixel_format, "")
    assert not decoder(data, pixel_format, "").any()
