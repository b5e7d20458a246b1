from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from imgconv.batch.job import Status
from imgconv.errors import UsageError
from imgconv.exitcodes import ExitCode
from imgconv.ops.standardize import NONCONFORMANT, Running, StandardizeOptions, standardize

WHEN = "20260101120000"


def run(source: Path, target: Path, **options):
    staging = target.parent / "staging"
    return standardize(
        [source], target, StandardizeOptions(when=WHEN, **options), running=Running(staging)
    )


def dciodvfy_errors(path: Path) -> list[str]:
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return [line for line in lines if line.startswith("Error")]


def save(tmp_path: Path, dataset: Dataset, name: str = "a.dcm") -> Path:
    folder = tmp_path / "in"
    folder.mkdir(exist_ok=True)
    dataset.save_as(folder / name)
    return folder


def broken_ct() -> Dataset:
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    del dataset.KVP
    del dataset.Laterality
    dataset["StudyDate"]._value = "2004.01.19"
    return dataset


@pytest.mark.filterwarnings("ignore:.*Invalid value.*:UserWarning")
def test_standardize_broken_file_passes_dciodvfy_and_keeps_its_pixels(tmp_path):
    source = save(tmp_path, broken_ct())

    report = run(source, tmp_path / "out")

    written = tmp_path / "out" / "a.dcm"
    assert report.exit_code is ExitCode.DONE
    assert dciodvfy_errors(source / "a.dcm")
    assert dciodvfy_errors(written) == []
    old, new = pydicom.dcmread(source / "a.dcm"), pydicom.dcmread(written)
    assert new.PixelData == old.PixelData
    assert new.StudyDate == "20040119"
    names = {change["name"] for change in report.to_json()["files"][0]["changes"]}
    assert {"missing", "date-form"} <= names


@pytest.mark.parametrize(
    "name",
    ["MR_small_implicit.dcm", "MR_small_bigendian.dcm", "no_meta.dcm", "ExplVR_BigEndNoMeta.dcm"],
)
def test_standardize_other_encoding_is_read_back_the_same(tmp_path, name):
    source = Path(get_testdata_file(name))

    report = run(source, tmp_path / "out", allow=frozenset({NONCONFORMANT}))

    (outcome,) = report.outcomes
    assert outcome.status is Status.DONE
    new = pydicom.dcmread(tmp_path / "out" / name)
    assert new.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    if name.startswith("MR_small"):
        plain = pydicom.dcmread(get_testdata_file("MR_small.dcm"))
        assert (new.pixel_array == plain.pixel_array).all()


