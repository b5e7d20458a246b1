import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel
import numpy as np
import pytest

from imgconv.core.options import Overwrite, ReadOptions, Sidecar, WriteOptions
from imgconv.errors import InputError, OutputError, UsageError
from imgconv.events import EventKind
from imgconv.exitcodes import ExitCode
from imgconv.ops.convert import ConvertOptions, convert, find_target, split_output
from imgconv.ops.report import Status

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_convert_of_a_folder_tells_of_every_file(tmp_path):
    source = tmp_path / "in"
    for name in ("ct", "dwi", "colour", "bad"):
        shutil.copytree(FIXTURES / name, source / name)
    (source / "notes.txt").write_text("hello")
    report = convert([source], tmp_path / "out")
    told = {file.path for file in report.files}
    assert told == {str(path) for path in source.rglob("*") if path.is_file()}
    assert report.exit_code == ExitCode.SOME_FAILED
    by_name = {Path(file.path).name: file for file in report.files}
    assert by_name["notes.txt"].status is Status.SKIPPED
    assert by_name["pixels.dcm"].status is Status.FAILED
    assert by_name["IM03"].volumes == ("004_dwi",)
    assert names(tmp_path / "out") == [
        "002_Chest.json",
        "002_Chest.nii.gz",
        "004_dwi.bval",
        "004_dwi.bvec",
        "004_dwi.json",
        "004_dwi.nii.gz",
        "009_capture.json",
        "009_capture.nii.gz",
    ]


def test_convert_of_ct_is_exact(tmp_path):
    convert([FIXTURES / "ct"], tmp_path)
    image = nibabel.load(tmp_path / "002_Chest.nii.gz")
    assert nibabel.aff2axcodes(image.affine) == ("L", "A", "S")
    # LPS: columns 1.25 mm to the left, rows 1.5 mm to the back, slices 3 mm to the head.
    index = np.linalg.inv(image.affine) @ [10.0, 20.0, 30.0, 1.0]
    assert np.rint(index[:3]).tolist() == [0, 11, 0]
    expected = (2 * 4 + 3 * 7) * 7 % 1000 - 1024  # fixtures/make_fixtures.py: phantom(0)[4, 7]
    assert image.get_fdata()[7, 11 - 4, 0] == expected
    assert image.dataobj.inter == -1024


