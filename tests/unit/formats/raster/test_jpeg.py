import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image as PillowImage

from imgconv.core.display import Display, SliceDisplay, Window
from imgconv.core.image import Encoded, Image, Segment
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import ValueMap
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.raster.jpeg import check, read, write

GRADIENT = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)


def only(path):
    (image,) = read(path, ReadOptions())
    return image


def encode(samples, mode=None, **options):
    buffer = io.BytesIO()
    PillowImage.fromarray(samples, mode).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.jpg"


def test_read_baseline_keeps_its_codestream(path):
    path.write_bytes(encode(GRADIENT))
    image = only(path)
    assert image.values.photometric == "MONOCHROME2"
    assert image.codestreams == (path.read_bytes(),)
    decoded = imagecodecs.jpeg8_decode(path.read_bytes())
    np.testing.assert_array_equal(image.array[0], decoded)


def test_read_what_is_appended_is_no_part_of_the_codestream(path):
    data = encode(GRADIENT)
    path.write_bytes(data + b"appended by a camera")
    assert only(path).codestreams == (data,)


def test_read_progressive_has_no_codestream_for_dicom(path):
    path.write_bytes(encode(GRADIENT, progressive=True))
    assert only(path).codestreams == ()


def test_read_orientation_is_applied_and_the_codestream_dropped(path):
    exif = PillowImage.Exif()
    exif[0x0112] = 3
    path.write_bytes(encode(GRADIENT, exif=exif))
    upright = imagecodecs.jpeg8_decode(path.read_bytes())[::-1, ::-1]
    image = only(path)
    np.testing.assert_array_equal(image.array[0], upright)
    assert image.codestreams == ()


def test_read_icc_profile_is_kept(path):
    path.write_bytes(encode(np.dstack([GRADIENT] * 3), icc_profile=b"p" * 200))
    assert only(path).metadata.shared["ICCProfile"] == b"p" * 200


def test_read_cmyk_without_profile_is_a_harmful_approximation(path):
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[..., 3] = 255  # Pillow writes and reads it inverted, as Adobe does: full black
    path.write_bytes(encode(inks, "CMYK", quality=100))
    image = only(path)
    assert image.values.photometric == "RGB"
    assert [(loss.name, loss.harmful) for loss in image.losses] == [("cmyk-approximated", True)]
    assert image.array.max() <= 2


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_read_lossless_process_is_exact(path, bits):
    dtype = np.uint8 if bits == 8 else np.uint16
    samples = np.random.default_rng(1).integers(0, 2**bits, (20, 30)).astype(dtype)
    path.write_bytes(imagecodecs.ljpeg_encode(samples, bitspersample=bits))
    image = only(path)
    assert image.values.bits_stored == bits
    assert len(image.codestreams) == 1
    np.testing.assert_array_equal(image.array[0], samples)


@pytest.mark.parametrize("keep", [0, 3, 30, 0.5, 0.9])
def test_read_truncated_is_refused(path, keep):
    data = encode(np.random.default_rng(2).integers(0, 255, (64, 64)).astype(np.uint8))
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(CorruptData) as caught:
        only(path)
    assert caught.value.path == path


def test_read_arithmetic_coding_is_unsupported(path):
    data = encode(GRADIENT)
    path.write_bytes(data.replace(b"\xff\xc0", b"\xff\xc9", 1))
    with pytest.raises(UnsupportedData, match="0xc9"):
        only(path)


def test_read_hostile_size_is_refused_before_it_is_decoded(path):
    data = encode(GRADIENT)
    at = data.index(b"\xff\xc0") + 5
    path.write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    with pytest.raises(CorruptData, match="bomb"):
        only(path)


def picture(samples, photometric="MONOCHROME2"):
    axes = "kjic" if samples.ndim == 4 else "kji"
    return Image(samples, axes, values=ValueMap(photometric=photometric))


def test_write_own_stream_is_written_unchanged(path, tmp_path):
    path.write_bytes(encode(GRADIENT))
    image = only(path)
    assert check(image, WriteOptions()) == ()
    (written,) = write(image, tmp_path / "b.jpg", WriteOptions())
    assert written.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("colours", [1, 3])
def test_write_is_close_and_says_that_it_is_lossy(tmp_path, colours):
    samples = GRADIENT[np.newaxis] if colours == 1 else np.dstack([GRADIENT] * 3)[np.newaxis]
    image = picture(samples, "MONOCHROME2" if colours == 1 else "RGB")
    assert [loss.name for loss in check(image, WriteOptions())] == ["lossy"]
    (written,) = write(image, tmp_path / "b.jpg", WriteOptions())
    assert np.abs(only(written).array.astype(int) - samples).max() <= 6


def test_write_alpha_is_put_over_white_if_allowed(tmp_path):
    samples = np.zeros((1, 8, 8, 4), np.uint8)
    image = picture(samples, "RGBA")
    assert ("alpha", True) in [(loss.name, loss.harmful) for loss in check(image, WriteOptions())]
    (written,) = write(image, tmp_path / "b.jpg", WriteOptions())
    assert only(written).array.min() >= 253


def test_check_stored_16_bits_are_refused():
    with pytest.raises(UnsupportedData, match="JPEG holds 8 bits"):
        check(picture(np.zeros((1, 2, 2), np.uint16)), WriteOptions())


def test_check_labels_would_be_harmed():
    image = Image(np.zeros((1, 8, 8), np.uint8), "kji", segments=(Segment(1, "a"),))
    assert [loss.name for loss in check(image, WriteOptions()) if loss.harmful] == ["lossy"]


def _shown(display: SliceDisplay, **values) -> Image:
    """Return an image in space of one JPEG, as a DICOM reader gives it."""
    array = imagecodecs.jpeg8_decode(encode(GRADIENT))[None]
    return Image(
        array,
        "kji",
        values=ValueMap(bits_stored=8, **values),
        encoded=Encoded((encode(GRADIENT),), array),
        display=Display(array, lambda _t, _k: display),
    )


@pytest.mark.parametrize("display", [SliceDisplay(), SliceDisplay(windows=(Window(128, 256),))])
def test_write_keeps_the_bytes_of_what_a_viewer_shows_as_it_is(path, display):
    image = _shown(display)
    assert check(image, WriteOptions()) == ()
    write(image, path, WriteOptions())
    assert path.read_bytes() == encode(GRADIENT)


@pytest.mark.parametrize(
    "image",
    [
        _shown(SliceDisplay(windows=(Window(40, 60),))),
        _shown(SliceDisplay(inverse=True)),
        _shown(SliceDisplay(), photometric="MONOCHROME1"),
    ],
)
def test_write_renders_what_a_viewer_shows_otherwise(path, image):
    assert "lossy" in {loss.name for loss in check(image, WriteOptions())}
    write(image, path, WriteOptions())
    assert path.read_bytes() != encode(GRADIENT)


@pytest.mark.parametrize("samples", [3, 4])
def test_check_colour_that_is_no_unsigned_integer_is_refused(samples):
    image = picture(np.zeros((1, 4, 5, samples), "float32"), {3: "RGB", 4: "RGBA"}[samples])

    with pytest.raises(UnsupportedData, match="float32"):
        check(image, WriteOptions())
