import pytest
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.header import parse_header
from imgconv.dicom.scaling import value_map


def mapped(photometric="MONOCHROME2", **attributes):
    return value_map(slices_of(parse_header(encode(make_slice(**attributes)), "x")), photometric)


@pytest.mark.parametrize(
    ("attributes", "unit"),
    [
        ({"Modality": "CT"}, "[hnsf'U]"),
        ({"Modality": "CT", "RescaleType": "US"}, ""),
        ({"Modality": "CT", "RescaleType": "HU"}, "[hnsf'U]"),
        ({"Modality": "PT", "Units": "BQML"}, "Bq/ml"),
        ({"Modality": "PT", "Units": "SOMETHING"}, ""),
        ({"Modality": "MR"}, ""),
        ({"Modality": "RTDOSE", "DoseUnits": "GY", "DoseGridScaling": "0.5"}, "Gy"),
    ],
)
def test_value_map_unit(attributes, unit):
    assert mapped(**attributes).unit == unit


def test_value_map_dose_is_scaled():
    assert mapped(Modality="RTDOSE", DoseGridScaling="0.5").rescale.slope == 0.5


def test_value_map_slope_of_zero_is_none():
    assert mapped(RescaleSlope=0, RescaleIntercept=3).rescale.slope == 1


def test_value_map_colour_has_no_rescale():
    values = mapped("RGB", RescaleSlope=2)
    assert values.rescale.is_identity
    assert values.photometric == "RGB"
