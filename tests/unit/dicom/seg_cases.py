"""A small CT series and label maps on its grid, made by the writer itself."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import WriteOptions
from imgconv.dicom.writer import write

SHAPE = (6, 8, 10)
CONTEXT = {
    "PatientID": "P1",
    "PatientName": "Test^One",
    "StudyID": "1",
    "Modality": "CT",
    "BodyPartExamined": "ABDOMEN",
}


def affine(angle: float = 0.4) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag([0.75, 1.25, 3.0])
    matrix[:3, 3] = [-101.25, 33.125, -412.5]
    return matrix


def write_reference(folder, shape=SHAPE):
    samples = np.random.default_rng(1).integers(-1000, 1000, shape).astype(np.int16)
    image = Image(samples, "kji", geometry=Geometry(affine()), metadata=Metadata(shared=CONTEXT))
    return write(image, folder / "reference.dcm", WriteOptions(extra={"dicom": {"as": "ct"}}))


def label_map(array, **more) -> Image:
    array = np.asarray(array)
    axes = "tkji" if array.ndim == 4 else "kji"
    return Image(array, axes, geometry=Geometry(affine()), **more)


def boxes(*numbers, shape=SHAPE, dtype=np.uint8) -> np.ndarray:
    """Return a label map with one box per number, apart from each other; outer slices are empty."""
    array = np.zeros(shape, dtype)
    for n, number in enumerate(numbers):
        array[1 + n % 3 : 4, 2:5, 2 * n + 1 : 2 * n + 3] = number
    return array


def options(reference, name="segmentation", **own) -> WriteOptions:
    paths = () if reference is None else tuple(reference)
    return WriteOptions(reference=paths, extra={"dicom": {"as": name, **own}})


def without_geometry(image: Image) -> Image:
    return replace(image, geometry=None)


def errors_of(path, *references) -> list[str]:
    """Return what dciodvfy calls errors in `path`, and dcentvfy in all files together."""
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("latin-1")
    found = [line for line in text.splitlines() if "Error - " in line]
    files = [str(path), *map(str, references)]
    done = subprocess.run(["dcentvfy", *files], capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode("latin-1")
    return found + [line for line in text.splitlines() if "Error" in line]
