"""Compare writing DICOM with plastimatch, nii2dcm and dcmqi, as far as they are installed.

A 512x512x300 16-bit NIfTI file becomes a CT series, and a label map of the
same grid a segmentation of a CT series. Peers are found on the PATH or beside
the interpreter: Debian's plastimatch, PyPI's nii2dcm and dcmqi.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np
from benchmarks.scans import make_ct
from benchmarks.timing import measure

__all__ = ["main"]

RUNS = 3
BIN = Path(sys.executable).parent
IMGCONV = [str(BIN / "imgconv"), "convert", "--to", "dicom", "--overwrite", "always", "-q"]
SEGMENTS = {
    "SeriesDescription": "Benchmark",
    "SeriesNumber": "300",
    "InstanceNumber": "1",
    "segmentAttributes": [
        [
            {
                "labelID": number,
                "SegmentDescription": f"Part {number}",
                "SegmentAlgorithmType": "SEMIAUTOMATIC",
                "SegmentAlgorithmName": "None",
                "SegmentedPropertyCategoryCodeSequence": {
                    "CodeValue": "85756007",
                    "CodingSchemeDesignator": "SCT",
                    "CodeMeaning": "Tissue",
                },
                "SegmentedPropertyTypeCodeSequence": {
                    "CodeValue": "85756007",
                    "CodingSchemeDesignator": "SCT",
                    "CodeMeaning": "Tissue",
                },
                "recommendedDisplayRGBValue": [200, 40 * number, 60],
            }
            for number in (1, 2, 3)
        ]
    ],
}


def make_volume(path: Path, slices: int = 300, size: int = 512) -> None:
    """Write a CT volume as NIfTI: Hounsfield units of an ellipsoid with noise."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    body = (x / 0.8) ** 2 + (y / 0.6) ** 2 < 1
    plane = np.where(body, 40, -1000)
    array = np.empty((size, size, slices), np.int16)
    for k in range(slices):
        array[..., k] = plane + rng.integers(-12, 12, plane.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-0.7, -0.7, 1.25, 1])), path)


def make_labels(path: Path, slices: int = 300, size: int = 512) -> None:
    """Write a label map on the grid of `scans.make_ct`: three ellipsoids."""
    z, y, x = np.mgrid[-1 : 1 : slices * 1j, -1 : 1 : size * 1j, -1 : 1 : size * 1j]
    array = np.zeros((size, size, slices), np.uint8)
    for number, centre in enumerate((-0.5, 0.0, 0.5), 1):
        inside = ((x - centre) / 0.2) ** 2 + (y / 0.3) ** 2 + (z / 0.8) ** 2 < 1
        array[inside.transpose(2, 1, 0)] = number
    affine = np.diag([-0.703125, -0.703125, 1.25, 1])
    affine[:3, 3] = 180, 180, -200
    nibabel.save(nibabel.Nifti1Image(array, affine), path)


def main(folder: Path) -> None:
    """Print what ours and each peer take, in turn, and the ratio of wall times."""
    volume, labels, ct = folder / "volume.nii", folder / "labels.nii.gz", folder / "ct"
    if not ct.exists():
        make_ct(ct)
    if not volume.exists():
        make_volume(volume)
    if not labels.exists():
        make_labels(labels)
    table = folder / "segments.json"
    table.write_text(json.dumps(SEGMENTS))
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch)
        series = [*IMGCONV, str(volume), "--as", "ct", "-o", str(out / "ours")]
        for name, words in {
            "plastimatch": ["convert", "--input", str(volume), "--output-dicom", str(out / "peer")],
            "nii2dcm": [str(volume), str(out / "peer"), "-d", "MR"],
        }.items():
            _compare("CT series, 300 slices", series, name, words, out)
        ours = [*IMGCONV, str(labels), "-o", str(out / "ours"), "--as", "segmentation"]
        theirs = [
            *("--inputImageList", str(labels), "--inputDICOMDirectory", str(ct)),
            *("--inputMetadata", str(table), "--outputDICOM", str(out / "peer" / "seg.dcm")),
        ]
        ours += ["--reference", str(ct), "--segments", str(table)]
        _compare("segmentation, 300 slices", ours, "itkimage2segimage", theirs, out)


def _compare(title: str, ours: Sequence[str], peer: str, words: Sequence[str], out: Path) -> None:
    program = shutil.which(peer) or shutil.which(peer, path=str(BIN))
    if program is None:
        print(f"{title:28} {peer} is not installed")
        return
    best: dict[str, list[tuple[float, float]]] = {"ours": [], "peer": []}
    for _ in range(RUNS):
        for who, command in (("peer", [program, *words]), ("ours", ours)):
            shutil.rmtree(out / who, ignore_errors=True)
            (out / who).mkdir()
            try:
                best[who].append(measure(command))
            except subprocess.CalledProcessError as error:
                print(f"{title:28} {Path(command[0]).name} ends with {error.returncode}")
                return
    wall = {who: min(run[0] for run in runs) for who, runs in best.items()}
    spent = {who: min(run[1] for run in runs) for who, runs in best.items()}
    print(
        f"{title:28} wall {wall['ours']:6.2f} s, {peer} {wall['peer']:6.2f} s: "
        f"{wall['peer'] / wall['ours']:5.2f} times as fast; "
        f"cpu {spent['ours']:6.2f} s, peer {spent['peer']:6.2f} s"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made))
