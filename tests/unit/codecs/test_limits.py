import pytest

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.limits import encoded_format, require_encodable
from imgconv.errors import UnsupportedData
from imgconv.standard.transfer_syntaxes import find_transfer_syntax


def _format(**changes):
    return PixelFormat(
        **{"rows": 8, "columns": 8, "bits_allocated": 16, "bits_stored": 12, **changes}
    )


def _uid(name):
    return find_transfer_syntax(name).uid


RGB = {
    "samples_per_pixel": 3,
    "bits_allocated": 8,
    "bits_stored": 8,
    "photometric_interpretation": "RGB",
}


@pytest.mark.parametrize(
    ("name", "photometric"),
    [
        ("jpeg2000", "YBR_RCT"),
        ("htj2k", "YBR_RCT"),
        ("jpeg2000-lossy", "YBR_ICT"),
        ("jpeg", "YBR_FULL_422"),
        ("jpeg-xl-lossy", "XYB"),
        ("jpeg-ls", "RGB"),
        ("jpeg-lossless", "RGB"),
        ("rle", "RGB"),
        ("explicit", "RGB"),
    ],
)
def test_encoded_format_names_the_colour_space_of_the_standard(name, photometric):
    target = encoded_format(_format(**RGB), _uid(name))
    assert target.photometric_interpretation == photometric


@pytest.mark.parametrize(
    ("name", "planar"), [("rle", 1), ("explicit", 1), ("jpeg-ls", 0), ("htj2k", 0)]
)
def test_encoded_format_keeps_planes_only_where_they_mean_something(name, planar):
    target = encoded_format(_format(**RGB), _uid(name), planar_configuration=1)
    assert target.planar_configuration == planar


@pytest.mark.parametrize(
    ("name", "changes", "reason", "hint"),
    [
        ("jpeg-ls", {"bits_allocated": 32, "bits_stored": 32}, "`32` Bits Allocated", "htj2k"),
        ("rle", {"bits_allocated": 1, "bits_stored": 1}, "`1` Bits Allocated", "deflated-frame"),
        ("jpeg-xl", {"signed": True}, "signed samples", "jpeg2000"),
        ("jpeg-extended", {"bits_stored": 10}, "`10` Bits Stored", "jpeg2000-lossy"),
        (
            "jpeg-ls-near",
            {"photometric_interpretation": "PALETTE COLOR"},
            "Photometric Interpretation `PALETTE COLOR`",
            "deflated",
        ),
        ("encapsulated", {"floating": True, "bits_allocated": 32}, "floating point", "deflated"),
    ],
)
def test_require_encodable_refuses_with_reason_and_way_out(name, changes, reason, hint):
    with pytest.raises(UnsupportedData, match=reason) as caught:
        require_encodable(_format(**changes), _uid(name))
    assert hint in caught.value.hint


def test_require_encodable_takes_what_the_hint_names():
    for bits in (1, 32):
        pixel_format = _format(bits_allocated=bits, bits_stored=bits)
        with pytest.raises(UnsupportedData) as caught:
            require_encodable(pixel_format, _uid("jpeg-ls"))
        name = caught.value.hint.split("`")[1].removeprefix("--to ")
        require_encodable(pixel_format, _uid(name))
