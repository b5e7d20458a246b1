"""Say what kind of frames those of an enhanced object are.

Source
------
PS3.3 C.8.16.1 (Image Type and Frame Type), C.8.16.2 (description of enhanced images)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imgconv.dicom.classic_frames import ClassicFrame
from imgconv.dicom.elements import Item
from imgconv.dicom.enhanced_groups import FrameDescription
from imgconv.dicom.frame_order import FrameOrder
from imgconv.dicom.put import put
from imgconv.standard.elements import find_tag

__all__ = ["describe_frames", "merge_types"]

_IMAGE_TYPE, _SOP_CLASS = 0x00080008, 0x00080016
# Value 3 of classic images that is an image flavor too; C.8.16.1.3.
_FLAVORS = frozenset({
    "ANGIO", "CARDIAC", "CINE", "DIFFUSION", "DYNAMIC", "FLOW_ENCODED", "FMRI", "LOCALIZER",
    "MULTIECHO", "PERFUSION", "PROTON_DENSITY", "REALTIME", "REFERENCE", "STATIC", "STIR", "T1",
    "T2", "TOF", "VELOCITY", "WHOLE_BODY",
})  # fmt: skip
# Words of Image Type -> Volume Based Calculation Technique; C.8.16.2.1.3.
_TECHNIQUES = {
    "MPR": "MPR", "CPR": "CURVED_MPR", "MIP": "MAX_IP", "MAX_IP": "MAX_IP", "MNIP": "MIN_IP",
    "MINIP": "MIN_IP", "MIN_IP": "MIN_IP", "VRT": "VOLUME_RENDER",
}  # fmt: skip
# Words of Image Type -> Complex Image Component; C.8.13.3.1.1.
_COMPONENTS = {
    "M": "MAGNITUDE", "M_FFE": "MAGNITUDE", "M_SE": "MAGNITUDE", "MAGNITUDE": "MAGNITUDE",
    "P": "PHASE", "PHASE": "PHASE", "PHASE MAP": "PHASE", "R": "REAL", "REAL": "REAL",
    "I": "IMAGINARY", "IMAGINARY": "IMAGINARY",
}  # fmt: skip
_ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
_COMPONENT, _CONTRAST = find_tag("ComplexImageComponent") or 0, find_tag("AcquisitionContrast") or 0
_SAID = ("PixelPresentation", "VolumetricProperties", "VolumeBasedCalculationTechnique")
_MIXED = "MIXED"


def describe_frames(
    frames: Sequence[ClassicFrame], order: FrameOrder, sop_class: str
) -> list[FrameDescription]:
    """Describe each frame by the Image Type and the places of the classic images."""
    flavor = "PARALLEL" if order.is_parallel else "NON_PARALLEL"
    if order.is_volume:
        flavor = "VOLUME"
    return [_describe(frame.root, flavor, is_mr=sop_class == _ENHANCED_MR) for frame in frames]


def _describe(root: Item, flavor: str, *, is_mr: bool) -> FrameDescription:
    words = root.texts(_IMAGE_TYPE)
    origin = words[0] if words else ""
    own = words[2] if len(words) > 2 else ""
    techniques = [_TECHNIQUES[word] for word in words if word in _TECHNIQUES]
    flavor = own if own in _FLAVORS else flavor
    values = {
        "FrameType": f"{origin}\\PRIMARY\\{flavor}\\NONE" if origin else "",
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": techniques[0] if techniques else "NONE",
    }
    # Images that were frames once may say it themselves.
    values |= {word: own for word in _SAID if (own := root.text(find_tag(word) or 0))}
    if is_mr:
        components = [_COMPONENTS[word] for word in words if word in _COMPONENTS]
        component = root.text(_COMPONENT) or (components[-1] if components else "")
        values["ComplexImageComponent"] = component
        values["AcquisitionContrast"] = root.text(_CONTRAST) or "UNKNOWN"
    # What is not known is absent, not empty.
    return {keyword: value for keyword, value in values.items() if value}


def merge_types(root: Item, types: Sequence[FrameDescription]) -> None:
    """Say in the data set what the frames are; MIXED where they differ; C.8.16.1."""
    merged: Mapping[str, str] = types[0]
    for keyword in merged:
        found = dict.fromkeys(kind.get(keyword, "") for kind in types)
        value = next(iter(found)) if len(found) == 1 else _MIXED
        if keyword == "FrameType":
            value = _merge_image_type([text.split("\\") for text in found])
            put(root, _IMAGE_TYPE, "CS", value)
        else:
            put(root, find_tag(keyword) or 0, "CS", value)


def _merge_image_type(found: Sequence[Sequence[str]]) -> str:
    """Merge by value: the first and the last may be MIXED, the flavor is the first frame's."""
    origins = {values[0] for values in found}
    origin = found[0][0] if len(origins) == 1 else _MIXED
    return "\\".join((origin, *found[0][1:]))
