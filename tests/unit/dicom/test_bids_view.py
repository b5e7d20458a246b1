import pytest

from imgconv.dicom.bids_view import View
from imgconv.dicom.vendors.facts import Acquisition
from imgconv.dicom.vendors.identity import Vendor


@pytest.fixture
def view_of(facts_of):
    def make(attributes, private=None, size=(80, 64, 1)):
        return View(Acquisition(((facts_of(attributes, private),),), size))

    return make


@pytest.mark.parametrize(
    ("direction", "axis", "lines"), [("ROW", "i", 80), ("COLUMN", "j", 64), ("COL", "j", 64)]
)
def test_phase_axis_and_reconstructed_lines(view_of, direction, axis, lines):
    view = view_of({"InPlanePhaseEncodingDirection": direction})
    assert view.phase_axis == axis
    assert view.recon_lines == lines


def test_reconstructed_lines_without_a_direction(view_of):
    matrix = {"AcquisitionMatrix": [0, 96, 72, 0]}
    assert view_of(matrix).recon_lines == 72
    assert view_of(matrix, size=(64, 64, 1)).recon_lines == 64
    assert view_of({}).recon_lines == 0


def test_acquired_lines(view_of, dataset_of):
    geometry = dataset_of({"MRAcquisitionPhaseEncodingStepsInPlane": 70})
    group = dataset_of({"MRFOVGeometrySequence": [geometry]})
    assert view_of({"PerFrameFunctionalGroupsSequence": [group]}).acquired_lines == 70
    assert view_of({"AcquisitionMatrix": [128, 0, 0, 60]}).acquired_lines == 60


def test_repetition_time_of_zero_is_unknown(view_of):
    assert view_of({"RepetitionTime": "0"}).repetition_time is None
    assert view_of({"RepetitionTime": "5865.0"}).repetition_time == 5.865


def test_other_modalities_have_no_slice_times(view_of):
    view = view_of({"Modality": "CT", "Manufacturer": "SIEMENS"})
    assert not view.is_mr
    assert view.vendor is Vendor.SIEMENS
    assert view.slice_times is None
    assert view.vendor_fields == {}
