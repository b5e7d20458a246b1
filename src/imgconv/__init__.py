"""imgconv: convert, standardize, validate and transcode medical images.

The names below are imported on first use, so that `import imgconv` stays
cheap; each is documented where it is defined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from imgconv.core.geometry import Geometry
    from imgconv.core.image import Image
    from imgconv.core.loss import Loss
    from imgconv.core.metadata import Metadata
    from imgconv.core.values import ValueMap
    from imgconv.errors import ImgconvError

_HOMES = {
    "Geometry": "imgconv.core.geometry",
    "Image": "imgconv.core.image",
    "ImgconvError": "imgconv.errors",
    "Loss": "imgconv.core.loss",
    "Metadata": "imgconv.core.metadata",
    "ValueMap": "imgconv.core.values",
}

__all__ = ["Geometry", "Image", "ImgconvError", "Loss", "Metadata", "ValueMap", "__version__"]


def __getattr__(name: str) -> Any:  # what it returns depends on the name
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
