"""Options about DICOM output: what they stand for, and which mistakes are told at once."""

from __future__ import annotations

import pytest

from imgconv.cli.dicom_options import dicom_write_options
from imgconv.errors import UsageError


def _options(target="dicom", **kwargs):
    empty = {
        "object_name": "",
        "reference": [],
        "metadata": [],
        "assignments": [],
        "uid_seed": "",
    }
    return dicom_write_options(target, **{**empty, **kwargs})


def test_nothing_given_changes_nothing():
    assert _options("nifti") == {}


@pytest.mark.parametrize("target", ["dicom", "dcm", ".DCM"])
def test_options_become_those_of_the_writer(tmp_path, target):
    found = _options(
        target,
        object_name="ct",
        reference=[str(tmp_path)],
        assignments=["PatientID=1", "StudyID=2"],
        uid_seed="s",
        resample=True,
    )
    assert found["reference"] == (tmp_path,)
    assert found["metadata"] == {"PatientID": "1", "StudyID": "2"}
    dicom = found["extra"]["dicom"]
    assert (dicom["as"], dicom["uid_seed"], dicom["resample"]) == ("ct", "s", True)


def test_an_option_for_another_target_is_refused_with_a_way_out():
    with pytest.raises(UsageError) as caught:
        _options("nifti", object_name="ct")
    assert "--to dicom" in caught.value.hint


@pytest.mark.parametrize(
    "mistake",
    [
        {"reference": ["/no/such/file"]},
        {"metadata": ["/no/such/file"]},
        {"assignments": ["PatientIDX=1"]},
        {"assignments": ["PatientBirthDate=yesterday"]},
        {"assignments": ["PatientID"]},
    ],
)
def test_mistakes_are_told_before_anything_is_read(mistake):
    with pytest.raises(UsageError):
        _options(**mistake)
