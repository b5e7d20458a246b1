"""Masks without a position: a picture's mask covers the one referenced image, pixel by pixel.

Source: PS3.3 A.51.3 (Frame of Reference is conditional), C.7.6.16.2.2 (stacks).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from imgconv.core.geometry import Geometry
from imgconv.core.loss import Loss
from imgconv.dicom.reference import Plane
from imgconv.dicom.sops.modules import Job
from imgconv.errors import GeometryError, UnsupportedData

__all__ = ["SAME_PIXELS", "flat_sources", "place_on_reference"]

SAME_PIXELS = Loss(
    "assumed-same-pixels",
    "the mask has no position: it is taken to cover the referenced image pixel by pixel",
    harmful=False,
)


def place_on_reference(job: Job) -> Job:
    """Return the job with the geometry of its one referenced image, if that has one.

    Raises
    ------
    UnsupportedData
        The reference is not one image of the mask's size.
    """
    if job.image.geometry is not None:
        return job
    shared = _require_one_image(job)
    geometry = _geometry(shared) if job.image.size_ijk[2] == 1 else None
    return replace(job, image=replace(job.image, geometry=geometry))


def flat_sources(job: Job) -> dict[int, Plane]:
    """Return the referenced image, or its frame, of each slice of a mask without geometry."""
    reference = job.context.reference
    if reference is None:
        return {}
    sop_class_uid, sop_instance_uid = reference.instances[0]
    slices = job.image.size_ijk[2]
    return {
        k: Plane(sop_class_uid, sop_instance_uid, k + 1 if slices > 1 else 0, np.zeros(3))
        for k in range(slices)
    }


def _require_one_image(job: Job) -> Dataset:
    reference = job.context.reference
    if reference is None or len(reference.instances) != 1:
        count = 0 if reference is None else len(reference.instances)
        raise UnsupportedData(
            f"the mask has no position, and the reference has {count} images; expected one",
            hint="name the one file that it was drawn on by `--reference FILE`",
        )
    shared = reference.shared
    columns, rows, slices = job.image.size_ijk
    size = (shared.get("Columns"), shared.get("Rows"), int(shared.get("NumberOfFrames") or 1))
    if size != (columns, rows, slices):
        raise UnsupportedData(
            f"the mask has {columns}x{rows} pixels and {slices} slices, the referenced image "
            f"{size[0]}x{size[1]} and {size[2]} frames"
        )
    return shared


def _geometry(shared: Dataset) -> Geometry | None:
    """Return the geometry of a single-frame image, None if it says none."""
    values: dict[str, Any] = {}
    for name, count in (
        ("ImagePositionPatient", 3),
        ("ImageOrientationPatient", 6),
        ("PixelSpacing", 2),
    ):
        found = shared.get(name)
        if found is None or len(found) != count:
            return None
        values[name] = np.array([float(value) for value in found])
    rows, spacing = values["ImageOrientationPatient"], values["PixelSpacing"]
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = rows[:3] * spacing[1], rows[3:] * spacing[0]
    affine[:3, 2] = np.cross(rows[:3], rows[3:]) * float(shared.get("SliceThickness") or 1.0)
    affine[:3, 3] = values["ImagePositionPatient"]
    try:
        return Geometry(affine, str(shared.get("FrameOfReferenceUID", "")))
    except GeometryError:
        return None
