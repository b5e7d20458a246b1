import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.unit.dicom.pixel_files import file_bytes, make_file, ramp

from imgconv.codecs.frame import PixelFormat
from imgconv.dicom.frames import FrameReader, pixel_format_of
from imgconv.dicom.header import parse_header, read_header
from imgconv.dicom.pixel_digest import digest_all
from imgconv.errors import CorruptData, InputError, UnsupportedData

EXPLICIT = "1.2.840.10008.1.2.1"
GREY = PixelFormat(rows=24, columns=20, bits_allocated=16, bits_stored=16)


def _native(samples, **changes):
    data = samples.tobytes()
    given = {
        "offset": 0,
        "length": len(data),
        "transfer_syntax_uid": EXPLICIT,
        "pixel_format": GREY,
        **changes,
    }
    return FrameReader(data, **given)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", EXPLICIT, "1.2.840.10008.1.2.2"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.uint32])
def test_from_header_reads_native_frames_of_every_encoding(tmp_path, syntax, dtype):
    samples = ramp(dtype, (3, 7, 6), 200)
    path = make_file(tmp_path / "a", samples, syntax=syntax, NumberOfFrames=3)
    reader = FrameReader.from_header(read_header(path))
    assert reader.frame_count == 3
    assert np.array_equal(reader.read(1), samples[1])
    assert np.array_equal(reader.read_all(), samples)


def test_from_header_of_bytes_in_memory_needs_no_file():
    data = file_bytes(ramp())
    reader = FrameReader.from_header(parse_header(data, Path("nowhere")), origin=data)
    assert np.array_equal(reader.read(0), ramp())


def test_from_header_without_pixels_is_an_input_error(tmp_path):
    path = make_file(tmp_path / "a", ramp())
    header = read_header(path)
    header.pixel_data = None
    with pytest.raises(InputError, match="no pixel data"):
        FrameReader.from_header(header)


def test_read_one_bit_frames_that_do_not_end_on_a_byte():
    bits = (ramp(np.uint8, (3, 5, 7), 255) > 99).astype(np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little")
    pixel_format = PixelFormat(rows=5, columns=7, bits_allocated=1, bits_stored=1)
    reader = _native(packed, pixel_format=pixel_format, frame_count=3)
    assert np.array_equal(reader.read_all(), bits)


def test_read_beyond_the_data_or_the_count_is_corrupt():
    reader = _native(ramp(), frame_count=2)
    assert np.array_equal(reader.read(0), ramp())
    with pytest.raises(CorruptData, match="frame 2 of 2 ends at 1920"):
        reader.read(1)
    with pytest.raises(CorruptData):
        reader.read(2)


def test_hostile_frame_count_is_corrupt():
    with pytest.raises(CorruptData, match="Number of Frames"):
        _native(ramp(), frame_count=2_147_483_647)


def test_syntax_and_length_that_contradict_are_corrupt():
    with pytest.raises(CorruptData, match="encapsulated"):
        _native(ramp(), length=None)
    with pytest.raises(UnsupportedData, match="no still frames"):
        _native(ramp(), transfer_syntax_uid="1.2.840.10008.1.2.4.102")
    with pytest.raises(UnsupportedData, match="unknown"):
        _native(ramp(), transfer_syntax_uid="1.2.3")


def test_full_chroma_called_subsampled_is_read_as_it_is():
    samples = ramp(np.uint8, (4, 6, 3), 255)
    colour = {"samples_per_pixel": 3, "photometric_interpretation": "YBR_FULL_422"}
    pixel_format = PixelFormat(rows=4, columns=6, bits_allocated=8, bits_stored=8, **colour)
    assert np.array_equal(_native(samples, pixel_format=pixel_format).read(0), samples)


def test_ge_private_syntax_has_big_endian_pixels():
    samples = ramp()
    reader = _native(samples.astype(">u2"), transfer_syntax_uid="1.2.840.113619.5.2")
    assert np.array_equal(reader.read(0), samples)


def test_big_endian_words_of_bytes_are_swapped():
    samples = ramp(np.uint8, (3, 4), 255)
    words = samples.reshape(-1).view("<u2").astype(">u2")
    pixel_format = PixelFormat(rows=3, columns=4, bits_allocated=8, bits_stored=8)
    reader = _native(
        words, pixel_format=pixel_format, transfer_syntax_uid="1.2.840.10008.1.2.2", vr="OW"
    )
    assert np.array_equal(reader.read(0), samples)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"Columns": 4, "BitsAllocated": 8}, "Rows is missing"),
        ({"Rows": "x", "Columns": 4, "BitsAllocated": 8}, "no single integer"),
        ({"Rows": (1, 2), "Columns": 4, "BitsAllocated": 8}, "no single integer"),
    ],
)
def test_pixel_format_of_incomplete_attributes_is_corrupt(attributes, message):
    with pytest.raises(CorruptData, match=message):
        pixel_format_of(attributes)


def test_pixel_format_of_float_data_needs_no_bits():
    pixel_format = pixel_format_of({"Rows": 2, "Columns": 3}, vr="OD")
    assert (pixel_format.dtype, pixel_format.bits_allocated) == (np.float64, 64)


def _corpus():
    root = os.environ.get("IMGCONV_TEST_DATA")
    if not root:
        return []
    folder = Path(root) / "transfer_syntaxes"
    expected = json.loads((folder / "expected.json").read_text())
    return [
        pytest.param(folder / name, facts["sha256"], id=name)
        for name, facts in expected.items()
        if isinstance(facts, dict) and facts.get("sha256") and (folder / name).exists()
    ]


@pytest.mark.data
@pytest.mark.parametrize(("path", "digest"), _corpus())
def test_real_file_decodes_to_what_independent_decoders_agree_on(path, digest):
    reader = FrameReader.from_header(read_header(path))
    assert digest_all(reader) == digest


@pytest.mark.parametrize("uid", ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.8.1"])
def test_raw_many_frames_of_next_to_nothing_are_refused_before_one_is_decoded(uid):
    item = b"\xfe\xff\x00\xe0"
    data = item + bytes(4) + (item + b"\4\0\0\0abcd") * 100 + b"\xfe\xff\xdd\xe0\0\0\0\0"
    large = PixelFormat(rows=8000, columns=8000, bits_allocated=8, bits_stored=8)
    reader = FrameReader(
        data,
        offset=0,
        length=None,
        transfer_syntax_uid=uid,
        pixel_format=large,
        frame_count=100,
    )
    with pytest.raises(UnsupportedData, match="`400` bytes are said to hold 100 frames") as caught:
        reader.raw(0)
    assert "another program" in caught.value.hint
