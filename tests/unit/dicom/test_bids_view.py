import pytest

from imgconv.dicom.bids import bids_fields
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


@pytest.fixture
def series_of(facts_of):
    def make(times, repetition="500", **attributes):
        frames = tuple(
            (
                facts_of(
                    {
                        "Modality": "MR",
                        "AcquisitionTime": time,
                        "RepetitionTime": repetition,
                        **attributes,
                    }
                ),
            )
            for time in times
        )
        return Acquisition(frames, (4, 4, 1))

    return make


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (("100000", "100010", "100020"), 10),
        (("235955", "000005"), 10),  # midnight
        (("100000", "100010", "100013"), 0.5),  # irregular
        (("100000", "100000"), 0.5),
        (("100000", "095950"), 0.5),  # backwards
        (("100000",), 0.5),
        (("100000", ""), 0.5),
    ],
)
def test_repetition_time_is_from_volume_to_volume(series_of, times, expected):
    assert View(series_of(times)).repetition_time == pytest.approx(expected)


def test_nominal_repetition_time_stays_if_the_volumes_agree(series_of):
    view = View(series_of(("100000", "100002.01"), repetition="2000"))
    assert view.repetition_time == 2.0


def test_irregular_volumes_have_their_times(series_of):
    fields = bids_fields(series_of(("100000", "100010", "100013")))
    assert fields["FrameTimesStart"] == [0, 10, 13]
    for regular in (("100000", "100010", "100020"), ("100000", "100002", "100005")):
        assert "FrameTimesStart" not in bids_fields(series_of(regular))


def test_excitation_time_is_told_if_it_differs(series_of):
    fields = bids_fields(series_of(("100000", "100010"), repetition="5"))
    assert fields["RepetitionTime"] == 10
    assert fields["RepetitionTimeExcitation"] == 0.005
    assert "RepetitionTimeExcitation" not in bids_fields(series_of(("100000",)))
