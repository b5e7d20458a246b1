"""Sidecars and gradients of real scanners' data, against those of dcm2niix.

The folder that ``IMGCONV_TEST_DATA`` names has ``dcm_qa/<suite>/In`` and ``Ref``.
"""

import json
import math
import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from imgconv.core.geometry import LPS_TO_RAS
from imgconv.core.options import ReadOptions
from imgconv.dicom.reader import load, read_headers
from imgconv.dicom.series import plan_series
from imgconv.formats.bids import format_gradients, format_sidecar
from imgconv.formats.nifti_storage import Storage, to_storage

DATA = os.environ.get("IMGCONV_TEST_DATA")
pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not DATA, reason="IMGCONV_TEST_DATA names no folder of real data"),
]
ROOT = Path(DATA or ".") / "dcm_qa"
SUITES = sorted(path.name for path in ROOT.glob("*") if (path / "Ref").is_dir()) if DATA else []

# What BIDS defines and a header can tell; the rest has no specification to agree on.
FIELDS = frozenset(
    {
        "AcquisitionDuration",
        "ArterialSpinLabelingType",
        "BodyPart",
        "CoilCombinationMethod",
        "DeviceSerialNumber",
        "DwellTime",
        "EchoNumber",
        "EchoTime",
        "EchoTime1",
        "EchoTime2",
        "EffectiveEchoSpacing",
        "FlipAngle",
        "InstitutionAddress",
        "InstitutionName",
        "InstitutionalDepartmentName",
        "InversionTime",
        "LabelingDuration",
        "MRAcquisitionType",
        "MTState",
        "MagneticFieldStrength",
        "Manufacturer",
        "ManufacturersModelName",
        "MatrixCoilMode",
        "Modality",
        "MultibandAccelerationFactor",
        "NonlinearGradientCorrection",
        "ParallelAcquisitionTechnique",
        "ParallelReductionFactorInPlane",
        "ParallelReductionFactorOutOfPlane",
        "PartialFourier",
        "PartialFourierDirection",
        "PhaseEncodingDirection",
        "PostLabelingDelay",
        "PulseSequenceDetails",
        "PulseSequenceType",
        "ReceiveCoilActiveElements",
        "ReceiveCoilName",
        "RepetitionTime",
        "ScanningSequence",
        "SequenceName",
        "SequenceVariant",
        "SliceThickness",
        "SliceTiming",
        "SoftwareVersions",
        "SpoilingState",
        "StationName",
        "TotalReadoutTime",
        "Units",
    }
)
# Fields on which we differ knowingly; docs/formats/bids.md has the reasons.
KNOWN = {
    "dcm_qa_fmap": {"SliceTiming"},
    "dcm_qa_me": {"SliceTiming"},
    "dcm_qa_uih": {"SliceTiming", "PulseSequenceType"},
    "dicom2nifti": {"PulseSequenceType"},
}
# Files of the reference that are habits of dcm2niix: resampled copies, overlays, averages.
NO_COUNTERPART = ("_Tilt_Eq_1", "_ROI1", "_ADC", "us_palette")


def agree(one, other):
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(agree, one, other))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-9)
    return one == other


def images_of(folder):
    options = ReadOptions(allow=frozenset({"all"}))
    headers, _problems = read_headers(sorted(p for p in folder.rglob("*") if p.is_file()))
    for series in plan_series(headers, options):
        for plan in series.volumes:
            yield to_storage(load(plan, options), Storage.AUTO)


def sidecar_as(path, image):
    """Return an image's sidecar, its slices in the order of the reference volume."""
    sidecar = json.loads(format_sidecar(image))
    theirs = nib.load(path.with_suffix(".nii.gz")).affine[:3, 2]
    if image.geometry is not None and "SliceTiming" in sidecar:
        ours = (LPS_TO_RAS @ image.geometry.affine)[:3, 2]
        if np.dot(ours, theirs) < 0:
            sidecar["SliceTiming"].reverse()
    return sidecar


def differences(reference, sidecar):
    names = FIELDS & reference.keys()
    return {
        name
        for name in names
        if not agree(reference[name], sidecar.get(name))
        # ucPATMode 1 is no acceleration at all
        and (name, reference[name]) != ("MatrixCoilMode", "SENSE")
    }


@pytest.mark.parametrize("suite", SUITES)
def test_sidecars_and_gradients_agree_with_the_references(suite):
    folder = ROOT / suite
    listed = folder / "CASES"
    for case in listed.read_text().split() if listed.exists() else ["."]:
        references = [
            path
            for path in sorted((folder / "Ref" / case).glob("*.json"))
            if not any(mark in path.name for mark in NO_COUNTERPART)
        ]
        if not references:
            continue
        images = list(images_of(folder / "In" / case))
        for path in references:
            reference = json.loads(path.read_text())
            found = [differences(reference, sidecar_as(path, image)) for image in images]
            best = min(range(len(found)), key=lambda number: len(found[number]))
            assert found[best] <= KNOWN.get(suite, set()), path.name
            if path.with_suffix(".bval").exists():
                check_gradients(path, images, reference)


def check_gradients(path, images, reference):
    texts = [
        format_gradients(image)
        for image in images
        if image.metadata.shared.get("SeriesNumber") == reference["SeriesNumber"]
    ]
    expected = [
        [[float(part) for part in line.split()] for line in text.splitlines()]
        for text in (path.with_suffix(".bval").read_text(), path.with_suffix(".bvec").read_text())
    ]
    for bval, bvec in filter(None, texts):
        b_values = [float(part) for part in bval.split()]
        if len(b_values) != len(expected[0][0]):
            continue
        assert b_values == pytest.approx(expected[0][0], abs=1.0)
        mine = np.array([[float(part) for part in line.split()] for line in bvec.splitlines()])
        theirs = np.array(expected[1])
        # A direction and its opposite weight the diffusion alike.
        off = np.minimum(abs(mine - theirs).max(axis=0), abs(mine + theirs).max(axis=0))
        assert off.max() < 0.01
        return
    pytest.fail(f"{path.name}: no gradients for {len(expected[0][0])} volumes")
