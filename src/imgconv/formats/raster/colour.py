"""Convert CMYK pictures to sRGB, and say how well that could be done."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.loss import Loss

__all__ = ["cmyk_to_rgb"]

_BY_PROFILE = Loss(
    "cmyk-converted", "CMYK is converted to sRGB through its ICC profile", harmful=False
)
_BY_FORMULA = Loss(
    "cmyk-approximated",
    "CMYK without an ICC profile is converted to RGB by approximation",
    harmful=True,
)


def cmyk_to_rgb(samples: NDArray[Any], icc_profile: bytes) -> tuple[NDArray[np.uint8], Loss]:
    """Return sRGB samples and how they were made.

    Parameters
    ----------
    samples
        ``(j, i, 4)`` uint8, 255 is full ink.
    icc_profile
        Of the picture; empty or unusable means the formula
        ``(1 - ink)(1 - black)``.
    """
    from PIL import Image as PillowImage
    from PIL import ImageCms

    if icc_profile:
        try:
            rgb = ImageCms.profileToProfile(
                PillowImage.fromarray(samples, "CMYK"),
                ImageCms.ImageCmsProfile(io.BytesIO(icc_profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
            return np.array(rgb), _BY_PROFILE
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an unusable profile is as good as none, and the loss says so
    inks = 255 - samples.astype(np.uint32)
    product = inks[..., :3] * inks[..., 3:]
    return ((product + 127) // 255).astype(np.uint8), _BY_FORMULA
