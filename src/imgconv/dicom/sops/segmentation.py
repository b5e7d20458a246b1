"""Segmentation: BINARY, FRACTIONAL and LABELMAP, one multi-frame file.

A segmentation belongs to the images that it was drawn on, which are named by
``--reference``: a series with the same grid (flipped, turned or a part of it, too);
a mask without a position covers the one referenced image.
Options in ``WriteOptions.extra["dicom"]``: ``segments`` (the file of a
description), ``empty_frames`` (keep frames without the segment). Not
supported: slides, compression.

Source: PS3.3 A.51, C.8.20; supplement 243 (LABELMAP).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv import __version__
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.segments import SegmentTable
from imgconv.dicom import seg_private as private
from imgconv.dicom.sops import modules
from imgconv.dicom.sops._table import EQUIPMENT, SERIES_OF_IMAGES
from imgconv.dicom.sops.encode import Pixels, Template
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.planes import Planes, check_geometry, place_image
from imgconv.dicom.sops.seg_flat import SAME_PIXELS, flat_sources, place_on_reference
from imgconv.dicom.sops.seg_frames import (
    Frame,
    add_flat_frames,
    add_frames,
    add_segment_dimensions,
)
from imgconv.dicom.sops.seg_items import background_item, segment_item
from imgconv.dicom.sops.seg_labels import Label, Labels, describe_labels, find_labels
from imgconv.dicom.sops.seg_pixels import FULL, binary_pixels, fractional_pixels, label_pixels
from imgconv.dicom.sops.sources import add_common_references
from imgconv.errors import UnsupportedData, UsageError

__all__ = [
    "build_binary",
    "build_fractional",
    "build_labelmap",
    "check_binary",
    "check_fractional",
    "check_labelmap",
]

_SEGMENTATION_UID = "1.2.840.10008.5.1.4.1.1.66.4"
_LABELMAP_UID = "1.2.840.10008.5.1.4.1.1.66.7"
_UNREFERRED = Loss(
    "no-reference",
    "the segmentation names no images that it was drawn on, and has a frame of reference of its "
    "own: few viewers show it on them; `--reference FOLDER` names them",
    harmful=False,
)
_WHOLE = 1  # the label of a layer of fractions


class _Type(StrEnum):
    """Segmentation Type; PS3.3 C.8.20.2.3."""

    BINARY = "BINARY"
    FRACTIONAL = "FRACTIONAL"
    LABELMAP = "LABELMAP"


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """What is written: labels, their segments, and one entry per frame."""

    labels: tuple[Label, ...]
    table: SegmentTable
    frames: tuple[Frame, ...]
    overlap: str
    losses: tuple[Loss, ...]


def check_binary(job: Job) -> tuple[Loss, ...]:
    """Return what a BINARY segmentation cannot hold, or what it assumes."""
    return _check(job, _Type.BINARY)


def check_fractional(job: Job) -> tuple[Loss, ...]:
    """Return what a FRACTIONAL segmentation cannot hold, or what it assumes."""
    return _check(job, _Type.FRACTIONAL)


def check_labelmap(job: Job) -> tuple[Loss, ...]:
    """Return what a LABELMAP segmentation cannot hold, or what it assumes."""
    return _check(job, _Type.LABELMAP)


def build_binary(job: Job) -> Iterator[Instance]:
    """Make a BINARY segmentation."""
    return _build(job, _Type.BINARY)


def build_fractional(job: Job) -> Iterator[Instance]:
    """Make a FRACTIONAL segmentation."""
    return _build(job, _Type.FRACTIONAL)


def build_labelmap(job: Job) -> Iterator[Instance]:
    """Make a LABELMAP segmentation."""
    return _build(job, _Type.LABELMAP)


def _check(job: Job, kind: _Type) -> tuple[Loss, ...]:
    """Return the losses.

    Raises
    ------
    UnsupportedData
        What is no label map, or has no place in this kind of object.
    UsageError
        There is no reference.
    CorruptData
        The description of the segments cannot be read.
    """
    if not job.options.reference:
        if job.image.geometry is None:
            raise UsageError(
                "a segmentation without a position needs the image that it was drawn on",
                hint="name it by `--reference FILE`",
            )
        return (_UNREFERRED, *check_geometry(job.image), *_plan(job, kind).losses)
    if job.image.geometry is None:
        return (SAME_PIXELS, *_plan(place_on_reference(job), kind).losses)
    losses = check_geometry(job.image)
    return (*losses, *_plan(job, kind).losses)


# --- plan -----------------------------------------------------------------------------------------


def _plan(job: Job, kind: _Type) -> _Plan:
    image = job.image
    if kind is _Type.LABELMAP and image.volume_count > 1:
        raise UnsupportedData(
            "a LABELMAP has one layer; the image has several",
            hint="choose `--as segmentation`, whose segments may overlap",
        )
    has_fractions = kind is _Type.FRACTIONAL and image.dtype.kind == "f"
    found = _find_fractions(image) if has_fractions else find_labels(image)
    labels, table, losses = describe_labels(
        image, found.present, job.options, consecutive=kind is not _Type.LABELMAP
    )
    if not labels:
        raise UnsupportedData(
            "the label map is empty and no segment is described: there is nothing to write",
            hint="describe the segments by `--segments FILE`",
        )
    if has_fractions:
        losses = (*losses, *_fraction_losses(image))
    frames = tuple(_iter_frames(job, kind, labels, found))
    overlap = "YES" if found.overlapping else "UNDEFINED" if has_fractions else "NO"
    return _Plan(labels, table, frames, overlap, losses)


def _iter_frames(
    job: Job, kind: _Type, labels: tuple[Label, ...], found: Labels
) -> Iterator[Frame]:
    """Yield the frames, segment by segment; all slices if empty ones are kept or all are empty."""
    every = range(job.image.size_ijk[2])
    keep_empty = bool(job.options.of("dicom").get("empty_frames")) or not found.present
    if kind is _Type.LABELMAP:
        slices = sorted({k for slices in found.present.values() for k in slices})
        yield from (Frame(k) for k in (every if keep_empty else slices))
        return
    for label in sorted(labels, key=lambda label: label.segment_number):
        key = (label.segment.layer, label.segment.number)
        for k in every if keep_empty else found.present.get(key, ()):
            yield Frame(k, *key, label.segment_number)


def _find_fractions(image: Image) -> Labels:
    """Return one label per layer of fractions.

    Raises
    ------
    UnsupportedData
        Colour, or a value outside 0 to 1.
    """
    if "c" in image.axes:
        raise UnsupportedData("a segmentation has one sample per voxel; the image has colour")
    present = {}
    for layer, volume in enumerate(image.iter_volumes()):
        if not (np.isfinite(volume).all() and volume.min() >= 0 and volume.max() <= 1):
            raise UnsupportedData("a fraction is not within 0 to 1")
        filled = np.flatnonzero((np.rint(volume * FULL) > 0).any(axis=(1, 2)))
        present[(layer, _WHOLE)] = tuple(int(k) for k in filled)
    return Labels(present)


def _fraction_losses(image: Image) -> Iterator[Loss]:
    for volume in image.iter_volumes():
        steps = volume.astype(np.float64) * FULL
        if np.abs(steps - np.rint(steps)).max() > 1e-4:  # what float32 makes of n/255
            yield Loss(
                "rounded-fractions",
                f"fractions are rounded to multiples of 1/{FULL}",
                harmful=True,
            )
            return


# --- build ----------------------------------------------------------------------------------------


def _build(job: Job, kind: _Type) -> Iterator[Instance]:
    job = place_on_reference(job)
    if job.image.geometry is not None:
        job = replace(job, image=place_image(job.image, job.context))
    plan = _plan(job, kind)
    dataset = _top_level(job, kind, plan)
    geometry = job.image.geometry
    by_segment = kind is not _Type.LABELMAP
    encoded: list[tuple[int, bytes]] = []
    add_segment_dimensions(dataset, job, by_segment=by_segment, by_position=geometry is not None)
    if geometry is None:
        modules.take(dataset, job.context, ("PatientOrientation",))
        modules.set_absent(dataset, PatientOrientation=None)  # 2C without a position, C.7.6.1
        add_flat_frames(dataset, plan.frames, flat_sources(job))
    else:
        modules.add_frame_of_reference(dataset, job)
        planes = Planes(geometry, job.image.size_ijk[2])
        encoded = [add_frames(dataset, job, planes, plan.frames)]
        _add_extent(dataset, planes, plan.frames)
    _add_references(dataset, job)
    modules.add_user_attributes(dataset, job.context, consumed=())
    own = item(SOPInstanceUID=UID(job.uids.make("instance")))
    yield Instance(
        0, Template(dataset, encoded=encoded).render(own, _pixels(job.image, kind, plan))
    )


def _top_level(job: Job, kind: _Type, plan: _Plan) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, "SEG", laterality=False)
    _add_own_series(dataset, job, plan.table)
    _add_equipment(dataset, job)
    modules.add_image(dataset, job, _LABELMAP_UID if kind is _Type.LABELMAP else _SEGMENTATION_UID)
    columns, rows, _ = job.image.size_ijk
    bits = {_Type.BINARY: 1, _Type.FRACTIONAL: 8}.get(kind) or 8 * _label_dtype(plan).itemsize
    for name, value in {
        "ImageType": ["DERIVED", "PRIMARY"],
        "InstanceNumber": 1,
        "ContentDate": job.made.strftime("%Y%m%d"),
        "ContentTime": job.made.strftime("%H%M%S"),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": rows,
        "Columns": columns,
        "BitsAllocated": bits,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": 0,
        "LossyImageCompression": "00",
        "SegmentationType": str(kind),
        "SegmentsOverlap": plan.overlap,
    }.items():
        setattr(dataset, name, value)
    ordered = sorted(plan.labels, key=lambda label: label.segment_number)
    items = [segment_item(label) for label in ordered]
    if kind is _Type.FRACTIONAL:
        dataset.SegmentationFractionalType = _fractional_type(job)
        dataset.MaximumFractionalValue = FULL
    if kind is _Type.LABELMAP:
        dataset.add_new("PixelPaddingValue", "US", 0)
        items.insert(0, background_item(items[0]))
    dataset.SegmentSequence = items
    return dataset


def _fractional_type(job: Job) -> str:
    return "PROBABILITY" if job.image.dtype.kind == "f" else "OCCUPANCY"


def _add_own_series(dataset: Dataset, job: Job, table: SegmentTable) -> None:
    """Leave out what was said of the images' series; add what the table says."""
    given = job.context.given_by_user()
    for name in SERIES_OF_IMAGES:
        if name in dataset and name not in given:
            del dataset[name]
    for name in ("SeriesDescription", "SeriesNumber"):
        if name in table.attributes and name not in given:
            dataset.pop(name, None)
            modules.set_absent(dataset, **{name: table.attributes[name]})
    creator = str(table.attributes.get("ContentCreatorName", ""))
    modules.take(dataset, job.context, [n for n in _CONTENT if n in given])
    modules.set_absent(
        dataset,
        SeriesDescription="Segmentation",
        ContentLabel="SEGMENTATION",
        ContentDescription=None,
        ContentCreatorName=creator or None,
    )


