import pytest

from imgconv.dicom.vendors.facts import Acquisition
from imgconv.dicom.vendors.uih import (
    uih_b_value,
    uih_direction,
    uih_fields,
    uih_readout_time,
    uih_slice_times,
    uih_start,
)

CREATOR = "Image Private Header"


@pytest.fixture
def grid(facts_of, dataset_of):
    items = [
        dataset_of({"AcquisitionTime": time, "AcquisitionDuration": 21.0})
        for time in ("133745.065", "133742.724", "133747.698")
    ]
    private = {
        (0x65, CREATOR, 0x51, "SQ"): items,
        (0x65, CREATOR, 0x09, "FD"): 929.75,
        (0x65, CREATOR, 0x37, "FD"): [0.6, 0.0, -0.8],
        (0x65, CREATOR, 0x0D, "SH"): "F:2S",
        (0x65, CREATOR, 0x05, "SH"): "A->P",
        (0x65, CREATOR, 0x03, "LO"): "HL1,2;HU1,2",
    }
    return facts_of({}, private)


def test_grid_times_are_relative_and_in_array_order(grid):
    acquisition = Acquisition(((grid,),), (64, 64, 3))
    assert uih_slice_times(acquisition, 6.0) == pytest.approx((2.341, 0.0, 4.974))
    turned = Acquisition(((grid,),), (64, 64, 3), tiles=(2, 1, 0))
    assert uih_slice_times(turned, 6.0) == pytest.approx((4.974, 0.0, 2.341))
    assert uih_start(grid) == pytest.approx(49062.724)


def test_single_slices_have_their_own_time(facts_of):
    frames = tuple(facts_of({"AcquisitionTime": time}) for time in ("100001", "100000"))
    assert uih_slice_times(Acquisition((frames,), (4, 4, 2)), 6.0) == (1.0, 0.0)


def test_diffusion_and_readout(grid, facts_of):
    assert uih_b_value(grid) == 929.75
    assert uih_direction(grid) == (0.6, 0.0, -0.8)
    assert uih_readout_time(grid) == pytest.approx(0.021)
    assert uih_readout_time(facts_of({})) is None
    assert uih_start(facts_of({})) is None


def test_fields(grid):
    assert uih_fields(Acquisition(((grid,),), (64, 64, 3))) == {
        "AcquisitionDuration": None,
        "PhaseEncodingDirectionDisplayed": "A->P",
        "ReceiveCoilName": "HL1,2;HU1,2",
        "ParallelReductionFactorInPlane": 2.0,
    }
