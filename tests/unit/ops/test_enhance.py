from __future__ import annotations

from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

from imgconv.errors import LossRefused
from imgconv.exitcodes import ExitCode
from imgconv.ops.enhance import EnhancedKind, enhance
from imgconv.ops.multiframe import split
from imgconv.ops.standardize import Running, StandardizeOptions, StandardizeReport

WHEN = "20260101120000"
LEGACY_CT, ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.2", "1.2.840.10008.5.1.4.1.1.2.1"
# What the series of pydicom's discs does not say.
FACTS = {
    "BurnedInAnnotation": "NO",
    "LossyImageCompression": "00",
    "IrradiationEventUID": "1.2.3.4",
    "Manufacturer": "MAKER",
    "ManufacturerModelName": "MODEL",
    "DeviceSerialNumber": "1",
    "SoftwareVersions": "1",
    "BodyPartExamined": "CHEST",
}


def images(tmp_path: Path, **values) -> Path:
    """Write five slices; `values` are given to each, a list's entries one by one."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        dataset.InstanceNumber = number + 1
        dataset.ImagePositionPatient = [-158.1, -179.0, -75.7 + 5 * number]
        dataset.AcquisitionTime = f"07273{number}"
        dataset.PixelData = (dataset.pixel_array + number).tobytes()
        del dataset[0xFFFCFFFC]
        for keyword, value in values.items():
            setattr(dataset, keyword, value[number] if isinstance(value, list) else value)
        dataset.save_as(folder / f"{number}.dcm")
    return folder


def run(folder: Path, tmp_path: Path, *, kind=EnhancedKind.AUTO, **options) -> StandardizeReport:
    running = Running(tmp_path / "staging")
    settings = StandardizeOptions(when=WHEN, **options)
    return enhance([folder], tmp_path / "out", settings, running=running, kind=kind)


def made(report: StandardizeReport) -> pydicom.Dataset:
    (outcome,) = report.outcomes
    assert outcome.error is None, outcome.error
    return pydicom.dcmread(outcome.job.outputs[0])


# highdicom leaves SQLite connections open, of which Python 3.13 tells.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.usefixtures("collected")
def test_enhance_highdicom_reads_each_frame_by_its_source(tmp_path):
    folder = images(tmp_path)

    report = run(folder, tmp_path)

    (outcome,) = report.outcomes
    image = highdicom.legacy.lceread(outcome.job.outputs[0])
    for path in folder.iterdir():
        source = pydicom.dcmread(path)
        pixels = image.get_pixels_by_legacy_source_instance(
            source.SOPInstanceUID, apply_modality_transform=False
        )
        assert np.array_equal(pixels, source.pixel_array)
    assert [image.get_volume().spacing[0], image.DimensionOrganizationType] == [5.0, "3D"]


def test_enhance_series_without_the_facts_is_legacy_converted_and_says_why(tmp_path):
    report = run(images(tmp_path), tmp_path)

    dataset = made(report)
    (change,) = [c for c in report.to_json()["files"][0]["changes"] if c["name"] == "enhanced"]
    assert dataset.SOPClassUID == LEGACY_CT
    assert "BurnedInAnnotation" in change["reason"]


def test_enhance_derived_series_with_the_facts_becomes_an_enhanced_object(tmp_path):
    folder = images(tmp_path, ImageType=r"DERIVED\SECONDARY\MPR")

    dataset = made(run(folder, tmp_path, facts=FACTS))

    shared = dataset.SharedFunctionalGroupsSequence[0]
    assert dataset.SOPClassUID == ENHANCED_CT
    assert dataset.ImageType == ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    assert dataset.VolumeBasedCalculationTechnique == "MPR"
    assert shared.FrameAnatomySequence[0].AnatomicRegionSequence[0].CodeMeaning == "Chest"
    assert shared.FrameAnatomySequence[0].FrameLaterality == "U"


def test_enhance_enhanced_object_is_refused_where_a_fact_is_missing(tmp_path):
    report = run(images(tmp_path), tmp_path, kind=EnhancedKind.ENHANCED)

    (outcome,) = report.outcomes
    assert isinstance(outcome.error, LossRefused)
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_enhance_overlays_and_private_elements_come_back_when_split(tmp_path):
    folder = images(tmp_path)
    for number, path in enumerate(sorted(folder.iterdir())):
        dataset = pydicom.dcmread(path)
        dataset.add_new(0x60000010, "US", 1)
        dataset.add_new(0x60000011, "US", 8)
        dataset.add_new(0x60000040, "CS", "G")
        dataset.add_new(0x60000050, "SS", [1, 1])
        dataset.add_new(0x60000100, "US", 1)
        dataset.add_new(0x60000102, "US", 0)
        dataset.add_new(0x60003000, "OW", bytes([number, 0]))
        dataset.add_new(0x00C10010, "LO", "MAKER")
        dataset.add_new(0x00C11001, "LO", f"note {number}")
        dataset.save_as(path)

    run(folder, tmp_path)
    back = tmp_path / "back"
    split([tmp_path / "out"], back, StandardizeOptions(when=WHEN), running=Running(tmp_path / "s"))

    found = [pydicom.dcmread(path) for path in sorted(back.rglob("*.dcm"))]
    assert [dataset[0x60003000].value[0] for dataset in found] == [0, 1, 2, 3, 4]
    assert [dataset[0x00C11001].value for dataset in found] == [f"note {n}" for n in range(5)]


def test_enhance_images_of_several_echoes_are_indexed_by_them(tmp_path):
    positions = [[0, 0, 0], [0, 0, 5], [0, 0, 0], [0, 0, 5], [0, 0, 10]]
    folder = images(tmp_path, ImagePositionPatient=positions, AcquisitionNumber=[1, 1, 2, 2, 2])

    dataset = made(run(folder, tmp_path))

    indexes = [
        list(group.FrameContentSequence[0].DimensionIndexValues)
        for group in dataset.PerFrameFunctionalGroupsSequence
    ]
    pointers = [item.DimensionIndexPointer for item in dataset.DimensionIndexSequence]
    assert indexes == [[1, 1, 1], [1, 1, 2], [1, 2, 1], [1, 2, 2], [1, 2, 3]]
    assert pointers[1] == 0x00209156  # Frame Acquisition Number


@pytest.mark.filterwarnings("ignore:.*Invalid value.*:UserWarning")
def test_enhance_broken_values_of_images_are_mended_first(tmp_path):
    report = run(images(tmp_path, PatientAge="45", StudyTime="07:27:30"), tmp_path)

    assert report.exit_code is ExitCode.DONE
    assert made(report).StudyTime == "072730"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"PatientID": ["a", "a", "b", "a", "a"]}, "differ in PatientID"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "MONOCHROME2"),
        ({"SOPInstanceUID": "1.2.3"}, "one SOP Instance UID"),
    ],
)
def test_enhance_series_that_cannot_be_one_object_is_refused(tmp_path, values, words):
    report = run(images(tmp_path, **values), tmp_path)

    (outcome,) = report.outcomes
    assert outcome.error is not None
    assert words in outcome.error.message


@pytest.mark.parametrize(
    "values", [{"BitsStored": 0}, {"BitsAllocated": 24}, {"PixelData": b"\0" * 7}]
)
def test_enhance_impossible_pixels_are_a_clean_refusal(tmp_path, values):
    report = run(images(tmp_path, **values), tmp_path)

    assert report.exit_code is ExitCode.NONE_DONE
    assert not any("internal error" in outcome.reason for outcome in report.outcomes)
