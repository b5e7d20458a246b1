"""Where attributes come from, which origin wins, and which contradictions are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Source
from imgconv.core.metadata import Metadata
from imgconv.core.options import WriteOptions
from imgconv.dicom.context import check_assignments, gather_context
from imgconv.dicom.writer import write
from imgconv.errors import CorruptData, UsageError


def _image(origin=(0.0, 0.0, 0.0), **kwargs) -> Image:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[:3, 3] = origin
    return Image(np.zeros((3, 4, 5), np.int16), "kji", geometry=Geometry(affine), **kwargs)


def _options(metadata=None, reference=(), files=()) -> WriteOptions:
    return WriteOptions(
        metadata=metadata or {},
        reference=tuple(reference),
        extra={"dicom": {"as": "mr", "metadata_files": tuple(files)}},
    )


@pytest.fixture
def reference(tmp_path) -> Path:
    attributes = {
        "PatientID": "P1",
        "PatientName": "Doe^Jane",
        "StudyID": "S",
        "EchoTime": "30",
        "SeriesNumber": "4",
        "InPlanePhaseEncodingDirection": "ROW",
        "SeriesDescription": "t1",
        "Modality": "MR",
    }
    write(_image(), tmp_path / "reference.dcm", _options(attributes))
    return tmp_path / "reference"


def test_origins_win_in_their_order(tmp_path, reference):
    path = tmp_path / "m.json"
    path.write_text(json.dumps({"EchoTime": 50, "ProtocolName": "file", "StudyDescription": "f"}))
    image = _image(
        metadata=Metadata(
            shared={"EchoTime": 10, "FlipAngle": 1, "ImageComments": "input"},
            bids={"EchoTime": 0.04, "FlipAngle": 2, "StationName": "sidecar"},
        )
    )
    context = gather_context(image, _options({"StudyDescription": "set"}, [reference], [path]))
    expected = {
        "ImageComments": ("input", "input"),
        "FlipAngle": ("2", "sidecar"),
        "StationName": ("sidecar", "sidecar"),
        "EchoTime": ("50", "metadata"),
        "ProtocolName": ("file", "metadata"),
        "StudyDescription": ("set", "set"),
        "PatientID": ("P1", "reference"),
    }
    for keyword, (value, origin) in expected.items():
        assert (context.text(keyword), context.origins[keyword]) == (value, origin)


def test_sidecar_is_found_beside_the_input(tmp_path):
    (tmp_path / "a.json").write_text('{"EchoTime": 0.02}')
    image = _image(sources=(Source(tmp_path / "a.nrrd"),))
    assert gather_context(image, _options()).text("EchoTime") == "20"


def test_invalid_sidecar_values_are_reported_and_left_out():
    context = gather_context(
        _image(metadata=Metadata(bids={"EchoTime": "soon", "StationName": "x"})), _options()
    )
    assert [loss.name for loss in context.losses] == ["invalid-attribute"]
    assert "EchoTime" not in context.dataset
    assert context.text("StationName") == "x"


def test_an_invalid_value_that_a_later_origin_gives_is_no_loss():
    image = _image(metadata=Metadata(bids={"EchoTime": "soon"}))
    context = gather_context(image, _options({"EchoTime": 20}))
    assert context.losses == ()
    assert context.text("EchoTime") == "20"


def test_an_invalid_identity_of_the_reference_is_refused_unless_given(reference):
    for path in reference.iterdir():
        with pydicom.config.disable_value_validation():
            dataset = pydicom.dcmread(path)
            dataset.PatientID = "1" * 65
            dataset.save_as(path)
    (loss,) = gather_context(_image(), _options(reference=[reference])).losses
    assert (loss.name, loss.harmful) == ("invalid-identity", True)
    assert "11" not in loss.message
    given = gather_context(_image(), _options({"PatientID": "P2"}, [reference]))
    assert given.losses == ()
    assert given.text("PatientID") == "P2"


def test_reference_on_the_same_grid_is_the_source(reference):
    context = gather_context(_image(), _options(reference=[reference]))
    assert context.reference is not None
    assert context.losses == ()
    assert context.text("FrameOfReferenceUID") == context.reference.shared.FrameOfReferenceUID
    assert context.text("SeriesNumber") == "401"
    assert context.text("InPlanePhaseEncodingDirection") == "ROW"


def test_reference_with_reversed_rows_tells_the_flip(reference):
    image = _image()
    flipped = Image(image.array, "kji", geometry=image.geometry.flipped(1, 4))
    assert gather_context(flipped, _options(reference=[reference])).flips == (False, True)


def test_reference_with_another_grid_is_a_harmful_loss(reference):
    context = gather_context(_image((0, 0, 0.5)), _options(reference=[reference]))
    assert [(loss.name, loss.harmful) for loss in context.losses] == [("other-geometry", True)]
    assert context.reference is None
    assert "FrameOfReferenceUID" not in context.dataset
    assert "InPlanePhaseEncodingDirection" not in context.dataset
    assert context.text("PatientID") == "P1"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientID", "P2"),
        ("PatientName", "Roe^Jane"),
        ("StudyInstanceUID", "1.2.3"),
    ],
)
def test_another_patient_than_the_reference_is_refused(reference, keyword, value):
    with pytest.raises(UsageError, match="one patient and one study") as caught:
        gather_context(_image(), _options({keyword: value}, [reference]))
    assert value not in str(caught.value)


def test_a_sidecar_of_another_patient_than_the_reference_is_refused(reference):
    image = _image(metadata=Metadata(bids={"PatientID": "P2"}))
    with pytest.raises(UsageError, match="sidecar"):
        gather_context(image, _options(reference=[reference]))


def test_the_same_patient_may_be_given_again(reference):
    context = gather_context(_image(), _options({"PatientName": "DOE^JANE"}, [reference]))
    assert context.text("PatientName") == "DOE^JANE"


def test_the_identity_of_the_input_may_be_replaced():
    image = _image(metadata=Metadata(shared={"PatientID": "real"}))
    assert gather_context(image, _options({"PatientID": "alias"})).text("PatientID") == "alias"


def test_references_of_two_patients_are_refused(tmp_path, reference):
    write(_image(), tmp_path / "other.dcm", _options({"PatientID": "P2"}))
    with pytest.raises(UsageError, match="2 patients"):
        gather_context(_image(), _options(reference=[reference, tmp_path / "other"]))


def test_two_fitting_series_are_told_apart_by_the_sidecar(tmp_path, reference):
    shared = {"PatientID": "P1", "PatientName": "Doe^Jane", "StudyID": "S", "SeriesNumber": "9"}
    first = gather_context(_image(), _options(reference=[reference])).reference
    shared["StudyInstanceUID"] = first.study_instance_uid
    write(_image(), tmp_path / "second.dcm", _options(shared))
    both = [reference, tmp_path / "second"]
    with pytest.raises(UsageError, match="more than one series"):
        gather_context(_image(), _options(reference=both))
    image = _image(metadata=Metadata(bids={"SeriesNumber": 9}))
    found = gather_context(image, _options(reference=both)).reference
    assert found.series_instance_uid != first.series_instance_uid


def test_a_reference_that_is_no_dicom_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("x")
    for path in (tmp_path / "a.txt", tmp_path):
        with pytest.raises(CorruptData):
            gather_context(_image(), _options(reference=[path]))


@pytest.mark.parametrize(
    "word", ["Rows=5", "SOPClassUID=1.2", "PixelSpacing=1\\1", "TransferSyntaxUID=1.2", "X=1", "Y"]
)
def test_check_assignments_refuses_what_belongs_to_the_pixels(word):
    with pytest.raises(UsageError):
        check_assignments([word])


def test_check_assignments_returns_them():
    assert check_assignments(["PatientID=1", "StudyID="]) == {"PatientID": "1", "StudyID": ""}


def test_a_dicom_input_keeps_its_study_but_not_its_series(tmp_path):
    shared = {
        "SeriesInstanceUID": "1.2.3",
        "StudyInstanceUID": "1.2.4",
        "SeriesNumber": 7,
        "EchoTime": 10.0,
        "ImageType": ("ORIGINAL", "PRIMARY"),
    }
    image = _image(
        metadata=Metadata(shared=shared, bids={"EchoTime": 0.5, "StationName": "S"}),
        sources=(Source(tmp_path / "a.dcm", sop_instance_uid="1.2.5"),),
    )
    context = gather_context(image, _options())
    assert "SeriesInstanceUID" not in context.dataset
    assert context.text("StudyInstanceUID") == "1.2.4"
    assert context.text("SeriesNumber") == "701"
    assert (context.text("EchoTime"), context.text("StationName")) == ("10", "S")


def test_a_frame_of_reference_that_is_the_study_is_replaced_the_same_way_each_time(tmp_path):
    options = _options({"StudyInstanceUID": "1.2.4", "FrameOfReferenceUID": "1.2.4"})
    found = {
        pydicom.dcmread(path).FrameOfReferenceUID
        for name in "ab"
        for path in write(_image(), tmp_path / f"{name}.dcm", options)
    }
    assert len(found) == 1
    assert "1.2.4" not in found
