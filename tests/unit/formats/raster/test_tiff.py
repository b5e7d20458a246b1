import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage

from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import ValueMap
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.tiff import check, read, write

RNG = np.random.default_rng(5)
DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.tif"


def only(path):
    (image,) = read(path, ReadOptions())
    return image


def pillow(picture, **options):
    buffer = io.BytesIO()
    picture.save(buffer, "TIFF", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["<", ">"])
def test_read_keeps_every_sample_type(path, dtype, order):
    samples = RNG.integers(-100 if dtype[0] != "u" else 0, 100, (3, 5, 7)).astype(dtype)
    path.write_bytes(imagecodecs.tiff_encode(samples.copy(), byteorder=order))
    image = only(path)
    assert image.dtype == samples.dtype
    assert image.values.bits_stored == (None if dtype[0] == "f" else 8 * samples.dtype.itemsize)
    np.testing.assert_array_equal(image.array, samples)


def test_read_16_bit_rgb_is_not_cut_to_8(path):
    samples = RNG.integers(0, 65535, (5, 7, 3)).astype(np.uint16)
    path.write_bytes(imagecodecs.tiff_encode(samples, photometric="rgb"))
    np.testing.assert_array_equal(only(path).array[0], samples)


def test_read_bigtiff(path):
    samples = RNG.integers(0, 255, (4, 5)).astype(np.uint8)
    path.write_bytes(imagecodecs.tiff_encode(samples, bigtiff=True))
    np.testing.assert_array_equal(only(path).array[0], samples)


@pytest.mark.parametrize("compression", ["group4", "raw"])
def test_read_bilevel_is_black_and_white(path, compression):
    samples = RNG.integers(0, 2, (8, 16)).astype(bool)
    path.write_bytes(pillow(PillowImage.fromarray(samples), compression=compression))
    image = only(path)
    shown = image.array[0] if image.values.photometric == "MONOCHROME2" else 255 - image.array[0]
    np.testing.assert_array_equal(shown, samples * 255)


def test_read_white_is_zero_is_kept_as_monochrome1(path):
    samples = RNG.integers(0, 255, (4, 5)).astype(np.uint8)
    path.write_bytes(imagecodecs.tiff_encode(samples, photometric="miniswhite"))
    image = only(path)
    assert image.values.photometric == "MONOCHROME1"
    np.testing.assert_array_equal(image.array[0], samples)


@pytest.mark.parametrize(("bits", "factor"), [(2, 85), (4, 17), (12, 1)])
def test_read_few_bits(path, bits, factor):
    dtype = np.uint16 if bits > 8 else np.uint8
    samples = RNG.integers(0, 2**bits, (4, 8)).astype(dtype)
    path.write_bytes(imagecodecs.tiff_encode(samples, bitspersample=bits))
    image = only(path)
    assert image.values.bits_stored == (12 if bits == 12 else 8)
    np.testing.assert_array_equal(image.array[0], samples * factor)


def test_read_palette_is_expanded(path):
    picture = PillowImage.new("P", (2, 1))
    picture.putpalette([1, 2, 3, 40, 50, 60])
    picture.putpixel((0, 0), 1)
    path.write_bytes(pillow(picture))
    assert only(path).array[0].tolist() == [[[40, 50, 60], [1, 2, 3]]]


def test_read_planes_become_samples(path):
    samples = RNG.random((3, 5, 7))
    path.write_bytes(imagecodecs.tiff_encode(samples, photometric="rgb", planarconfig="separate"))
    np.testing.assert_array_equal(only(path).array[0], np.moveaxis(samples, 0, -1))


def test_read_pages_of_several_sizes_become_images(path):
    first = PillowImage.new("L", (4, 5))
    others = [PillowImage.new("L", (4, 5)), PillowImage.new("L", (6, 6))]
    path.write_bytes(pillow(first, save_all=True, append_images=others))
    assert [image.array.shape for image in read(path, ReadOptions())] == [(2, 5, 4), (1, 6, 6)]


