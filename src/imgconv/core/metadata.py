"""What is known about an image beside its pixels: DICOM keywords and BIDS fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any

from imgconv.records import record

__all__ = ["Metadata"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@record
class Metadata:
    """Attributes that are *not already applied* to the pixels or the geometry.

    Parameters
    ----------
    shared
        DICOM keyword -> value, the same for the whole image. Values are plain:
        str, int, float, bytes, or tuples of them; dates as in DICOM.
    per_volume
        DICOM keyword -> tuple with one value per volume, in the order of the
        time-like axis. Diffusion: ``DiffusionBValue`` (s/mm2) and
        ``DiffusionGradientOrientation`` (unit 3-vector in LPS patient axes,
        None for b = 0); also ``EchoTime`` (ms), ``FrameReferenceTime`` (ms).
    per_slice
        DICOM keyword -> tuple (per volume) of tuples (per slice).
    bids
        BIDS field name -> JSON value, in BIDS units (seconds). Direction
        letters ``i j k`` and the order of ``SliceTiming`` refer to the axes
        of this image as it is; `core.orient` keeps them right under flips.
    """

    shared: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    per_volume: Mapping[str, tuple[Any, ...]] = field(default_factory=lambda: _NOTHING)
    per_slice: Mapping[str, tuple[tuple[Any, ...], ...]] = field(default_factory=lambda: _NOTHING)
    bids: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
