"""Functional groups and dimensions of a Segmentation.

Positions are those of the referenced images where the label map lies on
them, so that viewers find each frame's image by comparing numbers.

Source: PS3.3 A.51.5, C.7.6.16, C.7.6.17, C.8.20.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID

from imgconv.dicom.attributes import format_ds
from imgconv.dicom.reference import Plane, nearest_plane
from imgconv.dicom.sops.encode import encode_elements
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


def add_frames(
    dataset: Dataset, job: Job, planes: Planes, frames: Sequence[Frame]
) -> tuple[int, bytes]:
    """Add the shared functional groups and the number of frames.

    Returns
    -------
    tuple
        Tag and bytes of the per-frame functional groups, for `encode.Template`: thousands
        of frames repeat the same few items, which are encoded once per slice.
    """
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
    dataset.NumberOfFrames = len(frames)
    slices = sorted({frame.k for frame in frames})
    places = {k: place for place, k in enumerate(_by_position(planes, slices), start=1)}
    parts = {k: _encode_slice(planes, k, _source(job, planes, k)) for k in slices}
    items = [_encode_frame(frame, places[frame.k], *parts[frame.k]) for frame in frames]
    return _PER_FRAME, _sequence(_PER_FRAME, items)


# --- bytes ----------------------------------------------------------------------------------------

_PER_FRAME = 0x52009230
_FRAME_CONTENT, _INDEX_VALUES = 0x00209111, 0x00209157
_IDENTIFICATION, _REFERENCED_SEGMENT = 0x0062000A, 0x0062000B


def _encode_slice(planes: Planes, k: int, source: Plane | None) -> tuple[bytes, bytes]:
    """Return the encoded derivation and position, which all frames of a slice share."""
    derivation = Dataset()
    position = planes.position(k)
    if source is not None:
        position = [format_ds(float(value)) for value in source.position]
        derivation.DerivationImageSequence = [_derivation(source)]
    placed = item(PlanePositionSequence=[item(ImagePositionPatient=position)])
    first, second = (
        b"".join(data for _, data in encode_elements(part)) for part in (derivation, placed)
    )
    return first, second


def _encode_frame(frame: Frame, place: int, derivation: bytes, position: bytes) -> bytes:
    """Return the functional groups of one frame, in the order of their tags."""
    index = (frame.segment_number, place) if frame.segment_number else (place,)
    values = _short(_INDEX_VALUES, b"UL", struct.pack(f"<{len(index)}L", *index))
    parts = [derivation, _sequence(_FRAME_CONTENT, [values]), position]
    if frame.segment_number:
        number = _short(_REFERENCED_SEGMENT, b"US", struct.pack("<H", frame.segment_number))
        parts.append(_sequence(_IDENTIFICATION, [number]))
    return b"".join(parts)


def _short(tag: int, vr: bytes, value: bytes) -> bytes:
    """Return an element with a 16-bit length; PS3.5 7.1.2."""
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def _sequence(tag: int, items: Sequence[bytes]) -> bytes:
    """Return a sequence of items, both of defined length; PS3.5 7.5."""
    body = b"".join(struct.pack("<HHL", 0xFFFE, 0xE000, len(one)) + one for one in items)
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, b"SQ", 0, len(body)) + body


# --- data sets ------------------------------------------------------------------------------------


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
