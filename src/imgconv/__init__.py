"""imgconv: convert, standardize, validate and transcode medical images.

    import imgconv

    image = imgconv.read_image("scan/")             # any format; image.array, image.geometry
    imgconv.write_image(image, "brain.nii.gz")
    imgconv.convert("scans/", "volumes")            # all of a folder, with sidecars

These names are public and imported on first use, so that `import imgconv`
stays cheap; each is documented where it is defined, and together in
docs/library.md. What is reached by other paths may change between versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from imgconv.core.finding import Finding, Severity
    from imgconv.core.geometry import Geometry
    from imgconv.core.image import Image
    from imgconv.core.loss import Loss
    from imgconv.core.metadata import Metadata
    from imgconv.core.options import ReadOptions, WriteOptions
    from imgconv.core.rescale import to_real
    from imgconv.core.values import ValueMap
    from imgconv.errors import ImgconvError
    from imgconv.formats.interchange import (
        from_highdicom,
        from_nibabel,
        from_simpleitk,
        to_highdicom,
        to_nibabel,
        to_simpleitk,
    )
    from imgconv.ops.convert import ConvertOptions, convert
    from imgconv.ops.images import read_image, read_images, write_image
    from imgconv.ops.inspect import inspect
    from imgconv.ops.standardize import StandardizeOptions, standardize
    from imgconv.ops.transcode import TranscodeOptions, transcode
    from imgconv.ops.validate import ValidateOptions, list_findings, validate

_HOMES = {
    "ConvertOptions": "imgconv.ops.convert",
    "Finding": "imgconv.core.finding",
    "Geometry": "imgconv.core.geometry",
    "Image": "imgconv.core.image",
    "ImgconvError": "imgconv.errors",
    "Loss": "imgconv.core.loss",
    "Metadata": "imgconv.core.metadata",
    "ReadOptions": "imgconv.core.options",
    "Severity": "imgconv.core.finding",
    "StandardizeOptions": "imgconv.ops.standardize",
    "TranscodeOptions": "imgconv.ops.transcode",
    "ValidateOptions": "imgconv.ops.validate",
    "ValueMap": "imgconv.core.values",
    "WriteOptions": "imgconv.core.options",
    "convert": "imgconv.ops.convert",
    "from_highdicom": "imgconv.formats.interchange",
    "from_nibabel": "imgconv.formats.interchange",
    "from_simpleitk": "imgconv.formats.interchange",
    "inspect": "imgconv.ops.inspect",
    "list_findings": "imgconv.ops.validate",
    "read_image": "imgconv.ops.images",
    "read_images": "imgconv.ops.images",
    "standardize": "imgconv.ops.standardize",
    "to_highdicom": "imgconv.formats.interchange",
    "to_nibabel": "imgconv.formats.interchange",
    "to_real": "imgconv.core.rescale",
    "to_simpleitk": "imgconv.formats.interchange",
    "transcode": "imgconv.ops.transcode",
    "validate": "imgconv.ops.validate",
    "write_image": "imgconv.ops.images",
}

__all__ = [
    "ConvertOptions",
    "Finding",
    "Geometry",
    "Image",
    "ImgconvError",
    "Loss",
    "Metadata",
    "ReadOptions",
    "Severity",
    "StandardizeOptions",
    "TranscodeOptions",
    "ValidateOptions",
    "ValueMap",
    "WriteOptions",
    "__version__",
    "convert",
    "from_highdicom",
    "from_nibabel",
    "from_simpleitk",
    "inspect",
    "list_findings",
    "read_image",
    "read_images",
    "standardize",
    "to_highdicom",
    "to_nibabel",
    "to_real",
    "to_simpleitk",
    "transcode",
    "validate",
    "write_image",
]


def __getattr__(name: str) -> Any:  # what it returns depends on the name
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
