"""References of a derived object to the images that it was made from.

Source: PS3.3 C.7.6.1, C.7.6.16.2.6, C.12.2.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv.dicom.reference import Plane, Reference
from imgconv.dicom.sops.modules import code

__all__ = ["add_common_references", "source_item"]


def _purpose() -> Dataset:
    return code("121322", "DCM", "Source image for image processing operation")


def source_item(plane: Plane) -> Dataset:
    """Return an item of Source Image Sequence."""
    item = Dataset()
    item.ReferencedSOPClassUID = UID(plane.sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(plane.sop_instance_uid)
    if plane.frame:
        item.ReferencedFrameNumber = plane.frame
    item.PurposeOfReferenceCodeSequence = [_purpose()]
    return item


def add_common_references(
    dataset: Dataset, reference: Reference, instances: Iterable[tuple[str, str]]
) -> None:
    """Add Common Instance Reference for a reference of the same study; C.12.2."""
    series = Dataset()
    series.SeriesInstanceUID = UID(reference.series_instance_uid)
    series.ReferencedInstanceSequence = [_instance_item(*uids) for uids in instances]
    if series.ReferencedInstanceSequence:
        dataset.ReferencedSeriesSequence = [series]


def _instance_item(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = UID(sop_class_uid)
    item.ReferencedSOPInstanceUID = UID(sop_instance_uid)
    return item
