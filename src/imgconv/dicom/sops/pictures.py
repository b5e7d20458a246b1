"""What secondary captures and photographs have in common: pixels of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from imgconv.core.image import Image, LazyArray
from imgconv.core.loss import Loss
from imgconv.dicom.sops import modules
from imgconv.dicom.sops.codestreams import Compression, add_compression, find_compression
from imgconv.dicom.sops.encode import Pixels, encapsulate
from imgconv.dicom.sops.samples import Samples

__all__ = ["ALPHA", "Picture", "without_alpha"]

ALPHA = Loss(
    "alpha-channel",
    "the alpha channel, which is not opaque everywhere, would be left out: DICOM has none",
    harmful=True,
)


def without_alpha(image: Image) -> tuple[Image, tuple[Loss, ...]]:
    """Return the image without a fourth sample, and the loss of it."""
    if image.axes[-1] != "c" or image.array.shape[-1] != 4:
        return image, ()
    values = replace(image.values, photometric="RGB")
    array = image.array
    if isinstance(array, LazyArray):
        source = array
        short: Any = LazyArray(
            (*array.shape[:-1], 3), array.dtype, lambda t: source.volume(t)[..., :3]
        )
    else:
        short = np.asarray(array)[..., :3]
    return replace(image, array=short, values=values), (ALPHA,)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """How an image's pictures are stored.

    Parameters
    ----------
    image
        Without alpha.
    samples
        Their stored type, if they are not compressed.
    compression
        Of their own codestreams, None if the samples are stored.
    """

    image: Image
    samples: Samples
    compression: Compression | None

    @classmethod
    def of(cls, image: Image, samples: Samples) -> Picture:
        """Choose between the image's own codestreams and its samples."""
        compression = find_compression(image)
        if compression is not None and compression.bits_stored > samples.bits_allocated:
            compression = None
        return cls(image, samples, compression)

    @property
    def transfer_syntax_uid(self) -> str:
        """The transfer syntax of the files."""
        if self.compression is None:
            return str(ExplicitVRLittleEndian)
        return self.compression.transfer_syntax_uid

    def add_description(self, dataset: Dataset) -> None:
        """Add Image Pixel and what is to say about compression."""
        modules.add_pixel(dataset, self.image, self.samples)
        if self.compression is not None:
            dataset.PhotometricInterpretation = self.compression.photometric
            dataset.BitsStored = self.compression.bits_stored
            dataset.HighBit = self.compression.bits_stored - 1
        add_compression(dataset, self.image, self.compression)

    def pixels(self, first: int, count: int) -> Pixels:
        """Return the pixel data of `count` pictures from `first` on, in the order of frames."""
        if self.compression is not None:
            return Pixels("OB", None, encapsulate(self.image.codestreams[first : first + count]))
        vr = "OB" if self.samples.bits_allocated == 8 else "OW"
        size = self._frame_bytes() * count
        return Pixels(vr, size, self._stored(first, count))

    def _frame_bytes(self) -> int:
        columns, rows, _ = self.image.size_ijk
        colours = self.image.array.shape[-1] if self.image.axes[-1] == "c" else 1
        return columns * rows * colours * self.samples.dtype.itemsize

    def _stored(self, first: int, count: int) -> Iterator[NDArray[Any]]:
        slices = self.image.size_ijk[2]
        for t, volume in enumerate(self.image.iter_volumes()):
            low, high = max(first - t * slices, 0), min(first + count - t * slices, slices)
            if low < high:
                yield self.samples.cast(np.asarray(volume[low:high]))
