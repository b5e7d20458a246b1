"""Functional groups and dimensions of a Segmentation.

Positions are those of the referenced images where the label map lies on
them, so that viewers find each frame's image by comparing numbers.

Source: PS3.3 A.51.5, C.7.6.16, C.7.6.17, C.8.20.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from imgconv.dicom.attributes import format_ds
from imgconv.dicom.reference import Plane, nearest_plane
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.modules import Job, code
from imgconv.dicom.sops.planes import Planes
from imgconv.dicom.sops.sources import source_item

__all__ = ["Frame", "add_flat_frames", "add_frames", "add_segment_dimensions"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Parameters
    ----------
    k
        Its slice.
    layer, number
        The label in it; both are -1 if the frame has all of them.
    segment_number
        Of the segment in it, 0 if the frame has all of them.
    """

    k: int
    layer: int = -1
    number: int = -1
    segment_number: int = 0


def add_segment_dimensions(
    dataset: Dataset, job: Job, *, by_segment: bool, by_position: bool
) -> None:
    """Add Multi-frame Dimension: the segment, then the position or the place; C.7.6.17."""
    organization = UID(job.uids.make("dimension organization"))
    pointers = [
        ("ImagePositionPatient", "PlanePositionSequence")
        if by_position
        else ("InStackPositionNumber", "FrameContentSequence")
    ]
    if by_segment:
        pointers.insert(0, ("ReferencedSegmentNumber", "SegmentIdentificationSequence"))
    dataset.DimensionOrganizationSequence = [item(DimensionOrganizationUID=organization)]
    dataset.DimensionIndexSequence = [
        item(
            DimensionIndexPointer=Tag(pointer),
            FunctionalGroupPointer=Tag(group),
            DimensionOrganizationUID=organization,
            DimensionDescriptionLabel=pointer,
        )
        for pointer, group in pointers
    ]


def add_frames(dataset: Dataset, job: Job, planes: Planes, frames: Sequence[Frame]) -> None:
    """Add shared and per-frame functional groups, and the number of frames."""
    shared = item(
        PixelMeasuresSequence=[
            item(
                SliceThickness=planes.thickness,
                SpacingBetweenSlices=format_ds(planes.gap),
                PixelSpacing=planes.spacing,
            )
        ],
        PlaneOrientationSequence=[item(ImageOrientationPatient=planes.orientation)],
    )
    dataset.SharedFunctionalGroupsSequence = [shared]
    slices = sorted({frame.k for frame in frames})
    sources = {k: _source(job, planes, k) for k in slices}
    places = {k: place for place, k in enumerate(_by_position(planes, slices), start=1)}
    dataset.PerFrameFunctionalGroupsSequence = [
        _groups(planes, frame, places[frame.k], sources[frame.k]) for frame in frames
    ]
    dataset.NumberOfFrames = len(frames)


def add_flat_frames(
    dataset: Dataset, frames: Sequence[Frame], sources: Mapping[int, Plane]
) -> None:
    """Add the functional groups of frames without a position: they have a place in a stack."""
    dataset.SharedFunctionalGroupsSequence = [Dataset()]
    per_frame = []
    for frame in frames:
        groups = _numbered(frame, frame.k + 1)
        groups.FrameContentSequence[0].StackID = "1"
        groups.FrameContentSequence[0].InStackPositionNumber = frame.k + 1
        if frame.k in sources:
            groups.DerivationImageSequence = [_derivation(sources[frame.k])]
        per_frame.append(groups)
    dataset.PerFrameFunctionalGroupsSequence = per_frame
    dataset.NumberOfFrames = len(frames)


def _by_position(planes: Planes, slices: Iterable[int]) -> list[int]:
    """Return slices in the order of their position along the normal."""
    return sorted(slices, key=lambda k: float(planes.origins[k] @ planes.normal))


def _groups(planes: Planes, frame: Frame, place: int, source: Plane | None) -> Dataset:
    groups = _numbered(frame, place)
    position = planes.position(frame.k)
    if source is not None:
        position = [format_ds(float(value)) for value in source.position]
        groups.DerivationImageSequence = [_derivation(source)]
    groups.PlanePositionSequence = [item(ImagePositionPatient=position)]
    return groups


def _numbered(frame: Frame, place: int) -> Dataset:
    """Return functional groups with a frame's segment and dimension indices."""
    groups = Dataset()
    index = [place]
    if frame.segment_number:
        index.insert(0, frame.segment_number)
        groups.SegmentIdentificationSequence = [item(ReferencedSegmentNumber=frame.segment_number)]
    groups.FrameContentSequence = [item(DimensionIndexValues=index)]
    return groups


def _derivation(source: Plane) -> Dataset:
    referenced = source_item(source)
    referenced.SpatialLocationsPreserved = "YES"
    return item(
        SourceImageSequence=[referenced],
        DerivationCodeSequence=[code("113076", "DCM", "Segmentation")],
    )


def _source(job: Job, planes: Planes, k: int) -> Plane | None:
    reference = job.context.reference
    if reference is None or reference.grid is None:
        return None
    return nearest_plane(reference.grid, planes.origins[k])