def test_read_thumbnail_pages_are_left_out_and_told(path):
    data = imagecodecs.tiff_encode(np.zeros((4, 4), np.uint8))
    thumbnail = imagecodecs.tiff_encode(np.ones((2, 2), np.uint8), subfiletype=1, appendto=data)
    path.write_bytes(thumbnail if isinstance(thumbnail, bytes) else data)
    images = list(read(path, ReadOptions()))
    assert [image.array.shape for image in images] == [(1, 4, 4)]
    assert [loss.name for loss in images[0].losses] == ["auxiliary-pages"]


def test_read_orientation_is_applied(path):
    samples = np.arange(6, dtype=np.uint8).reshape(2, 3)
    path.write_bytes(pillow(PillowImage.fromarray(samples), tiffinfo={274: 8}))
    np.testing.assert_array_equal(only(path).array[0], np.rot90(samples))


def test_read_icc_profile_is_kept(path):
    path.write_bytes(pillow(PillowImage.new("RGB", (2, 2)), icc_profile=b"profile" * 20))
    assert only(path).metadata.shared["ICCProfile"] == b"profile" * 20


def test_read_lab_is_unsupported(path):
    path.write_bytes(pillow(PillowImage.new("LAB", (2, 2))))
    with pytest.raises(UnsupportedData, match="PhotometricInterpretation `8`"):
        only(path)


def test_read_imagej_stack_behind_one_directory_is_unsupported(path):
    picture = PillowImage.new("L", (2, 2))
    path.write_bytes(pillow(picture, description="ImageJ=1.53\nimages=7\n"))
    with pytest.raises(UnsupportedData, match="ImageJ"):
        only(path)


def test_read_every_truncation_is_one_clean_error(path):
    whole = pillow(PillowImage.fromarray(RNG.integers(0, 255, (16, 16)).astype(np.uint8)))
    for length in range(0, len(whole) - 16, 11):
        path.write_bytes(whole[:length])
        with pytest.raises((CorruptData, UnsupportedData)) as caught:
            only(path)
        assert caught.value.path == path


def test_read_hostile_size_is_refused(path):
    data = bytearray(pillow(PillowImage.new("L", (7, 9))))
    at = bytes(data).index(b"\x00\x01\x04\x00\x01\x00\x00\x00\x07") + 8
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptData, match="bomb"):
        only(path)


@pytest.mark.parametrize("dtype", [*DTYPES, "u8", "i8"])
@pytest.mark.parametrize("compress", [None, False])
def test_write_and_read_keep_every_sample_type(path, dtype, compress):
    samples = RNG.integers(-100 if dtype[0] != "u" else 0, 100, (3, 5, 7)).astype(dtype)
    kept = samples.copy()
    options = WriteOptions(compress=compress, extra={"raster": {"values": "stored"}})
    assert write(Image(samples, "kji"), path, options) == (path,)
    np.testing.assert_array_equal(samples, kept)
    np.testing.assert_array_equal(only(path).array, kept)


@pytest.mark.parametrize("photometric", ["RGB", "RGBA"])
@pytest.mark.parametrize("pages", [1, 3])
def test_write_and_read_colour(path, photometric, pages):
    shape = (pages, 5, 7, len(photometric))
    samples = RNG.integers(0, 65535, shape).astype(np.uint16)
    image = Image(
        samples,
        "kjic",
        values=ValueMap(photometric=photometric),
        metadata=Metadata(shared={"ICCProfile": b"profile" * 20}),
    )
    write(image, path, WriteOptions())
    again = only(path)
    assert again.values.photometric == photometric
    assert again.metadata.shared["ICCProfile"] == b"profile" * 20
    np.testing.assert_array_equal(again.array, samples)


def test_write_keeps_the_polarity_of_stored_values(path):
    samples = RNG.integers(0, 255, (1, 4, 5)).astype(np.uint8)
    image = Image(samples, "kji", values=ValueMap(photometric="MONOCHROME1"))
    write(image, path, WriteOptions(extra={"raster": {"values": "stored"}}))
    again = only(path)
    assert again.values.photometric == "MONOCHROME1"
    np.testing.assert_array_equal(again.array, samples)


def test_check_time_axis_is_told():
    image = Image(np.zeros((2, 3, 4, 5), np.uint8), "tkji")
    assert [loss.name for loss in check(image, WriteOptions())] == ["time-axis"]
