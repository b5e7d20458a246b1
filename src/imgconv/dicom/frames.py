"""Read single frames of a DICOM file, native or encapsulated, without loading the others.

Native data takes a path that imports neither pydicom nor a codec library.

Source
------
PS3.5 8.1, A.4; PS3.3 C.7.6.3
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.select import decode_frame
from imgconv.codecs.streams import parse_header_of
from imgconv.core.expansion import DEFLATED_FRAMES, FRAMES
from imgconv.dicom.bytesource import Buffer, ByteSource
from imgconv.dicom.fragments import Fragments, group_fragments, scan_fragments
from imgconv.dicom.header import Header
from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.standard.transfer_syntaxes import BY_UID, JPEG_XL_RECOMPRESSION, TransferSyntax

__all__ = ["Attributes", "FrameReader", "pixel_format_of"]

_NO_CHOICE: Mapping[str, str] = {}
# More frames than that are taken for a hostile header: whole slides have some 100,000 tiles.
_MAX_FRAMES = 1 << 24


class FrameReader:
    """The frames of one pixel data element, numbered from 0.

    Parameters
    ----------
    origin
        The file's path, or bytes that `offset` counts from: the whole file in
        memory, or the inflated data set of a deflated one.
    offset
        Of the element's value; for encapsulated data, of its first item's tag.
    length
        Of the value in bytes; None if undefined (encapsulated).
    transfer_syntax_uid
        Of the file.
    pixel_format
        As the data set says.
    frame_count
        Number of Frames, 1 if it is absent.
    vr
        Of the element: big-endian OW data is swapped by words, not by samples.
    extended_offsets, extended_lengths
        The values of (7FE0,0001) and (7FE0,0002), empty if absent.
    choice
        Codec family -> library, see `imgconv.codecs.find_decoder`.

    Raises
    ------
    CorruptData
        The number of frames is none, or the transfer syntax and the length
        contradict each other.
    UnsupportedData
        The transfer syntax holds no still frames.
    """

    def __init__(
        self,
        origin: Path | Buffer,
        *,
        offset: int,
        length: int | None,
        transfer_syntax_uid: str,
        pixel_format: PixelFormat,
        frame_count: int = 1,
        vr: str = "OW",
        extended_offsets: bytes = b"",
        extended_lengths: bytes = b"",
        choice: Mapping[str, str] = _NO_CHOICE,
    ) -> None:
        if not 1 <= frame_count <= _MAX_FRAMES:
            raise CorruptData(f"Number of Frames is `{frame_count}`; expected 1 to {_MAX_FRAMES}")
        self.syntax = _still_syntax(transfer_syntax_uid)
        if self.syntax.encapsulated != (length is None):
            held = "native" if length is not None else "encapsulated"
            raise CorruptData(f"pixel data is {held}; transfer syntax is `{self.syntax.name}`")
        self.transfer_syntax_uid = transfer_syntax_uid
        self.frame_count = frame_count
        self.pixel_format = _layout(pixel_format, length, frame_count)
        self._source = ByteSource(origin)
        self._offset = offset
        self._length = length
        self._vr = vr
        self._extended_offsets = extended_offsets
        self._extended_lengths = extended_lengths
        self._choice = choice
        self._fragments: Fragments | None = None

    @classmethod
    def from_header(
        cls,
        header: Header,
        *,
        origin: Path | Buffer | None = None,
        choice: Mapping[str, str] = _NO_CHOICE,
    ) -> FrameReader:
        """Return the reader of a header's pixel data.

        Parameters
        ----------
        origin
            The file's bytes, for a header that was parsed in memory.

        Raises
        ------
        InputError
            There are no pixel data, or as the class says.
        """
        pixels = header.pixel_data
        if pixels is None:
            raise InputError("there are no pixel data", path=header.path)
        offset = pixels.offset
        if origin is None:
            origin = header.path
            if header.is_deflated:
                origin, offset = header.read_pixel_bytes(), 0
        try:
            return cls(
                origin,
                offset=offset,
                length=None if pixels.encapsulated else pixels.length,
                transfer_syntax_uid=header.transfer_syntax_uid,
                pixel_format=pixel_format_of(header, vr=pixels.vr),
                frame_count=_integer(header, "NumberOfFrames", 1),
                vr=pixels.vr or "OW",
                extended_offsets=header.raw(0x7FE00001) or b"",
                extended_lengths=header.raw(0x7FE00002) or b"",
                choice=choice,
            )
        except InputError as error:
            raise error.with_path(header.path) from error.__cause__

    @property
    def decoded_format(self) -> PixelFormat:
        """The format of what `read` returns.

        Where a JPEG stream says plainly that it is YCbCr (or RGB) and the data
        set says otherwise, the stream is believed; see `contradiction`.
        """
        return self._true_format.decoded

    @property
    def contradiction(self) -> str:
        """How the first frame contradicts the data set's colour space, empty if it does not."""
        declared = self.pixel_format.photometric_interpretation
        true = self._true_format.photometric_interpretation
        if true == declared:
            return ""
        return f"Photometric Interpretation is `{declared}`, but the JPEG stream is {true}"

    @property
    def is_lossy(self) -> bool:
        """Whether the first frame was compressed with loss, as its codestream says."""
        if not self.syntax.lossy:
            return False
        if self.transfer_syntax_uid == JPEG_XL_RECOMPRESSION:  # of lossy streams
            return True
        header = parse_header_of(self.syntax.family, self.raw(0))
        return header is not None and not header.reversible

    @cached_property
    def _true_format(self) -> PixelFormat:
        if self.syntax.family != "jpeg" or self.pixel_format.samples_per_pixel != 3:
            return self.pixel_format
        declared = self.pixel_format.photometric_interpretation
        header = parse_header_of("jpeg", self.raw(0))
        is_ycbcr = None if header is None else header.is_ycbcr
        if is_ycbcr is None or is_ycbcr == declared.startswith("YBR"):
            return self.pixel_format
        name = "YBR_FULL" if is_ycbcr else "RGB"
        return replace(self.pixel_format, photometric_interpretation=name)

    @property
    def fragments(self) -> Fragments:
        """Where the fragments of encapsulated data are; scanned on first use."""
        if self._fragments is None:
            self._fragments = scan_fragments(self._source, self._offset)
        return self._fragments

    @cached_property
    def _frame_ranges(self) -> tuple[tuple[int, int], ...]:
        """Which fragments make up each frame."""
        ranges = group_fragments(
            self.fragments,
            self.frame_count,
            source=self._source,
            family=self.syntax.family,
            extended_offsets=self._extended_offsets,
        )
        self._require_plausible_size()
        return ranges

    def _require_plausible_size(self) -> None:
        decoded = self.pixel_format.array_bytes * self.frame_count
        held = sum(length for _, length in self.fragments.spans)
        allowed = DEFLATED_FRAMES if self.syntax.family == "deflated-frame" else FRAMES
        if not allowed.allows(decoded, held):
            raise UnsupportedData(
                f"`{held}` bytes are said to hold {self.frame_count} frames of "
                f"{self.pixel_format.array_bytes} bytes; they are taken for hostile",
                hint="if they are not, decompress them by another program first",
            )

    def read(self, number: int) -> NDArray[Any]:
        """Decode one frame; see `imgconv.codecs.decode_frame` for what comes back.

        Raises
        ------
        CorruptData
            The frame is missing, truncated or damaged.
        """
        native = self._length is not None and 0 <= number < self.frame_count
        return decode_frame(
            self._native(number) if native else self.raw(number),
            self.transfer_syntax_uid,
            self.pixel_format,
            choice=self._choice,
        )

    def raw(self, number: int) -> bytes:
        """Return one frame's bytes as stored, its fragments joined.

        Frames of one-bit data are shifted to begin at a byte; word-swapped
        big-endian data comes back as bytes in order.

        Raises
        ------
        CorruptData
            The frame is missing or truncated.
        """
        if not 0 <= number < self.frame_count:
            raise CorruptData(f"frame `{number}` of {self.frame_count}")
        if self._length is not None:
            return bytes(self._native(number))
        first, stop = self._frame_ranges[number]
        parts = [self._source.read_exactly(*span) for span in self.fragments.spans[first:stop]]
        return self._trim(parts[0] if len(parts) == 1 else b"".join(parts), number)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Decode all frames in turn."""
        for number in range(self.frame_count):
            yield self.read(number)

    def read_all(self) -> NDArray[Any]:
        """Decode all frames into one array ``(k, j, i)`` or ``(k, j, i, c)``."""
        if self.frame_count == 1:
            return self.read(0)[np.newaxis]
        first = self.read(0)
        whole = np.empty((self.frame_count, *first.shape), first.dtype)
        whole[0] = first
        for number in range(1, self.frame_count):
            whole[number] = self.read(number)
        return whole

    def _trim(self, data: bytes, number: int) -> bytes:
        """Cut the padding off, where the extended table says how long a frame is."""
        lengths = self._extended_lengths
        if len(lengths) != 8 * self.frame_count:
            return data
        length = int.from_bytes(lengths[8 * number : 8 * number + 8], "little")
        return data[:length] if 0 <= len(data) - length <= 1 else data

    def _native(self, number: int) -> bytes | memoryview:
        start_bit = number * self.pixel_format.frame_bits
        stop_bit = start_bit + self.pixel_format.frame_bits
        start, stop = start_bit // 8, (stop_bit + 7) // 8
        if stop > (self._length or 0):
            raise CorruptData(
                f"pixel data has `{self._length}` bytes; frame {number + 1} of "
                f"{self.frame_count} ends at {stop}"
            )
        data = self._stored(start, stop)
        if start_bit % 8:
            bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            data = np.packbits(bits[start_bit % 8 :], bitorder="little").tobytes()
        return data

    def _stored(self, start: int, stop: int) -> bytes | memoryview:
        """Bytes of the value, in order even if it is stored as big-endian words."""
        if (
            not self.syntax.big_endian_pixels
            or self._vr != "OW"
            or self.pixel_format.bits_allocated > 8
        ):
            return self._source.view_exactly(self._offset + start, stop - start)
        first, last = start - start % 2, min(stop + stop % 2, self._length or stop)
        words = self._source.read_exactly(self._offset + first, last - first)
        swapped = np.frombuffer(words[: len(words) & ~1], ">u2").astype("<u2").tobytes()
        return (swapped + words[len(swapped) :])[start - first : stop - first]


def _still_syntax(uid: str) -> TransferSyntax:
    syntax = BY_UID.get(uid)
    if syntax is None:
        raise UnsupportedData(f"transfer syntax `{uid}` is unknown")
    if syntax.family in ("", "video"):
        raise UnsupportedData(f"transfer syntax `{syntax.name}` holds no still frames")
    return syntax


def _layout(pixel_format: PixelFormat, length: int | None, frame_count: int) -> PixelFormat:
    """Return the layout that native bytes really have: some writers call full chroma 4:2:2."""
    if length is None or not pixel_format.is_subsampled:
        return pixel_format
    if length < pixel_format.array_bytes * frame_count:
        return pixel_format
    return replace(pixel_format, photometric_interpretation="YBR_FULL")


class Attributes(Protocol):
    """What has attributes by keyword: a `Header`, a pydicom data set, a mapping."""

    def get(self, keyword: str, /) -> Any:
        """Return a value, None if it is absent."""


def pixel_format_of(attributes: Attributes, *, vr: str = "OW") -> PixelFormat:
    """Return the pixel format that the attributes of a data set describe.

    Parameters
    ----------
    attributes
        Gives values by DICOM keyword.
    vr
        ``OF`` and ``OD`` pixel data is floating point.

    Raises
    ------
    CorruptData
        An attribute that is needed is missing or no number.
    """
    floating = vr in ("OF", "OD")
    samples = _integer(attributes, "SamplesPerPixel", 1)
    allocated = _integer(
        attributes, "BitsAllocated", 64 if vr == "OD" else 32 if floating else None
    )
    return PixelFormat(
        rows=_integer(attributes, "Rows"),
        columns=_integer(attributes, "Columns"),
        samples_per_pixel=samples,
        bits_allocated=allocated,
        bits_stored=_integer(attributes, "BitsStored", allocated),
        high_bit=_integer(attributes, "HighBit", -1)
        if attributes.get("HighBit") is not None
        else None,
        signed=not floating and _integer(attributes, "PixelRepresentation", 0) == 1,
        photometric_interpretation=_name(attributes, "MONOCHROME2" if samples == 1 else "RGB"),
        planar_configuration=_integer(attributes, "PlanarConfiguration", 0),
        floating=floating,
    )


def _name(attributes: Attributes, default: str) -> str:
    value = attributes.get("PhotometricInterpretation")
    text = value if isinstance(value, str) else ""
    return text.strip(" \0") or default


def _integer(attributes: Attributes, keyword: str, default: int | None = None) -> int:
    value = attributes.get(keyword)
    if value is None or value == "":
        if default is None:
            raise CorruptData(f"{keyword} is missing")
        return default
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise CorruptData(f"{keyword} is no single integer") from error
