"""Enhanced CT and MR: one multi-frame file."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.dicom.sops.writing import AFFINE, datasets, errors_of, image, options

from imgconv.core.metadata import Metadata
from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData


@pytest.mark.parametrize("name", ["enhanced-ct", "enhanced-mr"])
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5)])
def test_write_keeps_voxels_positions_and_order(tmp_path, name, shape):
    source = image(shape=shape, axes="tkji"[4 - len(shape) :])
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options(name)))
    assert np.array_equal(dataset.pixel_array.reshape(shape), source.array)
    for n, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        k, t = n % 3, n // 3
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(np.array(position, float), (AFFINE @ [0, 0, k, 1])[:3], atol=1e-6)
        content = frame.FrameContentSequence[0]
        expected = [t + 1, k + 1] if len(shape) == 4 else k + 1
        assert content.DimensionIndexValues == expected


@pytest.mark.parametrize("name", ["enhanced-ct", "enhanced-mr"])
@pytest.mark.parametrize("shape", [(1, 4, 5), (2, 3, 4, 5)])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16"])
def test_write_is_conformant(tmp_path, name, shape, dtype):
    source = image(dtype, shape, "tkji"[4 - len(shape) :])
    assert errors_of(*write(source, tmp_path / "a.dcm", options(name))) == []


def test_write_diffusion_has_values_and_directions(tmp_path):
    gradients = {
        "DiffusionBValue": (0.0, 1000.0),
        "DiffusionGradientOrientation": (None, (0.6, 0.8, 0.0)),
    }
    source = image(shape=(2, 3, 4, 5), axes="tkji", metadata=Metadata(per_volume=gradients))
    paths = write(source, tmp_path / "a.dcm", options("enhanced-mr"))
    frames = datasets(paths)[0].PerFrameFunctionalGroupsSequence
    first, last = frames[0].MRDiffusionSequence[0], frames[5].MRDiffusionSequence[0]
    assert (first.DiffusionBValue, first.DiffusionDirectionality) == (0, "NONE")
    assert (last.DiffusionBValue, last.DiffusionDirectionality) == (1000, "DIRECTIONAL")
    direction = last.DiffusionGradientDirectionSequence[0].DiffusionGradientOrientation
    assert list(direction) == [0.6, 0.8, 0]
    assert errors_of(*paths) == []


@pytest.mark.parametrize(("b_value", "kind"), [(1.25, "NONE"), (1000.0, "ISOTROPIC")])
def test_write_volume_without_direction_is_unweighted_or_an_average(tmp_path, b_value, kind):
    gradients = {
        "DiffusionBValue": (b_value, 1000.0),
        "DiffusionGradientOrientation": (None, (0.6, 0.8, 0.0)),
    }
    source = image(shape=(2, 3, 4, 5), axes="tkji", metadata=Metadata(per_volume=gradients))
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options("enhanced-mr")))
    diffusion = dataset.PerFrameFunctionalGroupsSequence[0].MRDiffusionSequence[0]
    assert (diffusion.DiffusionBValue, diffusion.DiffusionDirectionality) == (b_value, kind)


@pytest.mark.parametrize("name", ["enhanced-ct", "enhanced-mr"])
def test_write_keeps_the_rescale(tmp_path, name):
    source = image(values=ValueMap(rescale=Rescale(0.25, -7.5)))
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options(name)))
    group = dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence[0]
    assert (group.RescaleSlope, group.RescaleIntercept) == (0.25, -7.5)


@pytest.mark.parametrize("words", [["ORIGINAL", "PRIMARY", "P"], ["DERIVED", "PRIMARY", "PHASE"]])
def test_write_tells_phase_images(tmp_path, words):
    source = image(metadata=Metadata(bids={"ImageType": words}))
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options("enhanced-mr")))
    assert dataset.ComplexImageComponent == "PHASE"


def test_write_with_reference_refers_frame_by_frame(tmp_path):
    first = write(image(), tmp_path / "a.dcm", options("mr", PatientID="1", StudyID="1"))
    again = options("enhanced-mr", reference=[tmp_path / "a"])
    paths = write(image(), tmp_path / "b.dcm", again)
    (dataset,) = datasets(paths)
    sources = [
        frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in dataset.PerFrameFunctionalGroupsSequence
    ]
    assert sources == [d.SOPInstanceUID for d in datasets(first)]
    assert errors_of(*first, *paths) == []


def test_check_colour_and_inverted_grayscale_are_refused():
    colour = image("uint8", (2, 4, 5, 3), "kjic", values=ValueMap(photometric="RGB"))
    inverted = image(values=ValueMap(photometric="MONOCHROME1"))
    for source in (colour, inverted):
        with pytest.raises(UnsupportedData):
            check(source, options("enhanced-mr"))
