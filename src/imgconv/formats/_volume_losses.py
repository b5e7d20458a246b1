"""What plain volume formats (MetaImage, NumPy) cannot hold of an image."""

from __future__ import annotations

from imgconv.core.image import Image
from imgconv.core.loss import Loss

__all__ = ["volume_losses"]


def volume_losses(image: Image, *, affine: bool = True) -> tuple[Loss, ...]:
    """Return the losses of a format that holds samples and, maybe, one affine.

    Parameters
    ----------
    affine
        Whether the format holds the affine.
    """
    geometry, values = image.geometry, image.values
    found = [
        (
            affine and geometry is not None and geometry.slice_positions is not None,
            Loss("uneven-slice-spacing", "the slices are not evenly spaced, an affine is", True),
        ),
        (
            affine and geometry is None,
            Loss("no-geometry", "the position in the patient is unknown", False),
        ),
        (
            not affine and geometry is not None,
            Loss("geometry", "the position in the patient is not kept", False),
        ),
        (
            values.photometric == "MONOCHROME1",
            Loss("photometric", "nothing tells that low values are bright (MONOCHROME1)", False),
        ),
        (
            bool(image.segments),
            Loss("segments", "names, codes and colours of labels go to a table beside it", False),
        ),
        (
            "DiffusionBValue" in image.metadata.per_volume,
            Loss("gradients", "b-values and gradient directions are not kept", False),
        ),
        (
            values.padding is not None,
            Loss("padding", "nothing tells which value marks pixels outside the image", False),
        ),
    ]
    return tuple(loss for applies, loss in found if applies)
