"""Collect what is known about a planned image beside its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imgconv.core.metadata import Metadata
from imgconv.dicom.bids import bids_fields
from imgconv.dicom.diffusion import find_gradients
from imgconv.dicom.header import Header
from imgconv.dicom.modality import modality_of
from imgconv.dicom.plan import VolumePlan
from imgconv.dicom.vendors.facts import Acquisition
from imgconv.standard.elements import find_keyword

__all__ = ["describe", "image_name"]

# Groups that describe patient, study, acquisition; 0028 is the pixels' own.
_GROUPS = frozenset({0x0008, 0x0010, 0x0018, 0x0020, 0x0032, 0x0040, 0x0054})
# Held by geometry, array and sources, or true of one slice only.
_APPLIED = frozenset(
    {
        "SpecificCharacterSet",
        "SOPInstanceUID",
        "InstanceNumber",
        "InstanceCreationDate",
        "InstanceCreationTime",
        "InstanceCreatorUID",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "SliceLocation",
        "NumberOfSlices",
        "SliceThickness",
        "SpacingBetweenSlices",
        "FrameOfReferenceUID",
        "NumberOfFrames",
        "ImagePosition",
        "ImageOrientation",
        "Location",
        "ImageIndex",
        "PixelSpacing",
    }
)
# Held by geometry, where there is one.
_LENGTHS = ("PixelSpacing", "SpacingBetweenSlices", "SliceThickness")
_PER_VOLUME = (
    "EchoTime",
    "TriggerTime",
    "FrameReferenceTime",
    "ActualFrameDuration",
    "DecayFactor",
    "TemporalPositionIdentifier",
    "AcquisitionTime",
    "InversionTime",
)
_MAX_TEXT = 1024


def describe(plan: VolumePlan) -> Metadata:
    """Return the metadata of an image: shared attributes, per volume values, sidecar fields."""
    acquisition = plan.acquisition
    per_volume = dict(_per_volume(acquisition)) if plan.is_series else {}
    gradients = find_gradients(acquisition)
    if gradients is not None:
        per_volume["DiffusionBValue"] = tuple(each.b_value for each in gradients)
        per_volume["DiffusionGradientOrientation"] = tuple(each.direction for each in gradients)
    shared = {
        keyword: value for keyword, value in _shared(plan).items() if keyword not in per_volume
    }
    bids = bids_fields(acquisition)
    if plan.echo_number is not None and modality_of(plan.header) == "MR":
        bids.setdefault("EchoNumber", plan.echo_number)
    return Metadata(shared=shared, per_volume=per_volume, bids=bids)


def image_name(plan: VolumePlan) -> str:
    """Return a hint for a file name: series number, description, suffixes."""
    header = plan.header
    parts = [
        str(header.get("SeriesNumber", "")),
        str(header.get("SeriesDescription") or header.get("ProtocolName") or ""),
        *plan.suffixes,
    ]
    return "_".join(part for part in parts if part)


def _shared(plan: VolumePlan) -> Mapping[str, Any]:
    """Attributes that the first and the last slice agree on."""
    first = plan.header
    found = _plain(first)
    last = plan.volumes[-1][-1].header
    if last.path != first.path:
        other = _plain(last)
        found = {key: value for key, value in found.items() if other.get(key) == value}
    if plan.geometry is None:
        for keyword in _LENGTHS:
            length = first.get(keyword)
            if length is not None:
                found[keyword] = length
    return found


def _plain(header: Header) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for tag in header.tags():
        if tag >> 16 not in _GROUPS:
            continue
        keyword = find_keyword(tag)
        if keyword is None or keyword in _APPLIED:
            continue
        value = header.get(tag)
        if _is_plain(value):
            found[keyword] = value
    return found


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple):
        return bool(value) and all(_is_plain(part) for part in value)
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= _MAX_TEXT)


def _per_volume(acquisition: Acquisition) -> Mapping[str, tuple[Any, ...]]:
    columns: dict[str, tuple[Any, ...]] = {}
    for keyword in _PER_VOLUME:
        values = tuple(frames[0].get(keyword) for frames in acquisition.frames)
        if len(set(values)) > 1 and None not in values:
            columns[keyword] = values
    return columns
