"""Helpers of the tests of written objects: images, options, judges."""

from __future__ import annotations

import subprocess

import numpy as np
import pydicom

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import WriteOptions

AFFINE = np.array(
    [[-0.7, 0.1, 0.2, 90], [0.1, 0.7, 0.3, -80], [0, 0, 2.5, -70], [0, 0, 0, 1]], dtype=float
)
# Rows and columns made orthogonal; the slice axis stays sheared.
AFFINE[:3, 1] -= AFFINE[:3, 0] * (AFFINE[:3, 0] @ AFFINE[:3, 1]) / (AFFINE[:3, 0] @ AFFINE[:3, 0])


def image(dtype="int16", shape=(3, 4, 5), axes="kji", *, geometry=True, **kwargs) -> Image:
    """Return an image of random samples over the whole range of its type."""
    rng = np.random.default_rng(5)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        array = rng.normal(0, 1, shape).astype(kind)
    else:
        info = np.iinfo(kind)
        array = rng.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
    return Image(array, axes, geometry=Geometry(AFFINE) if geometry else None, **kwargs)


def options(name="", *, reference=(), seed="", **metadata) -> WriteOptions:
    """Return options for one object, with attributes set by hand."""
    extra = {"dicom": {"as": name, "uid_seed": seed}}
    return WriteOptions(metadata=metadata, reference=tuple(reference), extra=extra)


def datasets(paths) -> list[pydicom.Dataset]:
    """Read files again."""
    return [pydicom.dcmread(path) for path in paths]


def errors_of(*paths) -> list[str]:
    """Return what dciodvfy says of each file and dcentvfy of all, as far as they are errors."""
    found = []
    for path in paths:
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
        lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
        found += [line for line in lines if "Error - " in line]
    done = subprocess.run(["dcentvfy", *map(str, paths)], capture_output=True, check=False)
    lines = (done.stdout + done.stderr).decode("latin-1").splitlines()
    return found + [line for line in lines if "Error" in line and "was referenced" not in line]
