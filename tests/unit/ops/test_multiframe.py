from __future__ import annotations

import subprocess
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from imgconv.dicom.split import split_frames
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.exitcodes import ExitCode
from imgconv.ops.enhance import enhance
from imgconv.ops.multiframe import split
from imgconv.ops.standardize import Running, StandardizeOptions, standardize

OPTIONS = StandardizeOptions(when="20260101120000")
SERIES = {"ct": ("98892001", "CT5N"), "mr": ("98892003", "MR700")}


def series_folder(kind: str) -> Path:
    root = Path(get_testdata_file("dicomdirtests/DICOMDIR")).parent
    return root.joinpath(*SERIES[kind])


def dciodvfy_errors(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return [line for line in lines if line.startswith("Error")]


def key(dataset) -> tuple:
    return (
        dataset.PixelData,
        tuple(dataset.ImagePositionPatient),
        tuple(dataset.ImageOrientationPatient),
        dataset.get("AcquisitionTime"),
        dataset.ContentTime,
        dataset.InstanceNumber,
        dataset.get("RescaleSlope"),
        dataset.get("EchoTime"),
    )


@pytest.mark.parametrize("kind", ["ct", "mr"])
def test_enhance_then_split_gives_back_pixels_positions_and_times(tmp_path, kind):
    clean, enhanced, back = tmp_path / "clean", tmp_path / "enhanced", tmp_path / "back"
    standardize([series_folder(kind)], clean, OPTIONS, running=Running(tmp_path / "a"))

    made = enhance([clean], enhanced, OPTIONS, running=Running(tmp_path / "b"))
    returned = split([enhanced], back, OPTIONS, running=Running(tmp_path / "c"))

    assert made.exit_code is ExitCode.DONE
    assert returned.exit_code is ExitCode.DONE
    before = {key(pydicom.dcmread(path)) for path in clean.rglob("*") if path.is_file()}
    after = {key(pydicom.dcmread(path)) for path in back.rglob("*.dcm")}
    assert len(before) > 4
    assert after == before
    written = [*enhanced.rglob("*.dcm"), *back.rglob("*.dcm")]
    assert [error for path in written for error in dciodvfy_errors(path)] == []


def test_enhance_other_objects_are_skipped_with_a_reason(tmp_path):
    source = Path(get_testdata_file("examples_palette.dcm"))

    report = enhance([source], tmp_path / "out", OPTIONS, running=Running(tmp_path / "s"))

    assert report.outcomes == []
    assert report.skipped == [(str(source), "no single-frame CT, MR or PET image")]
    assert report.exit_code is ExitCode.NONE_DONE


def test_enhance_series_of_two_patients_is_refused(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for number, path in enumerate(sorted(series_folder("ct").iterdir())[:2]):
        dataset = pydicom.dcmread(path)
        dataset.PatientID = f"p{number}"
        dataset.save_as(folder / f"{number}.dcm")

    report = enhance([folder], tmp_path / "out", OPTIONS, running=Running(tmp_path / "s"))

    (outcome,) = report.outcomes
    assert isinstance(outcome.error, UnsupportedData)
    assert "PatientID" in outcome.error.message
    assert not list((tmp_path / "out").rglob("*.dcm"))


def test_split_frames_and_groups_that_disagree_are_refused(tmp_path):
    standardize([series_folder("ct")], tmp_path / "clean", OPTIONS, running=Running(tmp_path / "a"))
    enhance([tmp_path / "clean"], tmp_path / "in", OPTIONS, running=Running(tmp_path / "b"))
    (path,) = (tmp_path / "in").rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    del dataset.PerFrameFunctionalGroupsSequence[-1]
    dataset.save_as(path)

    report = split([path], tmp_path / "out", OPTIONS, running=Running(tmp_path / "s"))

    (outcome,) = report.outcomes
    assert "per-frame functional groups" in outcome.error.message


def test_split_value_that_cannot_be_decoded_is_corrupt_data(tmp_path):
    standardize([series_folder("ct")], tmp_path / "clean", OPTIONS, running=Running(tmp_path / "a"))
    enhance([tmp_path / "clean"], tmp_path / "in", OPTIONS, running=Running(tmp_path / "b"))
    (path,) = (tmp_path / "in").rglob("*.dcm")
    data = path.read_bytes()
    at = data.index(b"\x08\0\x60\0CS")  # Modality gets a value representation that is none
    path.write_bytes(data[: at + 4] + b"ZZ" + data[at + 6 :])

    with pytest.raises(CorruptData, match="cannot be read"):
        next(iter(split_frames(path)))


def test_split_object_without_a_uid_is_refused_with_the_way_out(tmp_path):
    standardize([series_folder("ct")], tmp_path / "clean", OPTIONS, running=Running(tmp_path / "a"))
    enhance([tmp_path / "clean"], tmp_path / "in", OPTIONS, running=Running(tmp_path / "b"))
    (path,) = (tmp_path / "in").rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    del dataset.SOPInstanceUID
    dataset.save_as(path)

    report = split([path], tmp_path / "out", OPTIONS, running=Running(tmp_path / "s"))

    (outcome,) = report.outcomes
    assert "SOPInstanceUID is missing" in outcome.error.message
    assert "standardize" in outcome.error.hint
