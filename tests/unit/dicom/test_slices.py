import pytest
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.header import parse_header
from imgconv.dicom.slices import is_from, to_integer
from imgconv.dicom.slices import make_slice as slice_of
from imgconv.dicom.vendors.component import Component
from imgconv.errors import CorruptData


def made(**attributes):
    header = parse_header(encode(make_slice(**attributes)), "x")
    return slice_of(header, 0, -1, header.get, (4, 3), known={})


@pytest.mark.parametrize(
    ("image_type", "component"),
    [
        (["ORIGINAL", "PRIMARY", "M"], Component.MAGNITUDE),
        (["ORIGINAL", "PRIMARY", "P"], Component.PHASE),
        (["ORIGINAL", "PRIMARY", "R_IR", "R", "IR"], Component.REAL),
        (["ORIGINAL", "PRIMARY"], Component.UNKNOWN),
    ],
)
def test_component(image_type, component):
    assert made(ImageType=image_type).component is component


def test_component_magnitude_and_unknown_are_one_kind():
    assert made(ImageType=["ORIGINAL", "PRIMARY"]).kind == made().kind
    assert made(ImageType=["ORIGINAL", "PRIMARY", "P"]).kind != made().kind


def test_component_is_for_mr_only():
    assert made(Modality="CT", ImageType=["ORIGINAL", "PRIMARY", "P"]).component is (
        Component.UNKNOWN
    )


@pytest.mark.parametrize(
    ("attributes", "isotropic"),
    [
        ({}, False),
        ({"DiffusionBValue": 1000.0}, False),
        ({"DiffusionBValue": 1000.0, "DiffusionDirectionality": "ISOTROPIC"}, True),
        ({"DiffusionBValue": 0.0, "DiffusionDirectionality": "ISOTROPIC"}, False),
        ({"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [0.0, 0.0, 0.0]}, True),
        ({"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": [1.0, 0.0, 0.0]}, False),
    ],
)
def test_isotropic(attributes, isotropic):
    assert made(**attributes).isotropic is isotropic


def test_wrong_number_of_values_is_corrupt():
    with pytest.raises(CorruptData, match="ImagePositionPatient"):
        made(ImagePositionPatient=[1, 2])


@pytest.mark.parametrize(
    ("keyword", "value", "other"),
    [
        ("RescaleSlope", "2.5", b"2,5 "),
        ("PixelSpacing", ["2.25", "1.5"], b"2.25\\one"),
        ("ImagePositionPatient", ["12.25", "1", "1"], b"abcde\\1\\1 "),
    ],
)
def test_number_that_cannot_be_read_is_corrupt(keyword, value, other):
    whole = encode(make_slice(**{keyword: value}))
    text = value if isinstance(value, str) else "\\".join(value)
    stored = text.encode().ljust(len(other))
    assert stored in whole
    header = parse_header(whole.replace(stored, other), "x")
    with pytest.raises(CorruptData, match=keyword):
        slice_of(header, 0, -1, header.get, (4, 3), known={})


def test_is_from_ignores_case():
    header = parse_header(encode(make_slice(Manufacturer="SIEMENS")), "x")
    assert is_from(header, "Siemens")
    assert not is_from(header, "GE")


@pytest.mark.parametrize(("value", "expected"), [(3.7, 3), ((4, 5), 4), (None, None), ("x", None)])
def test_to_integer(value, expected):
    assert to_integer(value) == expected
