"""Tell magnitude from phase, real and imaginary part, and field map."""

from __future__ import annotations

from enum import StrEnum

from imgconv.dicom.vendors.facts import Facts
from imgconv.dicom.vendors.ge import Ge
from imgconv.dicom.vendors.identity import Vendor, find_vendor

__all__ = ["Component", "find_component"]


class Component(StrEnum):
    """What part of the complex signal an image shows; values as in (0008,9208) where it has them.

    Source: PS3.3 C.8.13.3.1.1
    """

    MAGNITUDE = "MAGNITUDE"
    PHASE = "PHASE"
    REAL = "REAL"
    IMAGINARY = "IMAGINARY"
    FIELD_MAP_HZ = "FIELDMAPHZ"
    UNKNOWN = ""


_CODED = {
    "MAGNITUDE": Component.MAGNITUDE,
    "PHASE": Component.PHASE,
    "REAL": Component.REAL,
    "IMAGINARY": Component.IMAGINARY,
}
# Third and later values of Image Type, or their parts between underscores
_TOKENS = {
    **_CODED,
    "M": Component.MAGNITUDE,
    "P": Component.PHASE,
    "PHASE MAP": Component.PHASE,
    "R": Component.REAL,
    "I": Component.IMAGINARY,
    "B0 MAP": Component.FIELD_MAP_HZ,
}


def find_component(facts: Facts) -> Component:
    """Return what part of the signal a frame shows; ``UNKNOWN`` if the header does not tell."""
    tokens = image_type_tokens(facts)
    if Component.FIELD_MAP_HZ in (_TOKENS.get(token) for token in tokens):
        return Component.FIELD_MAP_HZ
    coded = _CODED.get(facts.text("ComplexImageComponent"))
    if coded is not None:
        return coded
    if find_vendor(facts) is Vendor.GE:
        ge = Ge(facts)
        if ge.is_field_map:
            return Component.FIELD_MAP_HZ
        return _CODED.get(ge.component, Component.UNKNOWN)
    return next((_TOKENS[token] for token in tokens if token in _TOKENS), Component.UNKNOWN)


def image_type_tokens(facts: Facts) -> tuple[str, ...]:
    """Return the values of Image Type behind the second, split at underscores too."""
    values = (facts.texts("FrameType") or facts.texts("ImageType"))[2:]
    parts = (part for value in values for part in value.split("_"))
    return (*values, *parts)
