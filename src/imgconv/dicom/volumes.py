"""Read the pixels of a planned image, one volume at a time.

Native single-frame files are read straight into the array; everything else
goes through `frames.FrameReader`. Unused high bits are masked, palettes and
modality tables applied, YBR becomes RGB, and a rescale that differs from
slice to slice is applied in double precision and rounded to float32.
"""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat, significant
from imgconv.codecs.streams import parse_jpeg_header
from imgconv.dicom.colour import find_palette, ybr_to_rgb
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import Header
from imgconv.dicom.lut import apply_table, find_modality_table
from imgconv.dicom.plan import VolumePlan
from imgconv.dicom.scaling import rescale_of, uniform_rescale
from imgconv.dicom.slices import Slice
from imgconv.dicom.tiles import Tiling, cut_tile
from imgconv.errors import CorruptData, InputError, UnsupportedData, input_error

__all__ = ["VolumeReader"]

_NATIVE_LITTLE = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.98"})
_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
# Colour spaces of retired definitions, none of which is converted to RGB; PS3.3 C.7.6.3.1.2
_RETIRED_COLOURS = frozenset({"HSV", "ARGB", "CMYK", "YBR_PARTIAL_422", "YBR_PARTIAL_420"})
_MEANINGLESS = 2  # Samples per Pixel that no definition has
_BASELINE_PROCESS = 0xC0  # start of frame 0; ISO/IEC 10918-1 B.1.1.3
_END_OF_JPEG = b"\xff\xd9"
# Multi-frame readers kept open for the next volume: they hold offset tables, no pixels.
_OPEN_READERS = 4
# Copying from the system's cache and having memory cleared go in parallel; a few files do not pay.
_THREADS = 2
_THREADED_BYTES = 16 << 20


class VolumeReader:
    """Gives the volumes of a plan as arrays ``(k, j, i)`` or ``(k, j, i, c)``.

    Parameters
    ----------
    plan
        The image.
    max_bytes
        A larger volume is refused; 0 for no limit.

    Raises
    ------
    InputError
        The first frame cannot be decoded, or the volume is too large.
    """

    def __init__(self, plan: VolumePlan, *, max_bytes: int = 0) -> None:
        self._plan = plan
        self._readers: OrderedDict[Path, FrameReader] = OrderedDict()
        first = plan.first
        reader = self._reader(first.header)
        self._format = reader.pixel_format
        self._table = find_modality_table(first.header)
        self._palette = (
            find_palette(first.header)
            if self._format.photometric_interpretation == "PALETTE COLOR"
            else None
        )
        self._is_uniform = uniform_rescale(item for v in plan.volumes for item in v) is not None
        self._direct = (
            first.tile < 0
            and self._table is None
            and self._palette is None
            and self._is_uniform
            and all(_is_direct(item.header, self._format) for v in plan.volumes for item in v)
        )
        sample = self._finish(first, self._samples(first))
        self.dtype = sample.dtype
        self.shape = (len(plan.volumes[0]), *sample.shape)
        self.photometric = _photometric(reader.decoded_format, coloured=sample.ndim == 3)
        size = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        if max_bytes and size > max_bytes:
            raise UnsupportedData(
                f"a volume takes `{size}` bytes; the limit is {max_bytes}", path=first.header.path
            )

    def read(self, number: int) -> NDArray[Any]:
        """Return volume `number`.

        Raises
        ------
        CorruptData
            A frame is missing, truncated or damaged.
        InputError
            A file cannot be read.
        """
        slices = self._plan.volumes[number]
        volume = np.empty(self.shape, self.dtype)
        if self._direct:
            if volume.nbytes < _THREADED_BYTES:
                for item, target in zip(slices, volume, strict=True):
                    self._fill(item, target)
                return volume
            with ThreadPoolExecutor(_THREADS) as pool:
                for _ in pool.map(self._fill, slices, volume):
                    pass
            return volume
        if slices[0].tile >= 0:
            image = self._decode(slices[0])
            tiling = _tiling(slices[0], image)
            for k, item in enumerate(slices):
                volume[k] = self._finish(item, cut_tile(image, tiling, item.tile))
            return volume
        for k, item in enumerate(slices):
            volume[k] = self._finish(item, self._samples(item))
        return volume

    @property
    def is_direct(self) -> bool:
        """Whether files hold what the array holds, so that any slice can be read at any time."""
        return self._direct

    def read_slab(self, first: int, stop: int) -> NDArray[Any]:
        """Return the slices from `first` to before `stop` of the only, direct volume.

        Threads may do it at the same time.

        Raises
        ------
        CorruptData
            A frame is missing or truncated.
        InputError
            A file cannot be read.
        """
        slices = self._plan.volumes[0][first:stop]
        slab = np.empty((len(slices), *self.shape[1:]), self.dtype)
        for item, target in zip(slices, slab, strict=True):
            self._fill(item, target)
        return slab

    def codestreams(self) -> tuple[bytes, ...]:
        """Return the JPEG streams of volume 0 if `read` decodes them and does nothing else.

        Only baseline JPEG whose colours every decoder understands like ours:
        what comes back may be written to a file of its own.
        """
        slices = self._plan.volumes[0]
        pixels = self._format
        if (
            self._table is not None
            or self._palette is not None
            or not self._is_uniform
            or pixels.bits_stored != 8
            or self.photometric == "MONOCHROME1"
            or any(
                item.tile >= 0 or item.header.transfer_syntax_uid != _JPEG_BASELINE
                for item in slices
            )
        ):
            return ()
        streams = tuple(self._whole_stream(item) for item in slices)
        return streams if all(streams) else ()

    def _whole_stream(self, item: Slice) -> bytes:
        """Return a slice's JPEG stream without padding; nothing if its colours are ambiguous."""
        reader = self._reader(item.header)
        data = reader.raw(item.frame)
        data = data[: data.rfind(_END_OF_JPEG) + 2]
        try:
            header = parse_jpeg_header(data)
        except CorruptData:
            return b""
        declared = reader.pixel_format.photometric_interpretation
        is_ambiguous = header.samples_per_pixel == 3 and header.is_ycbcr is None
        # Decoders take what says nothing for YCbCr.
        is_clear = not is_ambiguous or declared.startswith("YBR")
        return data if header.process == _BASELINE_PROCESS and is_clear else b""

    def _fill(self, item: Slice, target: NDArray[Any]) -> None:
        """Read one slice; slice by slice, what is masked needs no second volume in memory."""
        _read_into(item, target)
        kept = significant(target, self._format)
        if kept is not target:
            target[...] = kept

    def _reader(self, header: Header) -> FrameReader:
        reader = self._readers.get(header.path)
        if reader is None:
            reader = FrameReader.from_header(header)
            header.release()
            self._readers[header.path] = reader
            if len(self._readers) > _OPEN_READERS:
                self._readers.popitem(last=False)
        return reader

    def _decode(self, item: Slice) -> NDArray[Any]:
        reader = self._reader(item.header)
        try:
            return significant(reader.read(item.frame), reader.pixel_format)
        except InputError as error:
            raise error.with_path(item.header.path) from error.__cause__

    def _samples(self, item: Slice) -> NDArray[Any]:
        image = self._decode(item)
        return image if item.tile < 0 else cut_tile(image, _tiling(item, image), item.tile)

    def _finish(self, item: Slice, samples: NDArray[Any]) -> NDArray[Any]:
        """Apply what belongs to the samples: tables, colour, a slice's own rescale."""
        if self._palette is not None:
            return self._palette.expand(samples)
        if samples.ndim == 3:
            decoded = self._format.decoded.photometric_interpretation
            return ybr_to_rgb(samples) if decoded.startswith("YBR_FULL") else samples
        if self._table is not None:
            return apply_table(self._table, samples)
        if not self._is_uniform:
            rescale = rescale_of(item)
            scaled = samples * np.float64(rescale.slope) + np.float64(rescale.intercept)
            real: NDArray[Any] = scaled.astype(np.float32)
            return real
        return samples


