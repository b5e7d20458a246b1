"""VL Photographic Image: pictures, their own codestreams among them."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pydicom.encaps
import pytest
from PIL import Image as PillowImage
from tests.unit.dicom.sops.writing import datasets, errors_of, image, options

from imgconv.core.image import Encoded, Image, Source
from imgconv.core.metadata import Metadata
from imgconv.core.values import ValueMap
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData

RGB = ValueMap(photometric="RGB", bits_stored=8)


def _jpeg(**kwargs) -> tuple[bytes, np.ndarray]:
    rng = np.random.default_rng(1)
    smooth = np.kron(rng.integers(0, 255, (4, 4, 3), np.uint8), np.ones((8, 8, 1), np.uint8))
    stream = io.BytesIO()
    PillowImage.fromarray(smooth).save(stream, "JPEG", quality=90, **kwargs)
    data = stream.getvalue()
    return data, np.array(PillowImage.open(io.BytesIO(data)))


def _encoded(data: bytes, samples: np.ndarray) -> Image:
    array = samples[None]
    return Image(array, "kjic", values=RGB, encoded=Encoded((data,), array))


@pytest.mark.parametrize("name", ["photo", "secondary-capture"])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_write_keeps_the_bytes_of_a_baseline_jpeg(tmp_path, name, subsampling):
    data, samples = _jpeg(subsampling=subsampling)
    paths = write(_encoded(data, samples), tmp_path / "a.dcm", options(name))
    (dataset,) = datasets(paths)
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.50"
    (stored,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    assert stored.rstrip(b"\0") == data.rstrip(b"\0")
    assert dataset.PhotometricInterpretation == "YBR_FULL_422"
    assert (dataset.LossyImageCompression, dataset.LossyImageCompressionMethod) == (
        "01",
        "ISO_10918_1",
    )
    assert errors_of(*paths) == []


def test_write_stores_a_progressive_jpeg_decoded_and_says_it_is_lossy(tmp_path):
    data, samples = _jpeg(progressive=True)
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    source = replace(_encoded(data, samples), sources=(Source(path),))
    paths = write(source, tmp_path / "a.dcm", options("photo"))
    (dataset,) = datasets(paths)
    assert dataset.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert np.array_equal(dataset.pixel_array, samples)
    assert dataset.LossyImageCompression == "01"
    assert errors_of(*paths) == []


def test_write_does_not_pass_changed_samples_for_the_codestream(tmp_path):
    data, samples = _jpeg()
    source = _encoded(data, samples)
    source = replace(source, array=source.array[:, ::-1])
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options("photo")))
    assert np.array_equal(dataset.pixel_array, samples[::-1])


def test_write_makes_one_file_per_picture(tmp_path):
    source = image("uint8", (2, 4, 5, 3), "kjic", geometry=False, values=RGB)
    paths = write(source, tmp_path / "a.dcm", options("photo", PatientID="1"))
    assert [d.InstanceNumber for d in datasets(paths)] == [1, 2]
    assert len({d.SOPInstanceUID for d in datasets(paths)}) == 2
    assert errors_of(*paths) == []


def test_write_keeps_the_icc_profile_of_colour(tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    metadata = Metadata(shared={"ICCProfile": profile})
    source = image("uint8", (1, 4, 5, 3), "kjic", geometry=False, values=RGB, metadata=metadata)
    paths = write(source, tmp_path / "a.dcm", options("photo"))
    assert datasets(paths)[0].ICCProfile.rstrip(b"\0") == profile.rstrip(b"\0")
    assert errors_of(*paths) == []


def test_check_16_bits_are_refused_with_a_way_out():
    with pytest.raises(UnsupportedData) as caught:
        check(image("uint16", (1, 4, 5), geometry=False), options("photo"))
    assert "secondary-capture" in caught.value.hint


def test_check_geometry_is_a_harmful_loss():
    losses = check(image("uint8", (1, 4, 5)), options("photo"))
    assert [(loss.name, loss.harmful) for loss in losses] == [("geometry", True)]


def test_write_calls_the_modality_external_camera_whatever_is_given(tmp_path):
    data, samples = _jpeg()
    given = replace(options("photo"), metadata={"Modality": "MR"})
    losses = check(_encoded(data, samples), given)
    assert [loss.name for loss in losses if not loss.harmful] == ["fixed-modality"]
    paths = write(_encoded(data, samples), tmp_path / "a.dcm", given)
    assert datasets(paths)[0].Modality == "XC"
    assert errors_of(*paths) == []
