"""BIDS sidecars as DICOM attributes."""

from __future__ import annotations

import pytest

from imgconv.dicom.from_bids import (
    attributes_of_sidecar,
    find_sidecar,
    per_volume_of_sidecar,
    read_sidecar,
)
from imgconv.errors import CorruptData


def test_attributes_of_sidecar_converts_units_and_codes():
    found = attributes_of_sidecar(
        {
            "EchoTime": 0.03,
            "RepetitionTime": 2.1,
            "ManufacturersModelName": "Trio",
            "ScanningSequence": "EP_IR",
            "SequenceVariant": "SK\\SP",
            "ExposureTime": 0.504,
            "ImageType": ["ORIGINAL", "PRIMARY", "M"],
            "InjectedRadioactivity": 300,
            "SliceTiming": [0, 1],
            "SomethingElse": 1,
        }
    )
    assert found["EchoTime"] == 30
    assert found["RepetitionTime"] == 2100
    assert found["ManufacturerModelName"] == "Trio"
    assert found["ScanningSequence"] == ["EP", "IR"]
    assert found["SequenceVariant"] == ["SK", "SP"]
    assert found["ExposureTime"] == 504
    assert found["RadiopharmaceuticalInformationSequence"] == [{"RadionuclideTotalDose": 3e8}]
    assert "SomethingElse" not in found


def test_attributes_of_sidecar_leaves_out_lists_for_single_values():
    assert "EchoTime" not in attributes_of_sidecar({"EchoTime": [0.1, 0.2]})


def test_per_volume_of_sidecar_wants_one_value_per_volume():
    fields = {"FrameTimesStart": [0, 10], "FrameDuration": [10, 20], "DecayFactor": [1]}
    assert per_volume_of_sidecar(fields, 2) == {
        "FrameReferenceTime": (0, 10000),
        "ActualFrameDuration": (10000, 20000),
    }
    assert per_volume_of_sidecar({"FrameTimesStart": ["a", "b"]}, 2) == {}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd", "a.seg.nrrd"])
def test_find_sidecar_stands_beside_the_image(tmp_path, name):
    assert find_sidecar(tmp_path / name) is None
    (tmp_path / "a.json").write_text("{}")
    assert find_sidecar(tmp_path / name) == tmp_path / "a.json"


@pytest.mark.parametrize("text", ["[1]", "{", "\x00"])
def test_read_sidecar_of_nonsense_is_corrupt(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(CorruptData):
        read_sidecar(path)
