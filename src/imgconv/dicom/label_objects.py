"""The objects that are no series of slices (labels, documents), and who reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from imgconv.dicom.header import Header
from imgconv.dicom.plan import ObjectPlan

__all__ = ["find_label_reader", "plan_label_object", "referenced_series"]

# SOP class -> who reads it. PS3.4 B.5.
_READERS = {
    "1.2.840.10008.5.1.4.1.1.66.4": "imgconv.dicom.seg_reader:load_segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "imgconv.dicom.seg_reader:load_segmentation",
    "1.2.840.10008.5.1.4.1.1.481.3": "imgconv.dicom.rtstruct_reader:load_structure_set",
    "1.2.840.10008.5.1.4.1.1.104.1": "imgconv.dicom.document_reader:load_document",
}


def find_label_reader(header: Header) -> str:
    """Return ``"module:function"`` that reads a label object, empty if it is none."""
    return _READERS.get(str(header.get("SOPClassUID", "")), "")


def plan_label_object(header: Header, paths: Mapping[str, Sequence[Path]]) -> ObjectPlan:
    """Return the plan of one label object.

    Parameters
    ----------
    paths
        Series Instance UID -> the files of that series among the inputs.
    """
    found = (path for uid in referenced_series(header) for path in paths.get(uid, ()))
    return ObjectPlan(header, find_label_reader(header), tuple(dict.fromkeys(found)))


def referenced_series(header: Header) -> tuple[str, ...]:
    """Return the Series Instance UIDs of the images that an object was drawn on.

    Source: PS3.3 C.12.2 (segmentations), C.8.8.5 (structure sets).
    """
    holders = [*header.items("ReferencedSeriesSequence")]
    for frame in header.items("ReferencedFrameOfReferenceSequence"):
        for study in frame.items("RTReferencedStudySequence"):
            holders += study.items("RTReferencedSeriesSequence")
    uids = (str(holder.get("SeriesInstanceUID", "")) for holder in holders)
    return tuple(dict.fromkeys(uid for uid in uids if uid))
