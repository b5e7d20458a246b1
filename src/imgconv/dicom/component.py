"""Tell magnitude, phase, real and imaginary images, and derived diffusion images, apart.

Source
------
PS3.3 C.8.13.3.1.2 (Complex Image Component); Philips', Siemens' and GE's
conformance statements for Image Type and private elements
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgconv.dicom.header import Header

__all__ = ["component_of", "isotropic_diffusion"]

Get = Callable[[str], Any]

_COMPONENTS = {"MAGNITUDE": "", "PHASE": "phase", "REAL": "real", "IMAGINARY": "imaginary"}
# Values of Image Type behind the second one
_TYPE_VALUES = {
    "P": "phase",
    "PHASE": "phase",
    "PHASE MAP": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}
# GE (0043,xx2F): image type
_GE_TYPES = {1: "phase", 2: "real", 3: "imaginary"}
_GE_PARAMETERS = "GEMS_PARM_01"
_PHILIPS_IMAGING = "Philips Imaging DD 001"


def component_of(header: Header, get: Get, image_type: tuple[str, ...]) -> str:
    """Return ``phase``, ``real`` or ``imaginary``; empty for magnitude and all else.

    Parameters
    ----------
    header
        The data set.
    get
        Gives an attribute of the frame.
    image_type
        Frame Type, or Image Type.
    """
    stated = get("ComplexImageComponent")
    if isinstance(stated, str) and stated in _COMPONENTS:
        return _COMPONENTS[stated]
    for value in image_type[2:]:
        if value in _TYPE_VALUES:
            return _TYPE_VALUES[value]
    flag = header.private(0x0043, _GE_PARAMETERS, 0x2F, vr="SS")
    return _GE_TYPES.get(flag, "") if isinstance(flag, int) else ""


def isotropic_diffusion(header: Header, get: Get) -> bool:
    """Whether a slice is a diffusion-weighted one without direction: a trace or mean."""
    b_value = get("DiffusionBValue")
    if not isinstance(b_value, int | float) or b_value <= 0:
        return False
    directionality = get("DiffusionDirectionality")
    if directionality is None:
        directionality = header.private(0x2001, _PHILIPS_IMAGING, 0x04, vr="CS")
    direction = get("DiffusionGradientOrientation")
    return directionality in ("ISOTROPIC", "I") or (
        isinstance(direction, tuple) and not any(direction)
    )
