"""Items of Segment Sequence.

Source: PS3.3 C.8.20.2, C.8.20.4, 10.36 (Segment Description macro).
"""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv.core.lab import rgb_to_lab
from imgconv.dicom import seg_private as private
from imgconv.dicom.segment_codes import TISSUE
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.modules import code
from imgconv.dicom.sops.seg_labels import Label

__all__ = ["background_item", "segment_item"]

_BACKGROUND = ("125040", "DCM", "Background")
_LO, _ST = 64, 1024  # characters; PS3.5 6.2


def segment_item(label: Label) -> Dataset:
    """Return the description of one segment."""
    segment = label.segment
    described = item(
        SegmentNumber=label.segment_number,
        SegmentLabel=_text(segment.label, _LO),
        SegmentedPropertyCategoryCodeSequence=[code(*(segment.category or TISSUE))],
        SegmentedPropertyTypeCodeSequence=[_coded(segment.type or TISSUE, segment.type_modifier)],
        SegmentAlgorithmType=segment.algorithm_type or "AUTOMATIC",
    )
    if segment.description:
        described.SegmentDescription = _text(segment.description, _ST)
    if described.SegmentAlgorithmType != "MANUAL":
        described.SegmentAlgorithmName = _text(segment.algorithm_name, _LO) or "unknown"
    if segment.region is not None:
        region = code(*segment.region)
        if segment.region_modifier is not None:
            region.AnatomicRegionModifierSequence = [code(*segment.region_modifier)]
        described.AnatomicRegionSequence = [region]
    if segment.tracking_id and segment.tracking_uid:
        described.TrackingID = segment.tracking_id
        described.TrackingUID = UID(segment.tracking_uid)
    if segment.colour is not None:
        described.RecommendedDisplayCIELabValue = list(rgb_to_lab(segment.colour))
    if segment.number != label.segment_number or segment.layer:
        block = described.private_block(private.GROUP, private.CREATOR, create=True)
        block.add_new(private.LABEL_NUMBER, "US", segment.number)
        block.add_new(private.LAYER, "US", segment.layer)
    return described


def background_item(like: Dataset) -> Dataset:
    """Return the description of the background of a label map, made as segment `like` was."""
    background = item(
        SegmentNumber=0,
        SegmentLabel="Background",
        SegmentedPropertyCategoryCodeSequence=[code(*_BACKGROUND)],
        SegmentedPropertyTypeCodeSequence=[code(*_BACKGROUND)],
        SegmentAlgorithmType=like.SegmentAlgorithmType,
    )
    if "SegmentAlgorithmName" in like:
        background.SegmentAlgorithmName = like.SegmentAlgorithmName
    return background


def _coded(value: tuple[str, str, str], modifier: tuple[str, str, str] | None) -> Dataset:
    coded = code(*value)
    if modifier is not None:
        coded.SegmentedPropertyTypeModifierCodeSequence = [code(*modifier)]
    return coded


def _text(text: str, limit: int) -> str:
    """Return what a VR of one line holds: no control characters, no backslash, so many letters."""
    plain = "".join(" " if ord(c) < 32 or c == "\\" else c for c in text)
    return plain.strip()[:limit]
