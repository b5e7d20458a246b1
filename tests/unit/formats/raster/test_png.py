import struct
import zlib

import imagecodecs
import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import ValueMap
from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.formats.raster.png import check, read, write

RNG = np.random.default_rng(3)
OPTIONS = ReadOptions()


def only(path, options=OPTIONS):
    (image,) = read(path, options)
    return image


def save(path, samples):
    path.write_bytes(imagecodecs.png_encode(samples))
    return path


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(data, kind, body):
    return data[:33] + chunk(kind, body) + data[33:]  # behind IHDR


def small_png(depth, colour, width, rows, extra=b""):
    ihdr = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = chunk(b"IHDR", ihdr) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_read_keeps_every_sample(tmp_path, dtype, shape):
    samples = RNG.integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    image = only(save(tmp_path / "a.png", samples))
    assert image.dtype == dtype
    assert image.geometry is None
    assert image.values.bits_stored == 8 * np.dtype(dtype).itemsize
    assert image.values.photometric == ("MONOCHROME2" if len(shape) == 2 else "RGB")
    np.testing.assert_array_equal(image.array[0], samples)


def test_read_transparent_pixels_stay_rgba(tmp_path):
    samples = RNG.integers(0, 65535, (4, 4, 4)).astype(np.uint16)
    image = only(save(tmp_path / "a.png", samples))
    assert image.values.photometric == "RGBA"
    assert image.losses == ()
    np.testing.assert_array_equal(image.array[0], samples)


def test_read_opaque_alpha_is_left_out_and_told(tmp_path):
    samples = np.full((4, 4, 4), 255, np.uint8)
    image = only(save(tmp_path / "a.png", samples))
    assert image.values.photometric == "RGB"
    assert [loss.name for loss in image.losses] == ["opaque-alpha"]
    assert image.array.shape == (1, 4, 4, 3)


def test_read_gray_with_alpha_becomes_rgba(tmp_path):
    samples = RNG.integers(0, 255, (4, 4, 2)).astype(np.uint8)
    image = only(save(tmp_path / "a.png", samples))
    assert image.values.photometric == "RGBA"
    np.testing.assert_array_equal(image.array[0, ..., 1], samples[..., 0])
    np.testing.assert_array_equal(image.array[0, ..., 3], samples[..., 1])


def test_read_gray_with_opaque_alpha_stays_gray(tmp_path):
    samples = np.dstack([np.arange(16, dtype=np.uint8).reshape(4, 4), np.full((4, 4), 255)])
    image = only(save(tmp_path / "a.png", samples.astype(np.uint8)))
    assert image.values.photometric == "MONOCHROME2"
    np.testing.assert_array_equal(image.array[0], samples[..., 0])


@pytest.mark.parametrize(("depth", "row", "expected"), [(1, b"\xa0", 255), (4, b"\xf0", 255)])
def test_read_few_bits_are_scaled_so_that_white_stays_white(tmp_path, depth, row, expected):
    path = tmp_path / "a.png"
    path.write_bytes(small_png(depth, 0, 1, [row]))
    assert only(path).array[0, 0, 0] == expected


def test_read_palette_is_expanded(tmp_path):
    path = tmp_path / "a.png"
    palette = chunk(b"PLTE", bytes([1, 2, 3, 40, 50, 60]))
    path.write_bytes(small_png(8, 3, 2, [b"\x01\x00"], palette))
    image = only(path)
    assert image.values.photometric == "RGB"
    assert image.array[0].tolist() == [[[40, 50, 60], [1, 2, 3]]]


def test_read_exif_orientation_is_applied(tmp_path):
    samples = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(imagecodecs.png_encode(samples), b"eXIf", exif))
    np.testing.assert_array_equal(only(path).array[0], np.rot90(samples, -1))


def test_read_icc_profile_is_kept(tmp_path):
    data = imagecodecs.png_encode(np.zeros((2, 2, 3), np.uint8))
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(data, b"iCCP", b"name\0\0" + zlib.compress(b"profile")))
    assert only(path).metadata.shared["ICCProfile"] == b"profile"


def test_read_profile_bomb_is_refused(tmp_path):
    data = imagecodecs.png_encode(np.zeros((2, 2, 3), np.uint8))
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(data, b"iCCP", b"n\0\0" + zlib.compress(bytes(1 << 25))))
    with pytest.raises(CorruptData, match="inflates to more"):
        only(path)


def test_read_animation_is_told(tmp_path):
    data = imagecodecs.png_encode(np.zeros((2, 2), np.uint8))
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(data, b"acTL", struct.pack(">II", 1, 0)))
    assert [loss.name for loss in only(path).losses] == ["animation"]


