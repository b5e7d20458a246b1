import numpy as np
import pytest
from tests.unit.dicom.pixel_files import ramp

from imgconv.codecs import EncodeOptions, PixelFormat, decode_frame, encode_frame
from imgconv.codecs.encode import find_largest_loss, require_quality, rms_error
from imgconv.errors import InternalError, UnsupportedData, UsageError
from imgconv.standard.transfer_syntaxes import TRANSFER_SYNTAXES, find_transfer_syntax

LOSSLESS = [
    syntax.aliases[0]
    for syntax in TRANSFER_SYNTAXES
    if syntax.lossless and not syntax.lossy and syntax.aliases
]
KINDS = {
    "u8": (np.uint8, 8, 200, {}),
    "u12": (np.uint16, 12, 4000, {}),
    "u16": (np.uint16, 16, 65535, {}),
    "s16": (np.int16, 16, 8000, {"signed": True}),
    "s12": (np.int16, 12, 2000, {"signed": True}),
    "palette": (np.uint8, 8, 255, {"photometric_interpretation": "PALETTE COLOR"}),
    "mono1": (np.uint16, 10, 1000, {"photometric_interpretation": "MONOCHROME1"}),
}


def _uid(name):
    return find_transfer_syntax(name).uid


def _case(kind, shape=(24, 20)):
    dtype, stored, top, extra = KINDS[kind]
    samples = ramp(dtype, shape, top)
    return samples, PixelFormat(
        rows=shape[0],
        columns=shape[1],
        bits_allocated=8 * samples.dtype.itemsize,
        bits_stored=stored,
        **extra,
    )


def _colour(dtype=np.uint8, shape=(9, 14), photometric="RGB"):
    samples = ramp(dtype, (*shape, 3), 250)
    bits = 8 * samples.dtype.itemsize
    return samples, PixelFormat(
        rows=shape[0],
        columns=shape[1],
        bits_allocated=bits,
        bits_stored=bits,
        samples_per_pixel=3,
        photometric_interpretation=photometric,
    )


def _comes_back(samples, pixel_format, name):
    try:
        frame = encode_frame(samples, _uid(name), pixel_format)
    except UnsupportedData as error:
        assert error.hint  # noqa: PT017  a refusal has a way out
        return
    decoded = decode_frame(frame.data, _uid(name), frame.pixel_format)
    assert decoded.dtype == samples.dtype
    assert np.array_equal(decoded, samples)
    assert frame.pixel_format.decoded == pixel_format.decoded


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("kind", KINDS)
def test_encode_frame_lossless_comes_back_exactly(name, kind):
    _comes_back(*_case(kind), name)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 97), (97, 1), (3, 3), (2, 64)])
def test_encode_frame_odd_sizes_come_back_exactly(name, shape):
    _comes_back(*_case("u12", shape), name)


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
@pytest.mark.parametrize("shape", [(9, 14), (3, 3)])
def test_encode_frame_colour_comes_back_exactly(name, dtype, photometric, shape):
    _comes_back(*_colour(dtype, shape, photometric), name)


@pytest.mark.parametrize("name", LOSSLESS)
def test_encode_frame_noise_comes_back_exactly(name):
    samples = np.random.default_rng(1).integers(0, 65536, (31, 33)).astype(np.uint16)
    pixel_format = PixelFormat(rows=31, columns=33, bits_allocated=16, bits_stored=16)
    _comes_back(samples, pixel_format, name)


@pytest.mark.parametrize("name", LOSSLESS)
def test_encode_frame_bits_beyond_bits_stored_survive(name):
    samples, pixel_format = _case("u12")
    _comes_back(samples | 0x8000, pixel_format, name)


def test_encode_frame_32_bits_come_back_by_htj2k():
    samples = np.random.default_rng(1).integers(0, 2**32, (16, 16)).astype(np.uint32)
    pixel_format = PixelFormat(rows=16, columns=16, bits_allocated=32, bits_stored=32)
    _comes_back(samples, pixel_format, "htj2k")
    with pytest.raises(UnsupportedData, match="not exact"):
        encode_frame(samples, _uid("jpeg2000"), pixel_format)


@pytest.mark.parametrize("name", ["deflated-frame", "encapsulated"])
def test_encode_frame_one_bit_comes_back(name):
    samples = (ramp(np.uint8, (5, 7), 255) > 100).astype(np.uint8)
    _comes_back(samples, PixelFormat(rows=5, columns=7, bits_allocated=1, bits_stored=1), name)


