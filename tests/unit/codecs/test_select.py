import numpy as np
import pytest
from tests.unit.dicom.pixel_files import ramp

from imgconv.codecs import (
    EncodeOptions,
    PixelFormat,
    decode_frame,
    encode_frame,
    find_decoder,
    find_encoder,
)
from imgconv.codecs._table import CODECS
from imgconv.codecs.select import find_second_decoder
from imgconv.errors import CorruptData, UnsupportedData, UsageError
from imgconv.spec import resolve
from imgconv.standard.transfer_syntaxes import BY_UID, find_transfer_syntax

FORMAT = PixelFormat(rows=24, columns=20, bits_allocated=16, bits_stored=12)
SQUARE = PixelFormat(rows=64, columns=64, bits_allocated=16, bits_stored=12)
SYNTAXES = [
    "rle",
    "jpeg-lossless",
    "jpeg-ls",
    "jpeg2000",
    "htj2k",
    "deflated-frame",
    "encapsulated",
]


def _uid(name):
    return find_transfer_syntax(name).uid


@pytest.mark.parametrize("spec", CODECS, ids=lambda spec: spec.name)
def test_every_row_names_functions_and_syntaxes_that_exist(spec):
    assert {BY_UID[uid].family for uid in (*spec.decodes, *spec.encodes)} == {spec.family}
    for ability, reference in ((spec.decodes, spec.decode), (spec.encodes, spec.encode)):
        assert bool(ability) == bool(reference)
        assert not reference or callable(resolve(reference))


def test_find_decoder_without_any_is_unsupported():
    with pytest.raises(UnsupportedData, match="no codec can decode"):
        find_decoder("1.2.840.10008.1.2.4.100")


def test_find_encoder_follows_the_choice():
    assert find_decoder(_uid("jpeg-ls")).library == "imagecodecs"
    assert find_decoder(_uid("jpeg-ls"), {"jpeg-ls": "pylibjpeg"}).library == "pylibjpeg"
    with pytest.raises(UsageError, match="these can: imagecodecs"):
        find_encoder(_uid("jpeg-ls"), {"jpeg-ls": "pylibjpeg"})


def test_find_second_decoder_is_another_library():
    first = find_decoder(_uid("jpeg-ls"))
    assert find_second_decoder(_uid("jpeg-ls"), first).library != first.library
    with pytest.raises(UsageError, match="no second library"):
        find_second_decoder(_uid("jpeg-xl"), find_decoder(_uid("jpeg-xl")))


@pytest.mark.parametrize("name", ["rle", "jpeg-lossless", "jpeg-ls", "jpeg2000", "htj2k"])
def test_decode_frame_second_library_agrees(name):
    samples = ramp()
    frame = encode_frame(samples, _uid(name), FORMAT)
    other = {BY_UID[_uid(name)].family: "pylibjpeg"}
    again = decode_frame(frame.data, _uid(name), frame.pixel_format, choice=other)
    assert np.array_equal(again, samples)


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("damage", ["empty", "cut", "header", "noise"])
def test_decode_frame_damaged_is_an_error_of_ours_or_another_image(name, damage):
    data = encode_frame(ramp(), _uid(name), FORMAT).data
    damaged = {
        "empty": b"",
        "cut": data[: len(data) // 3],
        "header": b"\0\1\2\3" + data[4:],
        "noise": data[:80] + bytes(byte ^ 0x55 for byte in data[80:90]) + data[90:],
    }[damage]
    try:
        array = decode_frame(damaged, _uid(name), FORMAT)
    except (CorruptData, UnsupportedData):
        return
    assert array.shape == FORMAT.shape


@pytest.mark.parametrize("name", ["jpeg-lossless", "jpeg-ls", "jpeg2000", "htj2k", "jpeg-xl"])
def test_decode_frame_of_another_size_is_refused_before_it_is_decoded(name):
    data = encode_frame(ramp(), _uid(name), FORMAT).data
    other = PixelFormat(rows=24, columns=21, bits_allocated=16, bits_stored=12)
    with pytest.raises(CorruptData, match="rows, columns"):
        decode_frame(data, _uid(name), other)


def test_decode_frame_unsigned_stream_in_signed_data_set_keeps_the_bits():
    data = encode_frame(ramp(), _uid("jpeg2000"), FORMAT).data
    signed = PixelFormat(rows=24, columns=20, bits_allocated=16, bits_stored=12, signed=True)
    decoded = decode_frame(data, _uid("jpeg2000"), signed)
    assert decoded.dtype == np.int16
    assert np.array_equal(decoded.view(np.uint16), ramp())


def test_decode_frame_deflate_bomb_is_inflated_to_one_frame_only():
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(b"\0" * 100_000_000) + packer.flush()
    assert decode_frame(bomb, _uid("deflated-frame"), FORMAT).sum() == 0


def test_decode_frame_few_bytes_for_a_huge_frame_are_refused_before_memory_is_taken():
    import tracemalloc

    huge = PixelFormat(rows=20_000, columns=20_000, bits_allocated=16, bits_stored=16)
    tracemalloc.start()
    with pytest.raises(CorruptData, match="cannot hold"):
        decode_frame(b"\xff\x4f\xff\x51" + b"\0" * 1000, _uid("jpeg2000"), huge)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("name", SYNTAXES)
@pytest.mark.parametrize("part", [0.5, 0.9, 0.99])
def test_decode_frame_truncated_is_never_taken_for_whole(name, part):
    data = encode_frame(ramp(shape=(64, 64)), _uid(name), SQUARE).data
    with pytest.raises(CorruptData):
        decode_frame(data[: int(len(data) * part)], _uid(name), SQUARE)


def test_decode_frame_truncated_lossy_jpeg_is_never_taken_for_whole():
    pixel_format = PixelFormat(rows=64, columns=64, bits_allocated=8, bits_stored=8)
    samples = ramp(np.uint8, (64, 64), 255)
    data = encode_frame(samples, _uid("jpeg"), pixel_format, EncodeOptions(quality=90)).data
    with pytest.raises(CorruptData, match="truncated"):
        decode_frame(data[:-20], _uid("jpeg"), pixel_format)