def test_read_every_truncation_is_one_clean_error(tmp_path):
    whole = imagecodecs.png_encode(RNG.integers(0, 255, (9, 9)).astype(np.uint8))
    path = tmp_path / "a.png"
    for length in range(0, len(whole) - 12, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptData) as caught:
            only(path)
        assert caught.value.path == path


def test_read_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(
        small_png(8, 6, 1 << 20, [b""]).replace(struct.pack(">I", 1), b"\0\x10\0\0", 1)
    )
    with pytest.raises(CorruptData, match="bomb"):
        only(path)


def test_read_over_the_given_limit_is_refused(tmp_path):
    path = save(tmp_path / "a.png", np.zeros((50, 50), np.uint8))
    with pytest.raises(CorruptData, match="limit is 100"):
        only(path, ReadOptions(max_bytes=100))


def test_read_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        only(tmp_path / "none.png")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("colours", [(), (3,), (4,)])
def test_write_and_read_are_exact(tmp_path, dtype, colours):
    samples = RNG.integers(0, np.iinfo(dtype).max, (1, 5, 7, *colours)).astype(dtype)
    photometric = {(): "MONOCHROME2", (3,): "RGB", (4,): "RGBA"}[colours]
    image = Image(samples, "kjic" if colours else "kji", values=ValueMap(photometric=photometric))
    assert check(image, WriteOptions()) == ()
    (path,) = write(image, tmp_path / "a.png", WriteOptions())
    np.testing.assert_array_equal(only(path).array, samples)


def test_write_keeps_the_icc_profile(tmp_path):
    image = Image(
        np.zeros((1, 2, 2, 3), np.uint8),
        "kjic",
        values=ValueMap(photometric="RGB"),
        metadata=Metadata(shared={"ICCProfile": b"profile"}),
    )
    (path,) = write(image, tmp_path / "a.png", WriteOptions())
    assert only(path).metadata.shared["ICCProfile"] == b"profile"


def test_write_several_slices_are_numbered(tmp_path):
    image = Image(np.zeros((3, 2, 2), np.uint8), "kji")
    paths = write(image, tmp_path / "a.png", WriteOptions())
    assert [path.name for path in paths] == ["a_0001.png", "a_0002.png", "a_0003.png"]


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.uint32])
def test_check_stored_values_that_png_has_not_are_refused(dtype):
    image = Image(np.zeros((1, 2, 2), dtype), "kji")
    with pytest.raises(UnsupportedData, match="PNG holds") as caught:
        check(image, WriteOptions(extra={"raster": {"values": "stored"}}))
    assert "--to tiff" in caught.value.hint


LABELS = ReadOptions(extra={"raster": {"labels": True, "unnamed": True}})
NUMBERS = np.array([[0, 1, 2, 1], [2, 2, 0, 0]], np.uint8)


def _indexed(depth: int, palette: bytes = bytes(range(9))) -> bytes:
    """Return an indexed PNG of `NUMBERS` with so many bits."""
    bits = np.unpackbits(NUMBERS[..., None], axis=2)[..., 8 - depth :].reshape(2, -1)
    rows = [np.packbits(row).tobytes() for row in bits]
    return small_png(depth, 3, 4, rows, chunk(b"PLTE", palette))


@pytest.mark.parametrize("depth", [2, 4, 8])
def test_read_of_labels_gives_the_indices_of_a_palette_and_its_colours(tmp_path, depth):
    path = tmp_path / "a.png"
    path.write_bytes(_indexed(depth))
    image = only(path, LABELS)
    np.testing.assert_array_equal(image.array, NUMBERS[None])
    assert {s.number: s.colour for s in image.segments} == {1: (3, 4, 5), 2: (6, 7, 8)}
    assert [loss.name for loss in image.losses] == ["unnamed-segments"]
    assert only(path).axes == "kjic"


def test_read_of_labels_that_something_names_leaves_the_palette_alone(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(_indexed(8))
    image = only(path, ReadOptions(extra={"raster": {"labels": True, "unnamed": False}}))
    assert (image.segments, image.losses) == ((), ())
    (tmp_path / "a.segments.json").write_text('{"1": "liver", "2": "spleen"}')
    assert only(path, LABELS).segments == ()


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_read_of_labels_does_not_scale_few_bits(tmp_path, depth):
    top = (1 << depth) - 1
    path = tmp_path / "a.png"
    path.write_bytes(small_png(depth, 0, 8 // depth, [bytes([top << (8 - depth)])]))
    assert only(path, LABELS).array[0, 0].tolist() == [top] + [0] * (8 // depth - 1)
    assert only(path).array[0, 0, 0] == 255


def test_read_of_labels_with_an_index_beyond_the_palette_gives_it_no_colour(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(_indexed(8, palette=bytes(6)))
    image = only(path, LABELS)
    assert [s.number for s in image.segments] == [1]
