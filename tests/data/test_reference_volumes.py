"""Every reference volume of the dcm_qa suites has a converted one with its voxels and its place."""

import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from imgconv.ops.convert import convert

ROOT = Path(os.environ.get("IMGCONV_TEST_DATA", "")) / "dcm_qa"
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(
        "IMGCONV_TEST_DATA" not in os.environ, reason="IMGCONV_TEST_DATA names no data"
    ),
]
# References that record a habit of dcm2niix; docs/from-dcm2niix.md tells how we differ and why.
HABITS = ("_Tilt_Eq_", "_ADC.nii", "us_palette_", "_ROI1.nii")
# Millimetres at the corners: float32 of positions up to a metre.
TOLERANCE_MM = 0.01
TOLERANCE = 1e-4  # of the range of values, which some references hold as rescaled integers


def suites():
    return sorted(path.parent.name for path in ROOT.glob("*/Ref"))


def volumes(folder):
    return sorted(path for path in folder.rglob("*") if path.name.endswith((".nii", ".nii.gz")))


def canonical(path):
    """Return samples as real values in RAS axes, and the affine; no affine if none is claimed."""
    image = nibabel.load(path)
    has_place = bool(image.header["qform_code"] or image.header["sform_code"])
    image = nibabel.as_closest_canonical(image)
    data = np.asanyarray(image.dataobj)
    if data.dtype.fields:
        data = np.stack([data[name] for name in data.dtype.names], axis=-1)
    return np.squeeze(data), image.affine if has_place else None


def matches(first, second):
    (data, affine), (other, other_affine) = first, second
    if data.shape != other.shape:
        return False
    difference = np.abs(np.subtract(data, other, dtype=np.float64)).max()
    if difference > TOLERANCE * max(float(np.ptp(other)), 1e-6):
        return False
    if affine is None or other_affine is None:
        return True
    shape = (*data.shape, 1, 1, 1)[:3]
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], [1])).reshape(4, -1)
    return np.abs((affine - other_affine) @ corners).max() < TOLERANCE_MM


@pytest.mark.parametrize("suite", suites())
def test_every_reference_volume_is_made(suite, tmp_path):
    cases = ROOT / suite / "CASES"
    names = cases.read_text().split() if cases.exists() else ["."]
    for name in names:
        convert([ROOT / suite / "In" / name], tmp_path / name)
    made = [canonical(path) for path in volumes(tmp_path)]
    for path in volumes(ROOT / suite / "Ref"):
        if any(habit in path.name for habit in HABITS):
            continue
        assert any(matches(canonical(path), one) for one in made), path.name
