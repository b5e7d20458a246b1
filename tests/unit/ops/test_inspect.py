import shutil
from pathlib import Path

import pytest

from imgconv.core.options import ReadOptions
from imgconv.errors import InputError
from imgconv.exitcodes import ExitCode
from imgconv.ops.inspect import inspect
from imgconv.ops.report import Status

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def by_number(report):
    return {series.number: series for series in report.series}


def test_inspect_describes_each_series():
    found = by_number(inspect([FIXTURES / name for name in ("ct", "dwi", "enhanced", "colour")]))
    ct, dwi, enhanced, colour = (found[number] for number in (2, 4, 6, 9))
    assert (ct.files, ct.frames, ct.modality, ct.description) == (4, 4, "CT", "Chest")
    assert set(ct.transfer_syntaxes) == {"RLE Lossless", "Implicit VR Little Endian"}
    (image,) = ct.images
    assert (image.shape, image.spacing, image.plane) == ((12, 12, 4), (1.25, 1.5, 3.0), "axial")
    assert dwi.images[0].shape == (12, 12, 2, 3)
    assert (enhanced.files, enhanced.frames) == (1, 6)
    assert enhanced.images[0].shape == (12, 12, 3, 2)
    assert colour.images[0].plane == "no geometry"
    assert {series.patient for series in found.values()} == {1}


def test_inspect_masks_what_identifies_unless_asked():
    masked = inspect([FIXTURES / "ct"]).to_json()
    assert "CANARY" not in str(masked).upper()
    (series,) = inspect([FIXTURES / "ct"], show_phi=True).series
    assert series.identity["PatientID"] == "CANARY42"
    assert series.identity["StudyDate"] == "20200102"


def test_inspect_of_other_formats_names_the_file_and_counts_its_companions():
    report = inspect([FIXTURES / "nifti"])
    files = {Path(series.path).name: series for series in report.series}
    assert files["dwi.nii.gz"].files == 4
    assert files["dwi.nii.gz"].images[0].shape == (12, 12, 2, 3)
    assert files["pair.hdr"].files == 2
    assert report.left_out == ()
    assert report.exit_code == ExitCode.DONE


def test_inspect_of_bad_files_tells_and_goes_on(tmp_path):
    shutil.copytree(FIXTURES / "bad", tmp_path / "bad")
    shutil.copytree(FIXTURES / "ct", tmp_path / "ct")
    report = inspect([tmp_path])
    assert report.exit_code == ExitCode.SOME_FAILED
    failed = {Path(file.path).name for file in report.left_out if file.status is Status.FAILED}
    assert {"header.dcm", "huge.nii.gz", "truncated.nii.gz", "outside.nhdr"} <= failed
    assert 2 in by_number(report)


def test_inspect_selects_a_series():
    report = inspect([FIXTURES / "ct", FIXTURES / "dwi"], ReadOptions(series=("4",)))
    with_images = [series.number for series in report.series if series.images]
    assert with_images == [4]


def test_inspect_opens_archives():
    report = inspect([FIXTURES / "archives" / "ct.zip"])
    assert by_number(report)[2].files == 4


def test_inspect_of_nothing_there_is_an_error(tmp_path):
    with pytest.raises(InputError):
        inspect([tmp_path / "nowhere"])


def test_inspect_tells_of_what_cannot_be_opened_and_goes_on(tmp_path):
    shutil.copytree(FIXTURES / "ct", tmp_path / "ct")
    (tmp_path / "ct" / "link").symlink_to(tmp_path / "nowhere")
    report = inspect(tmp_path)
    assert [series.number for series in report.series] == [2]
    (left,) = report.left_out
    assert (left.status, left.reason) == (Status.SKIPPED, "a broken link")
    assert report.exit_code is ExitCode.DONE
