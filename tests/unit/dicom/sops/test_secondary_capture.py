"""Secondary Capture: single, multi-frame, colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.unit.dicom.sops.writing import AFFINE, datasets, errors_of, image, options

from imgconv.core.image import Image
from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData

RGB = ValueMap(photometric="RGB")
_SC = "1.2.840.10008.5.1.4.1.1.7"


def _case(dtype, slices, *, colour=False, geometry=False):
    shape, axes = ((slices, 4, 5, 3), "kjic") if colour else ((slices, 4, 5), "kji")
    return image(dtype, shape, axes, geometry=geometry, values=RGB if colour else ValueMap())


@pytest.mark.parametrize("geometry", [False, True])
@pytest.mark.parametrize(
    ("dtype", "slices", "colour", "uid"),
    [
        ("uint8", 1, False, ""),
        ("uint16", 1, True, ""),
        ("int16", 3, False, ""),
        ("uint16", 3, True, ""),
        ("uint8", 3, False, ".2"),
        ("uint16", 3, False, ".3"),
        ("uint8", 3, True, ".4"),
    ],
)
def test_write_chooses_the_object_and_keeps_samples(tmp_path, dtype, slices, colour, uid, geometry):
    source = _case(dtype, slices, colour=colour, geometry=geometry)
    paths = write(source, tmp_path / "a.dcm", options("secondary-capture"))
    found = datasets(paths)
    assert {d.SOPClassUID for d in found} == {_SC + uid}
    stored = np.concatenate([d.pixel_array.reshape(-1) for d in found])
    assert np.array_equal(stored, source.array.reshape(-1))
    assert errors_of(*paths) == []


def test_write_multi_frame_says_where_frames_lie(tmp_path):
    source = _case("uint8", 3, geometry=True)
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options("secondary-capture")))
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        position = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        assert np.allclose(position, (AFFINE @ [0, 0, k, 1])[:3], atol=1e-6)


def test_write_4d_colour_keeps_the_order(tmp_path):
    source = image("uint8", (2, 3, 4, 5, 3), "tkjic", values=RGB)
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options()))
    assert np.array_equal(dataset.pixel_array.reshape(source.array.shape), source.array)


def test_write_keeps_a_rescale_as_modality_lut(tmp_path):
    source = replace(_case("uint8", 2), values=ValueMap(rescale=Rescale(2.0, -1.0)))
    found = datasets(write(source, tmp_path / "a.dcm", options("secondary-capture")))
    assert [(d.RescaleSlope, d.RescaleIntercept) for d in found] == [(2, -1)] * 2


def test_check_tells_that_burned_in_text_is_assumed():
    source = _case("uint8", 2)
    assert [loss.name for loss in check(source, options())] == ["burned-in-annotation"]
    assert check(source, options(BurnedInAnnotation="NO")) == ()


def test_alpha_is_a_harmful_loss_and_left_out_if_allowed(tmp_path):
    source = image(
        "uint8", (1, 4, 5, 4), "kjic", geometry=False, values=replace(RGB, photometric="RGBA")
    )
    assert [(loss.name, loss.harmful) for loss in check(source, options())] == [
        ("alpha-channel", True)
    ]
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options()))
    assert np.array_equal(dataset.pixel_array, source.array[0, ..., :3])
    assert dataset.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_check_samples_without_a_place_are_refused(dtype):
    with pytest.raises(UnsupportedData, match="Secondary Capture"):
        check(image(dtype, geometry=False), options("secondary-capture"))


def test_check_whole_values_of_a_wide_type_fit():
    source = Image(np.arange(8, dtype=np.int64).reshape(2, 2, 2), "kji")
    assert "sample-type" in [loss.name for loss in check(source, options())]
