"""Functional groups and dimensions of multi-frame objects.

Frames are stored volume by volume, slice by slice. The dimensions are the
temporal position (of 4D images) and the position in the stack.

Source: PS3.3 C.7.6.16, C.7.6.17.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from imgconv.dicom.reference import Plane, nearest_plane
from imgconv.dicom.sops.anatomy import anatomic_region
from imgconv.dicom.sops.modules import Job, code
from imgconv.dicom.sops.planes import Planes
from imgconv.dicom.sops.sources import add_common_references, source_item

__all__ = ["Extra", "add_dimensions", "add_groups", "add_multi_frame", "frame_anatomy", "item"]

# Adds groups of an object to the shared item (None), or to the item of a frame of volume t.
Extra = Callable[[Dataset, int | None], None]

_STACK_POSITION = Tag("InStackPositionNumber")
_TEMPORAL_INDEX = Tag("TemporalPositionIndex")
_FRAME_CONTENT = Tag("FrameContentSequence")


def item(**values: Any) -> Dataset:
    """Return a data set of keywords and values."""
    dataset = Dataset()
    for name, value in values.items():
        setattr(dataset, name, value)
    return dataset


def add_multi_frame(dataset: Dataset, job: Job) -> None:
    """Add what every multi-frame object with functional groups has; C.7.6.16."""
    dataset.NumberOfFrames = job.image.volume_count * job.image.size_ijk[2]
    dataset.InstanceNumber = 1
    # The date of the content is the acquisition's where it is known.
    context = job.context
    made = job.made
    dataset.ContentDate = (
        context.text("ContentDate") or context.text("AcquisitionDate") or (made.strftime("%Y%m%d"))
    )
    dataset.ContentTime = (
        context.text("ContentTime") or context.text("AcquisitionTime") or (made.strftime("%H%M%S"))
    )


def add_dimensions(dataset: Dataset, job: Job) -> None:
    """Add Multi-frame Dimension; C.7.6.17."""
    organization = UID(job.uids.make("dimension organization"))
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=organization)]
    pointers = [_STACK_POSITION]
    if job.image.volume_count > 1:
        pointers.insert(0, _TEMPORAL_INDEX)
    dataset.DimensionIndexSequence = [
        item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=pointer,
            FunctionalGroupPointer=_FRAME_CONTENT,
        )
        for pointer in pointers
    ]


def frame_anatomy(job: Job) -> Dataset:
    """Return the item of Frame Anatomy; C.7.6.16.2.8."""
    laterality = job.context.text("Laterality", "U")
    return item(
        AnatomicRegionSequence=[anatomic_region(job.context)],
        FrameLaterality=laterality if laterality in ("L", "R") else "U",
    )


def add_groups(
    dataset: Dataset,
    job: Job,
    planes: Planes,
    extra: Extra,
    *,
    content: bool = True,
    evidence: bool = False,
) -> None:
    """Add the shared and the per-frame functional groups.

    Parameters
    ----------
    extra
        Adds those that the object has beside position, orientation, measures,
        content and references.
    content
        Whether frames have their index values, and refer to their sources.
    evidence
        Whether the object has Source Image Evidence too, as Enhanced CT and MR; C.8.13.2.
    """
    measures = item(SliceThickness=planes.thickness, PixelSpacing=planes.spacing)
    if planes.spacing_between:
        measures.SpacingBetweenSlices = planes.spacing_between
    shared = item(
        PixelMeasuresSequence=[measures],
        PlaneOrientationSequence=[item(ImageOrientationPatient=planes.orientation)],
    )
    extra(shared, None)
    dataset.SharedFunctionalGroupsSequence = [shared]
    sources = [_source(job, planes, k) for k in range(job.image.size_ijk[2])]
    frames = []
    for t in range(job.image.volume_count):
        for k, source in enumerate(sources):
            frame = item(PlanePositionSequence=[item(ImagePositionPatient=planes.position(k))])
            if content:
                _add_content(frame, job, source, t, k)
            extra(frame, t)
            frames.append(frame)
    dataset.PerFrameFunctionalGroupsSequence = frames
    if content:
        _add_references(dataset, job, sources, evidence=evidence)


def _add_content(frame: Dataset, job: Job, source: Plane | None, t: int, k: int) -> None:
    content = item(StackID="1", InStackPositionNumber=k + 1, DimensionIndexValues=[k + 1])
    if job.image.volume_count > 1:
        content.TemporalPositionIndex = t + 1
        content.DimensionIndexValues = [t + 1, k + 1]
    frame.FrameContentSequence = [content]
    if source is not None:
        frame.DerivationImageSequence = [_derivation(source)]


def _derivation(source: Plane) -> Dataset:
    return item(
        SourceImageSequence=[source_item(source)],
        DerivationCodeSequence=[code("113091", "DCM", "Pixel by pixel calculation")],
        DerivationDescription="Conversion to another format and back",
    )


def _source(job: Job, planes: Planes, k: int) -> Plane | None:
    reference = job.context.reference
    if reference is None or reference.grid is None:
        return None
    return nearest_plane(reference.grid, np.asarray(planes.origins[k]))


def _add_references(
    dataset: Dataset, job: Job, sources: list[Plane | None], *, evidence: bool
) -> None:
    """Add Common Instance Reference, and Source Image Evidence; C.12.2, C.8.13.2.1.3."""
    reference = job.context.reference
    used = dict.fromkeys(
        (plane.sop_class_uid, plane.sop_instance_uid) for plane in sources if plane is not None
    )
    if reference is None or not used:
        return
    add_common_references(dataset, reference, used)
    if not evidence:
        return
    study = item(
        StudyInstanceUID=UID(reference.study_instance_uid),
        ReferencedSeriesSequence=[
            item(
                SeriesInstanceUID=UID(reference.series_instance_uid),
                ReferencedSOPSequence=[
                    item(ReferencedSOPClassUID=UID(c), ReferencedSOPInstanceUID=UID(i))
                    for c, i in used
                ],
            )
        ],
    )
    dataset.SourceImageEvidenceSequence = [study]
