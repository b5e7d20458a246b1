import pytest

from imgconv.dicom.vendors.facts import Acquisition
from imgconv.dicom.vendors.philips import (
    philips_b_value,
    philips_direction,
    philips_fields,
    philips_readout,
)

IMAGING = "Philips Imaging DD 001"
MR = "Philips MR Imaging DD 001"
MR_5 = "Philips MR Imaging DD 005"


@pytest.fixture
def frame(facts_of):
    def make(slope="1.5", scale=0.004, **attributes):
        private = {
            (0x2001, IMAGING, 0x22, "FL"): 8.0,
            (0x2001, IMAGING, 0x03, "FL"): 1000.0,
            (0x2005, MR, 0x0E, "FL"): scale,
            (0x2005, MR, 0xB0, "FL"): 0.0,
            (0x2005, MR, 0xB1, "FL"): 0.6,
            (0x2005, MR, 0xB2, "FL"): -0.8,
        }
        return facts_of({"RescaleSlope": slope, "RescaleIntercept": "0", **attributes}, private)

    return make


def test_diffusion_attributes(frame, facts_of):
    assert philips_b_value(frame()) == 1000
    assert philips_direction(frame()) == pytest.approx((0.0, 0.6, -0.8))
    assert philips_b_value(facts_of({})) is None
    assert philips_direction(facts_of({})) == ()


def test_fields_keep_both_scalings(frame):
    fields = philips_fields(Acquisition(((frame(), frame()),), (4, 4, 2)))
    assert fields["PhilipsRescaleSlope"] == 1.5
    assert fields["PhilipsRescaleIntercept"] == 0
    assert fields["PhilipsScaleSlope"] == pytest.approx(0.004)
    assert fields["UsePhilipsFloatNotDisplayScaling"] == 1
    assert fields["WaterFatShift"] == 8


def test_fields_have_no_scaling_if_it_differs(frame):
    fields = philips_fields(Acquisition(((frame(), frame(slope="2")),), (4, 4, 2)))
    assert "PhilipsRescaleSlope" not in fields
    assert "PhilipsScaleSlope" not in fields


def test_fields_say_partial_fourier(frame):
    fields = philips_fields(Acquisition(((frame(PartialFourier="YES"),),), (4, 4, 1)))
    assert fields["PartialFourierEnabled"] == "YES"


@pytest.mark.parametrize(("along", "expected"), [(-0.7, 0.7), (0.0, 0.0), (1.7e38, None)])
def test_fields_leave_an_unused_table_position_out(facts_of, dataset_of, along, expected):
    stack = dataset_of({}, {(0x2005, MR_5, 0x3C, "FL"): along})
    facts = facts_of({}, {(0x2001, IMAGING, 0x5F, "SQ"): [stack]})
    fields = philips_fields(Acquisition(((facts,),), (4, 4, 1)))
    position = fields.get("TablePosition")
    assert position == (None if expected is None else pytest.approx([0, 0, expected]))


def test_readout_from_the_water_fat_shift(frame):
    facts = frame(ImagingFrequency="127.8", EchoTrainLength="31")
    spacing, total = philips_readout(facts, 80)
    assert total == pytest.approx(8.0 / (127.8 * 3.4 * 32) * 31)
    assert spacing == pytest.approx(total / 79)
    assert philips_readout(facts, 1) is None
    assert philips_readout(frame(), 80) is None
