"""RT Structure Set: labels as closed planar contours on the images of a reference series.

Contours run along pixel edges, so that filling them by the even-odd rule gives
the label map back exactly; a hole is joined to its outline by a channel of no
width. Not supported: points, open contours, contours between slices.

Source: PS3.3 A.19, C.8.8.5, C.8.8.6, C.8.8.8.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from imgconv import __version__
from imgconv.core.contours import trace_mask
from imgconv.core.geometry import Geometry
from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds
from imgconv.dicom.reference import Plane, Reference, nearest_plane
from imgconv.dicom.segment_codes import TISSUE
from imgconv.dicom.sops import modules
from imgconv.dicom.sops._table import EQUIPMENT
from imgconv.dicom.sops.encode import Template
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.planes import place_image
from imgconv.dicom.sops.seg_labels import Label, describe_labels, find_labels
from imgconv.errors import GeometryError, UnsupportedData, UsageError

__all__ = ["build", "check"]

_UID = "1.2.840.10008.5.1.4.1.1.481.3"
# Detached Study Management, retired as an object, still what refers to a study; C.8.8.5.
_STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
_DECIMALS = 6  # of a millimetre: pixel edges are further from centres than any rounding
_CONTOUR_DATA = Tag("ContourData")
_SERIES = ("SeriesDescription", "SeriesNumber", "OperatorsName")
_MAX_TEXT = 64  # characters of ROI Name, LO


def check(job: Job) -> tuple[Loss, ...]:
    """Return what a structure set cannot hold, or what it assumes.

    Raises
    ------
    UsageError
        There is no reference.
    UnsupportedData
        What is no label map, or an empty one.
    GeometryError
        The image has no position in the patient.
    """
    if not job.options.reference:
        raise UsageError(
            "contours need the images that they were drawn on",
            hint="name them by `--reference FOLDER`; or convert the image to DICOM first",
        )
    if job.image.geometry is None:
        raise GeometryError("contours need a position in the patient; the image has none")
    found = find_labels(job.image)
    if not found.present:
        raise UnsupportedData("the label map is empty: there is no contour to write")
    _, _, losses = describe_labels(job.image, found.present, job.options, consecutive=False)
    # A structure set has no place for how a segment was made, and codes are optional in it.
    return tuple(loss for loss in losses if loss.name not in ("assumed-algorithm", "assumed-codes"))


def build(job: Job) -> Iterator[Instance]:
    """Make a structure set."""
    job = replace(job, image=place_image(job.image, job.context))
    found = find_labels(job.image)
    labels, table, _ = describe_labels(job.image, found.present, job.options, consecutive=False)
    labels = tuple(
        label for label in labels if (label.segment.layer, label.segment.number) in found.present
    )
    dataset = _top_level(job, str(table.attributes.get("SeriesDescription", "")))
    reference = job.context.reference
    if reference is not None:
        frame = item(
            FrameOfReferenceUID=dataset.FrameOfReferenceUID,
            RTReferencedStudySequence=[_study(reference)],
        )
        dataset.ReferencedFrameOfReferenceSequence = [frame]
    dataset.StructureSetROISequence = [
        _region(label, dataset.FrameOfReferenceUID) for label in labels
    ]
    volumes = [np.asarray(volume) for volume in job.image.iter_volumes()]
    dataset.ROIContourSequence = [
        _contours(
            job,
            label,
            volumes[label.segment.layer],
            found.present[(label.segment.layer, label.segment.number)],
        )
        for label in labels
    ]
    dataset.RTROIObservationsSequence = [
        _observation(n, label) for n, label in enumerate(labels, start=1)
    ]
    modules.add_user_attributes(dataset, job.context, consumed=())
    own = item(SOPInstanceUID=UID(job.uids.make("instance")))
    yield Instance(0, Template(dataset).render(own, None))


def _top_level(job: Job, description: str) -> Dataset:
    given = job.context.given_by_user()
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.take(dataset, job.context, [name for name in _SERIES if name in given])
    modules.take(dataset, job.context, ["SeriesNumber"])
    modules.take(dataset, job.context, [name for name in EQUIPMENT if name in given])
    modules.add_frame_of_reference(dataset, job)
    modules.add_image(dataset, job, _UID)
    made = job.made
    dataset.Modality = "RTSTRUCT"
    modules.set_absent(
        dataset,
        SeriesInstanceUID=job.uids.make("series"),
        SeriesNumber="1",
        SeriesDescription=description or "Structure set",
        OperatorsName=None,
        Manufacturer="imgconv",
        ManufacturerModelName="imgconv",
        SoftwareVersions=__version__,
        StructureSetLabel="SEGMENTS",
        StructureSetDate=made.strftime("%Y%m%d"),
        StructureSetTime=made.strftime("%H%M%S"),
        ApprovalStatus="UNAPPROVED",
        InstanceNumber="1",
    )
    return dataset


def _study(reference: Reference) -> Dataset:
    series = item(
        SeriesInstanceUID=UID(reference.series_instance_uid),
        ContourImageSequence=[
            item(ReferencedSOPClassUID=UID(c), ReferencedSOPInstanceUID=UID(i))
            for c, i in reference.instances
        ],
    )
    return item(
        ReferencedSOPClassUID=UID(_STUDY_CLASS),
        ReferencedSOPInstanceUID=UID(reference.study_instance_uid),
        RTReferencedSeriesSequence=[series],
    )


def _region(label: Label, frame_of_reference_uid: str) -> Dataset:
    segment = label.segment
    region = item(
        ROINumber=label.segment_number,
        ReferencedFrameOfReferenceUID=UID(frame_of_reference_uid),
        ROIName=_text(segment.label),
        ROIGenerationAlgorithm=segment.algorithm_type or None,
    )
    if segment.description:
        region.ROIDescription = segment.description[:1024]
    return region


def _observation(number: int, label: Label) -> Dataset:
    observation = item(
        ObservationNumber=number,
        ReferencedROINumber=label.segment_number,
        RTROIInterpretedType=None,
        ROIInterpreter=None,
    )
    code = label.segment.type
    if code is not None and code != TISSUE:
        observation.RTROIIdentificationCodeSequence = [modules.code(*code)]
    return observation


def _text(text: str) -> str:
    plain = "".join(" " if ord(c) < 32 or c == "\\" else c for c in text)
    return plain.strip()[:_MAX_TEXT]


# --- contours -------------------------------------------------------------------------------------


def _contours(job: Job, label: Label, volume: NDArray[Any], slices: tuple[int, ...]) -> Dataset:
    geometry = job.image.geometry
    if geometry is None:
        raise GeometryError("the image has no geometry")
    origins = geometry.slice_origins(volume.shape[0])
    regions = item(ReferencedROINumber=label.segment_number, ContourSequence=[])
    if label.segment.colour is not None:
        regions.ROIDisplayColor = list(label.segment.colour)
    contours = []
    for k in slices:
        source = _source(job, origins[k])
        contours += [
            _contour(geometry, origins[k], polygon, source)
            for polygon in trace_mask(volume[k] == label.segment.number)
        ]
    regions.ContourSequence = contours
    return regions


def _contour(
    geometry: Geometry,
    origin: NDArray[np.float64],
    polygon: NDArray[np.float64],
    source: Plane | None,
) -> Dataset:
    points = np.round(origin + polygon @ geometry.affine[:3, :2].T, _DECIMALS)
    contour = item(
        ContourGeometricType="CLOSED_PLANAR",
        NumberOfContourPoints=len(points),
    )
    # As one text: pydicom takes a hundred times as long to make a number of each part.
    data = "\\".join([format_ds(value) for value in points.ravel().tolist()])
    contour.add(DataElement(_CONTOUR_DATA, "DS", data, already_converted=True))
    if source is not None:
        image = item(
            ReferencedSOPClassUID=UID(source.sop_class_uid),
            ReferencedSOPInstanceUID=UID(source.sop_instance_uid),
        )
        if source.frame:
            image.ReferencedFrameNumber = source.frame
        contour.ContourImageSequence = [image]
    return contour


def _source(job: Job, origin: NDArray[np.float64]) -> Plane | None:
    reference = job.context.reference
    if reference is None or reference.grid is None:
        return None
    return nearest_plane(reference.grid, origin)
