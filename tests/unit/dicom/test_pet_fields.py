import pytest

from imgconv.dicom.pet_fields import pet_fields
from imgconv.dicom.vendors.facts import Acquisition


@pytest.fixture
def acquisition(facts_of, dataset_of):
    def make(count=2, **changed):
        isotope = dataset_of(
            {
                "Radiopharmaceutical": "Fluorodeoxyglucose",
                "RadiopharmaceuticalStartTime": "095900.000",
                "RadionuclideTotalDose": "185000000",
                "RadionuclideHalfLife": "6586.2",
                "RadionuclidePositronFraction": "0.967",
                "RadionuclideCodeSequence": [dataset_of({"CodeMeaning": "^18^Fluorine"})],
            }
        )
        frames = []
        for number in range(count):
            attributes = {
                "Modality": "PT",
                "InstanceNumber": number + 1,
                "AcquisitionTime": f"10{10 + number}00",
                "ActualFrameDuration": "60000",
                "FrameReferenceTime": str(30000 + 60000 * number),
                "DecayFactor": str(1.01 + number / 100),
                "ScatterFractionFactor": "0.31",
                "Units": "BQML",
                "DecayCorrection": "START",
                "AttenuationCorrectionMethod": "measured,AC CT",
                "RandomsCorrectionMethod": "DLYD",
                "ReconstructionMethod": "OSEM3D 3i21s",
                "ConvolutionKernel": "XYZ Gauss 2.00",
                "RadiopharmaceuticalInformationSequence": [isotope],
                **changed,
            }
            frames.append((facts_of(attributes),))
        return Acquisition(tuple(frames), (4, 4, 1))

    return make


def test_fields_of_a_dynamic_series(acquisition):
    fields = pet_fields(acquisition())
    assert fields["TracerName"] == "Fluorodeoxyglucose"
    assert fields["TracerRadionuclide"] == "18Fluorine"
    assert fields["InjectedRadioactivity"] == pytest.approx(185)
    assert fields["InjectedRadioactivityUnits"] == "MBq"
    assert fields["Units"] == "Bq/mL"
    assert fields["AttenuationCorrection"] == "measured"
    assert fields["ReconMethodName"] == "Ordered Subset Expectation Maximization"
    assert fields["ReconMethodParameterLabels"] == ["subsets", "iterations"]
    assert fields["ReconMethodParameterValues"] == [21, 3]
    assert fields["ReconFilterType"] == "XYZ Gauss"
    assert fields["ReconFilterSize"] == 2.0
    assert fields["FrameTimesStart"] == [0, 60]
    assert fields["FrameDuration"] == [60, 60]
    assert fields["FrameReferenceTime"] == [30, 90]
    assert fields["DecayCorrectionFactor"] == pytest.approx([1.01, 1.02])
    assert fields["DecayFactor"] == fields["DecayCorrectionFactor"]
    assert fields["ScatterFraction"] == [0.31, 0.31]
    assert fields["ImageDecayCorrected"] is True
    assert fields["ImageDecayCorrectionTime"] == 0


def test_decay_correction_to_the_injection(acquisition):
    fields = pet_fields(acquisition(DecayCorrection="ADMIN"))
    assert fields["ImageDecayCorrectionTime"] == -660


def test_no_decay_correction(acquisition):
    fields = pet_fields(acquisition(DecayCorrection="NONE"))
    assert fields["ImageDecayCorrected"] is False
    assert "ImageDecayCorrectionTime" not in fields


def test_unknown_names_stay_as_they_are(acquisition):
    fields = pet_fields(
        acquisition(Units="CNTS", ReconstructionMethod="VENDOR X", ConvolutionKernel="ALLPASS")
    )
    assert fields["Units"] == "CNTS"
    assert fields["ReconMethodName"] == "VENDOR X"
    assert "ReconMethodParameterValues" not in fields
    assert "ReconFilterType" not in fields


def test_lists_need_all_frames(facts_of):
    frames = ((facts_of({"ActualFrameDuration": "60000"}),), (facts_of({}),))
    fields = pet_fields(Acquisition(frames, (4, 4, 1)))
    assert fields["FrameDuration"] == []
    assert "FrameTimesStart" not in fields