@pytest.mark.parametrize("near", [0, 1, 3])
def test_encode_frame_near_lossless_keeps_the_bound(near):
    samples, pixel_format = _case("u12", (64, 64))
    frame = encode_frame(samples, _uid("jpeg-ls-near"), pixel_format, EncodeOptions(near=near))
    decoded = decode_frame(frame.data, _uid("jpeg-ls-near"), frame.pixel_format)
    assert np.abs(decoded.astype(int) - samples).max() <= near


def test_encode_frame_near_lossless_refuses_signed_samples():
    samples, pixel_format = _case("s16")
    with pytest.raises(UnsupportedData, match="-1 and 0 are far apart"):
        encode_frame(samples, _uid("jpeg-ls-near"), pixel_format, EncodeOptions(near=2))


@pytest.mark.parametrize("name", ["jpeg2000-lossy", "htj2k-lossy"])
def test_encode_frame_psnr_is_reached(name):
    samples, pixel_format = _case("u16", (64, 64))
    frame = encode_frame(samples, _uid(name), pixel_format, EncodeOptions(psnr=60))
    error = rms_error(decode_frame(frame.data, _uid(name), frame.pixel_format), samples)
    assert error > 0
    assert 20 * np.log10(65535 / error) > 59.5


@pytest.mark.parametrize("name", ["jpeg2000-lossy", "htj2k-lossy", "jpeg-xl-lossy"])
def test_encode_frame_ratio_is_reached(name):
    samples, pixel_format = _case("u12", (128, 128))
    frame = encode_frame(samples, _uid(name), pixel_format, EncodeOptions(ratio=12))
    assert samples.nbytes / 24 < len(frame.data) <= samples.nbytes / 12


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL"])
def test_encode_frame_jpeg_colour_becomes_ycbcr(photometric):
    samples, pixel_format = _colour(shape=(32, 32), photometric=photometric)
    frame = encode_frame(samples, _uid("jpeg"), pixel_format, EncodeOptions(quality=95))
    assert frame.pixel_format.photometric_interpretation == "YBR_FULL_422"
    decoded = decode_frame(frame.data, _uid("jpeg"), frame.pixel_format).astype(float)
    expected = samples.astype(float)
    if photometric == "RGB":
        weights = [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]
        expected = expected @ np.array(weights).T + [0, 128, 128]
    assert np.abs(decoded - expected).mean() < 4


def test_encode_frame_jpeg_12_bits_refuses_a_larger_sample():
    samples, pixel_format = _case("u12")
    uid = _uid("jpeg-extended")
    frame = encode_frame(samples, uid, pixel_format, EncodeOptions(quality=95))
    assert (
        np.abs(decode_frame(frame.data, uid, frame.pixel_format).astype(int) - samples).mean() < 8
    )
    with pytest.raises(UnsupportedData, match="beyond the 12 bits"):
        encode_frame(samples | 0x8000, uid, pixel_format, EncodeOptions(quality=95))


def test_encode_frame_other_samples_than_declared_is_a_bug():
    samples, pixel_format = _case("u12")
    with pytest.raises(InternalError):
        encode_frame(samples.astype(np.int16), _uid("rle"), pixel_format)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("jpeg", {}, "say how much by `--quality`"),
        ("jpeg2000-lossy", {}, "`--ratio` or `--psnr`"),
        ("jpeg2000", {"ratio": 5}, "is lossless"),
        ("jpeg", {"near": 2}, "has no `--near`"),
    ],
)
def test_require_quality_refuses_what_is_not_said_clearly(name, options, message):
    with pytest.raises(UsageError, match=message):
        require_quality(_uid(name), EncodeOptions(**options))


@pytest.mark.parametrize(
    "options", [{"near": 1, "ratio": 2.0}, {"quality": 0}, {"psnr": -1.0}, {"effort": 10}]
)
def test_encode_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError):
        EncodeOptions(**options)


def test_find_largest_loss_comes_near_the_limit():
    data = find_largest_loss(
        lambda x: b"\0" * int(x), lambda d: len(d) <= 500, (1, 10_000), steps=20
    )
    assert 450 < len(data) <= 500


def test_find_largest_loss_impossible_is_refused():
    with pytest.raises(UnsupportedData):
        find_largest_loss(lambda x: b"\0\0\0", lambda d: not d, (1, 10))


@pytest.mark.parametrize(("name", "way_out"), [("htj2k", "choose `--to htj2k-lossy`"), ("rle", "")])
def test_require_quality_of_a_lossless_syntax_names_its_lossy_relative(name, way_out):
    with pytest.raises(UsageError, match="takes no `--ratio`") as caught:
        require_quality(find_transfer_syntax(name).uid, EncodeOptions(ratio=4))
    assert caught.value.hint == way_out
