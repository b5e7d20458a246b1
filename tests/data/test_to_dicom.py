"""Every volume of ``to_dicom`` becomes conformant DICOM with its voxels and its place.

The folder that ``IMGCONV_TEST_DATA`` names has ``to_dicom/nifti`` and ``to_dicom/nrrd``.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.orient import flip
from imgconv.dicom.reader import read_images
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData
from imgconv.formats import nifti, nrrd

ROOT = Path(os.environ.get("IMGCONV_TEST_DATA", "")) / "to_dicom"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        "IMGCONV_TEST_DATA" not in os.environ, reason="IMGCONV_TEST_DATA names no data"
    ),
]
TOLERANCE_MM = 1e-4
READERS = {".nii": nifti.read, ".gz": nifti.read, ".nrrd": nrrd.read}


def volumes():
    return sorted(
        path
        for folder in ("nifti", "nrrd")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in READERS
    )


def read(path):
    try:
        return list(READERS[path.suffix](path, ReadOptions()))
    except UnsupportedData:
        pytest.skip("the reader refuses it, knowingly")


def real_values(image):
    rescale = image.values.rescale
    return np.asarray(image.array, np.float64) * rescale.slope + rescale.intercept


@pytest.mark.parametrize("path", volumes(), ids=lambda path: path.name)
def test_volume_comes_back_from_dicom(tmp_path, path):
    for number, image in enumerate(read(path)):
        if image.segments:
            pytest.skip("a label map with segments needs its images")
        options = WriteOptions()
        check(image, options)
        written = write(image, tmp_path / f"{number}.dcm", options)
        assert errors_of(written) == []
        (back,) = read_images(list(written))
        if image.geometry is not None:
            if np.dot(back.geometry.affine[:3, 2], image.geometry.affine[:3, 2]) < 0:
                back = flip(back, "k")
            corners = np.array([[0, 0, 0, 1], [*image.size_ijk, 1]]).T
            apart = (back.geometry.affine - image.geometry.affine) @ corners
            assert np.abs(apart).max() < TOLERANCE_MM
        expected = real_values(image)
        got = real_values(back).reshape(expected.shape)
        scale = abs(image.values.rescale.slope)
        assert np.allclose(got, expected, rtol=1e-7, atol=1e-6 * scale, equal_nan=True)


def errors_of(paths):
    found = []
    for path in {paths[0], paths[-1]}:
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
        lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
        found += [line for line in lines if "Error - " in line]
    return found