def test_standardize_missing_fact_is_refused_and_nothing_is_written(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    del dataset.PixelSpacing
    source = save(tmp_path, dataset)

    report = run(source, tmp_path / "out")

    (outcome,) = report.outcomes
    assert "PixelSpacing" in outcome.error.message
    assert report.exit_code is ExitCode.NONE_DONE
    assert not list((tmp_path / "out").glob("*.dcm"))


def test_standardize_missing_fact_given_by_the_caller_is_filled(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    del dataset.PixelSpacing
    source = save(tmp_path, dataset)

    report = run(source, tmp_path / "out", facts={"PixelSpacing": "0.5\\0.5"})

    assert report.exit_code is ExitCode.DONE
    assert pydicom.dcmread(tmp_path / "out" / "a.dcm").PixelSpacing == [0.5, 0.5]


def test_standardize_unknown_keyword_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="NoSuchThing"):
        run(tmp_path, tmp_path / "out", facts={"NoSuchThing": "1"})


def test_standardize_same_instance_twice_is_written_once(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    save(tmp_path, dataset, "a.dcm")
    source = save(tmp_path, dataset, "b.dcm")

    report = run(source, tmp_path / "out")

    assert [name for name, _ in report.skipped] == [str(source / "b.dcm")]
    assert [path.name for path in sorted((tmp_path / "out").glob("*.dcm"))] == ["a.dcm"]


def test_standardize_two_instances_with_one_uid_get_two(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    save(tmp_path, dataset, "a.dcm")
    dataset.PixelData = bytes(len(dataset.PixelData))
    source = save(tmp_path, dataset, "b.dcm")

    run(source, tmp_path / "out")

    first, second = (pydicom.dcmread(tmp_path / "out" / name) for name in ("a.dcm", "b.dcm"))
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert second.OriginalAttributesSequence[0].ModifyingSystem.startswith("imgconv")


def test_standardize_conformant_file_changes_nothing_but_its_meta(tmp_path):
    source = save(tmp_path, pydicom.dcmread(get_testdata_file("CT_small.dcm")))

    report = run(source, tmp_path / "out")

    assert report.to_json()["files"][0]["changes"] == []
    old, new = pydicom.dcmread(source / "a.dcm"), pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert new == old


def test_standardize_dry_run_writes_nothing(tmp_path):
    source = save(tmp_path, broken_ct())

    report = run(source, tmp_path / "out", dry_run=True)

    assert report.to_json()["files"][0]["changes"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no DICOM at all" * 20, bytes(128) + b"DICM"])
def test_standardize_foreign_file_fails_with_one_reason(tmp_path, content):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "x.dcm").write_bytes(content)

    report = run(folder, tmp_path / "out")

    assert report.exit_code is ExitCode.NONE_DONE


def test_standardize_what_differs_within_a_study_is_reported_and_kept(tmp_path):
    for number in range(3):
        dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
        if number == 2:
            dataset.StudyDate, dataset.PatientID = "20040120", ""
        save(tmp_path, dataset, f"{number}.dcm")

    report = run(tmp_path / "in", tmp_path / "out")

    odd = {
        file["input"]: [c["keyword"] for c in file["changes"] if c["name"] == "inconsistent"]
        for file in report.to_json()["files"]
    }
    assert odd == {"0.dcm": [], "1.dcm": [], "2.dcm": ["StudyDate"]}
    written = pydicom.dcmread(tmp_path / "out" / "2.dcm")
    assert [written.StudyDate, written.PatientID] == ["20040120", ""]


def test_standardize_what_stands_in_private_sequences_refuses_nothing(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    code = Dataset()
    code.CodeValue = "12"
    block = dataset.private_block(0x0099, "ACME", create=True)
    block.add_new(1, "SQ", [code])
    source = save(tmp_path, dataset)

    report = run(source, tmp_path / "out")

    assert report.exit_code is ExitCode.DONE
    written = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert written[0x00991001].value[0].CodeValue == "12"


def test_standardize_references_to_nothing_go_and_the_rest_stays(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    empty, full = Dataset(), Dataset()
    empty.ReferencedSOPInstanceUID = ""
    full.ReferencedSOPClassUID, full.ReferencedSOPInstanceUID = dataset.SOPClassUID, "1.2.3"
    dataset.ReferencedImageSequence = [empty, full]
    dataset.SourceImageSequence = [empty]
    source = save(tmp_path, dataset)

    report = run(source, tmp_path / "out")

    written = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert report.exit_code is ExitCode.DONE
    assert [item.ReferencedSOPInstanceUID for item in written.ReferencedImageSequence] == ["1.2.3"]
    assert "SourceImageSequence" not in written
    assert dciodvfy_errors(tmp_path / "out" / "a.dcm") == []


def test_standardize_other_files_of_a_folder_are_skipped_unless_named(tmp_path):
    source = save(tmp_path, broken_ct())
    (source / "README.txt").write_text("a CD with pictures\n")
    (source / "b.dcm").write_text("a DICOM file by its name\n")

    report = run(source, tmp_path / "out")
    named = run(source / "README.txt", tmp_path / "out2")

    outcomes = {one["input"]: one["status"] for one in report.to_json()["files"]}
    assert outcomes[str(source / "README.txt")] == "skipped"
    assert outcomes["b.dcm"] == "failed"
    assert report.exit_code is ExitCode.SOME_FAILED
    assert named.exit_code is ExitCode.NONE_DONE
    (source / "b.dcm").unlink()
    assert run(source, tmp_path / "out3").exit_code is ExitCode.DONE


def test_standardize_members_of_an_archive_keep_their_folders_below_its_name(tmp_path):
    archive = tmp_path / "cd.zip"
    source = save(tmp_path, broken_ct())
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(source / "a.dcm", "one/a.dcm")
        packed.writestr("two/b.dcm", b"no DICOM at all")

    report = run(archive, tmp_path / "out")

    assert (tmp_path / "out" / "cd.zip" / "one" / "a.dcm").is_file()
    failed = [outcome for outcome in report.outcomes if outcome.error is not None]
    assert [outcome.error.path for outcome in failed] == [archive / "two" / "b.dcm"]


def test_standardize_equal_names_of_several_inputs_keep_their_extension(tmp_path):
    dataset = broken_ct()
    folders = []
    for number in (1, 2):
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"1.2.{number}"
        folder = tmp_path / str(number)
        folder.mkdir()
        dataset.save_as(folder / "a.dcm")
        folders.append(folder / "a.dcm")

    standardize(folders, tmp_path / "out", StandardizeOptions(when=WHEN))

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.dcm", "a_2.dcm"]


@pytest.mark.filterwarnings("ignore:.*Invalid value.*:UserWarning")
def test_standardize_meaningless_value_that_is_required_at_times_only_is_set_aside(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("ExplVR_BigEnd.dcm"))
    dataset.AcquisitionDateTime = "20010203040506"
    dataset["AcquisitionDateTime"]._value = "20011340"
    source = save(tmp_path, dataset)

    report = run(source, tmp_path / "out")

    written = pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert report.exit_code is ExitCode.DONE
    assert "AcquisitionDateTime" not in written
    kept = [
        item.NonconformingModifiedAttributesSequence[0]
        for item in written.OriginalAttributesSequence
    ]
    assert b"20011340" in [item.NonconformingDataElementValue for item in kept]
