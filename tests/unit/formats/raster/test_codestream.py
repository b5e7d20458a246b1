import imagecodecs
import numpy as np
import pytest

from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster import jpeg
from imgconv.formats.raster.codestream import read_jpeg2000, read_jpegls, read_jpegxl

RNG = np.random.default_rng(7)
JP2 = {"codecformat": "jp2", "level": 0}
KINDS = {
    "jp2": (read_jpeg2000, lambda a: imagecodecs.jpeg2k_encode(a, **JP2)),
    "j2k": (read_jpeg2000, lambda a: imagecodecs.jpeg2k_encode(a, codecformat="j2k", level=0)),
    "jph": (read_jpeg2000, imagecodecs.htj2k_encode),
    "jls": (read_jpegls, imagecodecs.jpegls_encode),
    "jxl": (read_jpegxl, lambda a: imagecodecs.jpegxl_encode(a, lossless=True)),
}


def only(kind, path):
    (image,) = KINDS[kind][0](path, ReadOptions())
    return image


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(20, 31), (20, 31, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_read_is_exact(tmp_path, kind, shape, dtype):
    samples = RNG.integers(0, np.iinfo(dtype).max, shape).astype(dtype)
    path = tmp_path / f"a.{kind}"
    path.write_bytes(KINDS[kind][1](samples))
    image = only(kind, path)
    assert image.dtype == dtype
    assert image.values.photometric == ("MONOCHROME2" if len(shape) == 2 else "RGB")
    np.testing.assert_array_equal(image.array[0], samples)


def test_read_jpeg2000_codestream_has_no_boxes(tmp_path):
    path = tmp_path / "a.jp2"
    samples = RNG.integers(0, 255, (20, 31)).astype(np.uint8)
    path.write_bytes(imagecodecs.jpeg2k_encode(samples, **JP2))
    (stream,) = only("jp2", path).codestreams
    assert stream.startswith(b"\xff\x4f\xff\x51")
    assert stream.endswith(b"\xff\xd9")
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(stream), samples)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keep", [0, 1, 5, 40, 0.6])
def test_read_truncated_is_refused(tmp_path, kind, keep):
    path = tmp_path / f"a.{kind}"
    data = KINDS[kind][1](RNG.integers(0, 255, (20, 31)).astype(np.uint8))
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises((CorruptData, UnsupportedData)) as caught:
        only(kind, path)
    assert caught.value.path == path


def test_read_jpegls_plain_jpeg_is_refused(tmp_path):
    path = tmp_path / "a.jls"
    path.write_bytes(imagecodecs.jpeg8_encode(np.zeros((8, 8), np.uint8)))
    with pytest.raises(CorruptData, match="0xc0"):
        only("jls", path)


# ITU-T T.84 annex F: header (20 rows, 31 columns, 8 bits, JPEG-LS) and end of directory.
SPIFF = bytes.fromhex(
    "ffe8 0020 5350494646 00 0200 00 01 00000014 0000001f 0a 08 06 01 0000012c 0000012c"
    "ffe8 0008 00000001 ffd8"
)


def test_read_jpegls_leaves_the_spiff_header_out_of_the_codestream(tmp_path):
    samples = RNG.integers(0, 255, (20, 31)).astype(np.uint8)
    encoded = imagecodecs.jpegls_encode(samples)
    frame = encoded[encoded.index(b"\xff\xf7") :]  # some versions write SPIFF, others do not
    path = tmp_path / "a.jls"
    path.write_bytes(b"\xff\xd8" + SPIFF + frame)
    (image,) = jpeg.read(path, ReadOptions())  # what its first bytes are taken for
    (stream,) = image.codestreams
    assert stream == b"\xff\xd8" + frame
    np.testing.assert_array_equal(imagecodecs.jpegls_decode(stream), samples)
    np.testing.assert_array_equal(image.array[0], samples)