def _is_direct(header: Header, pixel_format: PixelFormat) -> bool:
    """Whether files hold one frame in exactly the bytes that the array needs."""
    pixels = header.pixel_data
    return (
        pixels is not None
        and header.transfer_syntax_uid in _NATIVE_LITTLE
        and not header.is_deflated
        and pixel_format.samples_per_pixel == 1
        and pixel_format.bits_allocated >= 8
        and pixel_format.dtype.newbyteorder("<") == pixel_format.dtype
    )


def _read_into(item: Slice, target: NDArray[Any]) -> None:
    """Fill one slice of an array from a file, without a copy in between."""
    header, pixels = item.header, item.header.pixel_data
    size = target.nbytes
    start = size * item.frame
    if pixels is None or start + size > min(pixels.length, pixels.available):
        available = 0 if pixels is None else min(pixels.length, pixels.available)
        raise CorruptData(
            f"the pixel data end after `{available}` bytes; expected {start + size}",
            path=header.path,
        )
    view = target.reshape(-1).view(np.uint8).data
    try:
        with header.path.open("rb", buffering=0) as file:
            file.seek(pixels.offset + start)
            while view:
                count = file.readinto(view)
                if not count:
                    raise CorruptData("the file became shorter while it was read", path=header.path)
                view = view[count:]
    except OSError as error:
        raise input_error(error, header.path) from error


def _tiling(item: Slice, image: NDArray[Any]) -> Tiling:
    return Tiling(
        count=item.tile + 1,
        per_row=image.shape[1] // item.columns,
        rows=item.rows,
        columns=item.columns,
    )


def _photometric(decoded: PixelFormat, *, coloured: bool) -> str:
    name = decoded.photometric_interpretation
    if not coloured:
        return name if name == "MONOCHROME1" else "MONOCHROME2"
    if name in _RETIRED_COLOURS or decoded.samples_per_pixel == _MEANINGLESS:
        raise UnsupportedData(
            f"`{decoded.samples_per_pixel}` samples of `{name}` are no colour that is known",
            hint="keep them as they are by `imgconv transcode --to explicit`",
        )
    return "RGB"