_CONTENT = ("ContentLabel", "ContentDescription", "ContentCreatorName")


def _add_equipment(dataset: Dataset, job: Job) -> None:
    """Name who made the object: it was no scanner; C.7.5.1, C.7.5.2."""
    modules.take(
        dataset,
        job.context,
        [n for n in (*EQUIPMENT, "InstitutionName") if n in job.context.given_by_user()],
    )
    modules.set_absent(
        dataset,
        Manufacturer="imgconv",
        ManufacturerModelName="imgconv",
        DeviceSerialNumber="0",
        SoftwareVersions=__version__,
    )


def _add_extent(dataset: Dataset, planes: Planes, frames: tuple[Frame, ...]) -> None:
    """Keep where all slices were, if the outermost ones have no frame."""
    shown = {frame.k for frame in frames}
    if {0, len(planes.origins) - 1} <= shown:
        return
    block = dataset.private_block(private.GROUP, private.CREATOR, create=True)
    block.add_new(private.SLICE_ORIGINS, "FD", [float(v) for v in planes.origins.ravel()])


def _add_references(dataset: Dataset, job: Job) -> None:
    """Name all images of the referenced series, those without a segment as well; C.12.2."""
    reference = job.context.reference
    if reference is not None:
        add_common_references(dataset, reference, reference.instances)


# --- pixels ---------------------------------------------------------------------------------------


def _label_dtype(plan: _Plan) -> np.dtype[Any]:
    largest = max(label.segment_number for label in plan.labels)
    return np.dtype(np.uint8 if largest <= 255 else np.uint16)


def _pixels(image: Image, kind: _Type, plan: _Plan) -> Pixels:
    volumes = [np.asarray(volume) for volume in image.iter_volumes()]
    columns, rows, _ = image.size_ijk
    if kind is _Type.LABELMAP:
        return label_pixels([frame.k for frame in plan.frames], volumes[0], _label_dtype(plan))

    def mask(n: int) -> NDArray[Any]:
        frame = plan.frames[n]
        plane: NDArray[Any] = volumes[frame.layer][frame.k]
        if kind is _Type.FRACTIONAL and plane.dtype.kind == "f":
            return plane
        same: NDArray[Any] = plane == frame.number
        return same

    make = binary_pixels if kind is _Type.BINARY else fractional_pixels
    return make(len(plan.frames), mask, rows, columns)