@pytest.mark.parametrize("name", ["ct.zip", "ct.tar.gz"])
def test_convert_of_an_archive_equals_that_of_its_folder(tmp_path, name):
    convert([FIXTURES / "ct"], tmp_path / "a")
    report = convert([FIXTURES / "archives" / name], tmp_path / "b")
    first, second = (tmp_path / x / "002_Chest.nii.gz" for x in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert {Path(file.path).parent.parent.name for file in report.files} == {name}
    assert names(tmp_path / "b") == ["002_Chest.json", "002_Chest.nii.gz"]


def test_convert_of_a_dicomdir_takes_what_it_lists(tmp_path):
    from pydicom.fileset import FileSet

    files = FileSet()
    for path in sorted((FIXTURES / "ct").iterdir()):
        files.add(path)
    files.write(tmp_path / "in")
    files._stage["t"].cleanup()  # which pydicom leaves to the collector, with a warning
    listed = [path for path in (tmp_path / "in").rglob("*") if path.is_file()]
    next(path for path in listed if path.name != "DICOMDIR").unlink()
    report = convert([tmp_path / "in" / "DICOMDIR"], tmp_path / "out", missing_slices_allowed())
    reasons = {file.reason for file in report.files if file.status is Status.FAILED}
    assert "is listed in the DICOMDIR, but not there" in reasons
    assert any(file.reason == "a directory of other files" for file in report.files)


def missing_slices_allowed():
    return ConvertOptions(
        read=ReadOptions(allow=frozenset({"all"})), write=WriteOptions(allow=frozenset({"all"}))
    )


def test_convert_again_changes_nothing(tmp_path):
    convert([FIXTURES / "dwi"], tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    report = convert([FIXTURES / "dwi"], tmp_path)
    assert {volume.status for volume in report.volumes} == {Status.UNCHANGED}
    assert report.exit_code == ExitCode.DONE
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_convert_over_another_file_is_refused_until_allowed(tmp_path):
    (tmp_path / "004_dwi.bval").write_text("mine")
    report = convert([FIXTURES / "dwi"], tmp_path)
    assert report.exit_code == ExitCode.OUTPUT
    assert names(tmp_path) == ["004_dwi.bval"]
    assert (tmp_path / "004_dwi.bval").read_text() == "mine"
    options = ConvertOptions(write=WriteOptions(overwrite=Overwrite.IF_DIFFERENT))
    assert convert([FIXTURES / "dwi"], tmp_path, options).exit_code == ExitCode.DONE
    assert (tmp_path / "004_dwi.bval").read_text() == "0 700 700\n"


def test_convert_dry_run_writes_nothing_and_makes_no_folder(tmp_path):
    report = convert([FIXTURES / "ct"], tmp_path / "out", ConvertOptions(dry_run=True))
    assert [volume.status for volume in report.volumes] == [Status.PLANNED]
    assert report.volumes[0].outputs == (tmp_path / "out" / "002_Chest.nii.gz",)
    assert not (tmp_path / "out").exists()


def test_convert_of_series_with_one_name_keeps_all(tmp_path):
    options = ConvertOptions(name="same", write=WriteOptions(sidecar=Sidecar.OFF))
    convert([FIXTURES / "ct", FIXTURES / "enhanced", FIXTURES / "colour"], tmp_path, options)
    assert names(tmp_path) == ["same.nii.gz", "same_2.nii.gz", "same_3.nii.gz"]


def test_convert_selects_a_series(tmp_path):
    options = ConvertOptions(read=ReadOptions(series=("4",)))
    report = convert([FIXTURES / "ct", FIXTURES / "dwi"], tmp_path, options)
    assert [volume.name for volume in report.volumes] == ["004_dwi"]
    assert report.count(Status.SKIPPED) == 4


def test_convert_without_anything_leaves_no_folder(tmp_path):
    (tmp_path / "in").mkdir()
    report = convert([tmp_path / "in"], tmp_path / "deep" / "out")
    assert report.exit_code == ExitCode.NONE_DONE
    assert not (tmp_path / "deep").exists()


def test_convert_does_not_read_its_own_output(tmp_path):
    shutil.copytree(FIXTURES / "ct", tmp_path / "ct")
    out = tmp_path / "out"
    convert([tmp_path], out)
    report = convert([tmp_path], out)
    assert {volume.status for volume in report.volumes} == {Status.UNCHANGED}


def test_convert_into_its_own_folder_again_makes_no_duplicates(tmp_path):
    shutil.copytree(FIXTURES / "ct", tmp_path / "x")
    convert([tmp_path / "x"], tmp_path / "x")
    before = names(tmp_path)
    report = convert([tmp_path / "x"], tmp_path / "x")
    assert names(tmp_path) == before
    assert {volume.status for volume in report.volumes} == {Status.UNCHANGED}
    assert "is nifti already, in the output folder" in {file.reason for file in report.files}


def test_convert_of_a_pattern_takes_what_matches(tmp_path):
    report = convert([str(FIXTURES / "nifti" / "p*.*")], tmp_path)
    assert names(tmp_path) == [
        "packed.json",
        "packed.nii.gz",
        "pair.json",
        "pair.nii.gz",
        "plain.json",
        "plain.nii.gz",
    ]
    assert report.count(Status.CONVERTED) == 4


@pytest.mark.parametrize("item", ["nowhere", "nowhere/*.dcm", ""])
def test_convert_of_nothing_there_is_an_error(tmp_path, item):
    with pytest.raises((InputError, UsageError)):
        convert([str(tmp_path / item) if item else ""], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_convert_into_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        convert([FIXTURES / "ct"], tmp_path / "file" / "out")


def test_convert_refuses_a_file_as_a_whole_if_a_part_of_it_fails(tmp_path):
    data = (FIXTURES / "enhanced" / "enhanced.dcm").read_bytes()
    (tmp_path / "x.dcm").write_bytes(data[:-100])
    report = convert([tmp_path / "x.dcm"], tmp_path / "out")
    assert report.exit_code == ExitCode.NONE_DONE
    assert not (tmp_path / "out").exists()


def test_convert_emits_events(tmp_path):
    heard = []
    convert([FIXTURES / "ct"], tmp_path, ConvertOptions(), heard.append)
    phases = [event.message for event in heard if event.kind is EventKind.PHASE]
    assert phases[0] == "scan"
    assert "convert" in phases


def test_convert_between_other_formats_keeps_voxels_and_places(tmp_path):
    convert([FIXTURES / "nifti" / "plain.nii"], tmp_path / "a", ConvertOptions(to="nrrd"))
    convert([tmp_path / "a" / "plain.nrrd"], tmp_path / "b", ConvertOptions(to="nii"))
    first = nibabel.load(FIXTURES / "nifti" / "plain.nii")
    second = nibabel.load(tmp_path / "b" / "plain.nii")
    assert np.array_equal(np.asarray(first.dataobj), np.asarray(second.dataobj))
    assert np.allclose(first.affine, second.affine)


def test_sidecar_options(tmp_path):
    for sidecar in Sidecar:
        options = ConvertOptions(write=WriteOptions(sidecar=sidecar))
        convert([FIXTURES / "ct"], tmp_path / sidecar, options)
    assert names(tmp_path / "off") == ["002_Chest.nii.gz"]
    anonymised = (tmp_path / "anonymised" / "002_Chest.json").read_text()
    assert "CANARY" not in anonymised.upper()
    full = json.loads((tmp_path / "full" / "002_Chest.json").read_text())
    assert full["PatientID"] == "CANARY42"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nifti", ".nii.gz"),
        ("nii", ".nii"),
        ("nii.gz", ".nii.gz"),
        ("nrrd", ".nrrd"),
        ("mha", ".mha"),
    ],
)
def test_find_target_takes_names_and_extensions(name, expected):
    assert find_target(name, WriteOptions()).extension == expected


def test_find_target_without_compression_is_plain():
    assert find_target("nifti", WriteOptions(compress=False)).extension == ".nii"


@pytest.mark.parametrize(
    ("name", "message"), [("foo", "unknown format"), ("bmp", "does not write")]
)
def test_find_target_of_what_cannot_be_written_is_a_usage_error(name, message):
    with pytest.raises(UsageError, match=message):
        find_target(name, WriteOptions())


def test_split_output_tells_files_from_folders(tmp_path):
    (tmp_path / "x.nii").mkdir()
    assert split_output("out", "") == (Path("out"), "", "nifti")
    assert split_output("out/brain.nii", "") == (Path("out"), "brain", "nii")
    assert split_output("out/b%d.nrrd", "") == (Path("out"), "b%%d", "nrrd")
    assert split_output(str(tmp_path / "x.nii"), "nrrd") == (tmp_path / "x.nii", "", "nrrd")


def test_convert_to_a_full_disk_is_an_output_error_and_leaves_nothing(small_disk):
    folder, make_read_only = small_disk
    (folder / "ballast").write_bytes(bytes(1_040_000))
    report = convert([FIXTURES / "ct", FIXTURES / "dwi"], folder / "out")
    assert report.exit_code == ExitCode.OUTPUT
    assert any("no space left" in str(error) for error in report.errors)
    left = [name for name in names(folder) if name != "ballast"]
    assert all((folder / name).stat().st_size > 0 for name in left)
    make_read_only()
    with pytest.raises(OutputError, match="read-only"):
        convert([FIXTURES / "ct"], folder / "more")


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_convert_killed_at_any_time_leaves_no_unfinished_file_and_can_be_finished(tmp_path):
    whole = tmp_path / "whole"
    convert([FIXTURES / "ct", FIXTURES / "dwi", FIXTURES / "enhanced"], whole)
    expected = {name: (whole / name).read_bytes() for name in names(whole)}
    out = tmp_path / "out"
    words = [str(FIXTURES / name) for name in ("ct", "dwi", "enhanced")]
    command = [sys.executable, "-m", "imgconv", "convert", *words, "-o", str(out), "-q"]
    for wait_s in (0.25, 0.35, 0.45, 0.6):
        process = subprocess.Popen(command)
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for name in names(out) if out.exists() else []:
            if not name.startswith(".imgconv-"):
                assert (out / name).read_bytes() == expected[name]
    assert subprocess.run(command, check=False).returncode == 0
    assert names(out) == sorted(expected)
