"""Read the headers of JPEG, JPEG-LS and JPEG 2000 codestreams, without decoding.

A decoder is given a stream only after its header agrees with the data set:
so a hostile stream cannot make it allocate more than the data set declares.

Source
------
ISO/IEC 10918-1 Annex B (JPEG); ISO/IEC 14495-1 Annex C (JPEG-LS);
ISO/IEC 15444-1 Annexes A and I (JPEG 2000 codestream, JP2 boxes);
ISO/IEC 15444-15 (CAP marker of HTJ2K)
"""

from __future__ import annotations

import re

from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = [
    "StreamHeader",
    "find_codestream",
    "has_jpegxl_frames",
    "parse_header_of",
    "parse_jpeg2000_header",
    "parse_jpeg_header",
    "parse_jpegxl_size",
]

_SOI = b"\xff\xd8"
_SOC_SIZ = b"\xff\x4f\xff\x51"
# Neither stuffed zeros nor fill bytes, nor TEM or RSTn, which no length follows.
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]", re.DOTALL)
_FRAMES = {0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7}
_MAX_MARKERS = 1000  # before the first scan; real streams have fewer than 30


@record
class StreamHeader:
    """What a codestream says of itself.

    Parameters
    ----------
    process
        The start-of-frame marker's low byte for JPEG (``0xC0`` baseline,
        ``0xC3`` lossless ...) and JPEG-LS (``0xF7``); 0 for JPEG 2000.
    precision
        Bits of a sample, the largest of all components.
    signed
        Only JPEG 2000 can say so.
    subsampled
        Components differ in their sampling.
    transform
        A colour transform is named: JPEG's Adobe marker (0 none, 1 YCbCr),
        JPEG 2000's multiple component transform; None if nothing is said.
    high_throughput
        JPEG 2000 Part 15 (HTJ2K).
    reversible
        JPEG 2000: the 5/3 wavelet. JPEG: a lossless process. JPEG-LS: NEAR is 0.
    predictor
        Selection value of lossless JPEG, else 0.
    near
        NEAR of JPEG-LS, else 0.
    is_jfif
        JPEG: there is a JFIF marker.
    component_ids
        JPEG: the number of each component.
    block_pixels
        JPEG 2000: pixels of the smallest code block or precinct; 0 if not found.
    """

    rows: int
    columns: int
    samples_per_pixel: int
    precision: int
    process: int = 0
    signed: bool = False
    subsampled: bool = False
    transform: int | None = None
    high_throughput: bool = False
    reversible: bool = False
    predictor: int = 0
    near: int = 0
    is_jfif: bool = False
    component_ids: bytes = b""
    block_pixels: int = 0

    @property
    def is_ycbcr(self) -> bool | None:
        """Whether a JPEG stream says that its components are YCbCr; None if it does not say.

        Adobe's marker is explicit; JFIF allows nothing but YCbCr; letters as
        component numbers are a custom of RGB writers; chroma is what is subsampled.
        """
        if self.samples_per_pixel != 3:
            return None
        if self.transform is not None:
            return self.transform == 1
        if self.component_ids == b"RGB":
            return False
        return True if self.is_jfif or self.subsampled else None


def parse_jpeg_header(data: bytes) -> StreamHeader:
    """Read a JPEG or JPEG-LS stream up to its first scan.

    Raises
    ------
    CorruptData
        It is none, or ends before the first scan's header.
    """
    if data[:2] != _SOI:
        raise CorruptData(f"no JPEG stream: it begins with `{data[:4].hex()}`; expected `ffd8`")
    frame: tuple[int, bytes] | None = None
    adobe: int | None = None
    is_jfif = False
    for marker, body in _iter_segments(data):
        if marker in _FRAMES and frame is None:
            frame = (marker, body)
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            adobe = body[11]
        elif marker == 0xE0 and body[:4] == b"JFIF":
            is_jfif = True
        elif marker == 0xDA:
            return _jpeg_header(frame, body, adobe, is_jfif=is_jfif)
    raise CorruptData("a JPEG stream ends before its first scan")


def _iter_segments(data: bytes) -> list[tuple[int, bytes]]:
    """All marker segments up to the first scan's header, which is included."""
    found: list[tuple[int, bytes]] = []
    position = 2
    while len(found) < _MAX_MARKERS:
        next_marker = _MARKER.search(data, position)
        if next_marker is None or next_marker.end() + 2 > len(data):
            break
        start = next_marker.end() - 2
        marker = data[start + 1]
        length = int.from_bytes(data[start + 2 : start + 4], "big")
        if length < 2 or start + 2 + length > len(data):
            break
        found.append((marker, data[start + 4 : start + 2 + length]))
        if marker == 0xDA:
            break
        position = start + 2 + length
    return found


def _jpeg_header(
    frame: tuple[int, bytes] | None, scan: bytes, adobe: int | None, *, is_jfif: bool
) -> StreamHeader:
    if frame is None or len(frame[1]) < 6 or len(frame[1]) < 6 + 3 * frame[1][5] or len(scan) < 4:
        raise CorruptData("a JPEG stream has no whole frame header before its first scan")
    process, body = frame
    components = body[5]
    sampling = {body[7 + 3 * n] for n in range(components)}
    is_ls = process == 0xF7
    is_lossless = process in (0xC3, 0xC7, 0xCB, 0xCF)
    start = scan[-3]  # Ss: NEAR of JPEG-LS, predictor of lossless JPEG
    return StreamHeader(
        rows=int.from_bytes(body[1:3], "big"),
        columns=int.from_bytes(body[3:5], "big"),
        samples_per_pixel=components,
        precision=body[0],
        process=process,
        subsampled=len(sampling) > 1,
        transform=adobe,
        reversible=is_lossless or (is_ls and start == 0),
        predictor=start if is_lossless else 0,
        near=start if is_ls else 0,
        is_jfif=is_jfif,
        component_ids=body[6 : 6 + 3 * components : 3],
    )


def find_codestream(data: bytes) -> int:
    """Return where the JPEG 2000 codestream begins: 0, or behind the boxes of JP2.

    Raises
    ------
    CorruptData
        There is none.
    """
    if data[:4] == _SOC_SIZ:
        return 0
    if data[4:8] == b"jP  ":
        found = data.find(_SOC_SIZ, 8)
        if found > 0:
            return found
    raise CorruptData(f"no JPEG 2000 codestream: it begins with `{data[:4].hex()}`")


def parse_jpeg2000_header(data: bytes) -> StreamHeader:
    """Read the main header of a JPEG 2000 or HTJ2K codestream, JP2 boxes skipped.

    Raises
    ------
    CorruptData
        It is none, or ends too early.
    """
    start = find_codestream(data)
    body = data[start + 6 : start + 6 + 38]
    components = int.from_bytes(body[34:36], "big")
    sizes = data[start + 42 : start + 42 + 3 * components]
    if not components or len(sizes) < 3 * components:
        raise CorruptData("a JPEG 2000 codestream ends within its header")
    word = [int.from_bytes(body[n : n + 4], "big") for n in range(2, 18, 4)]
    depths = sizes[0::3]
    cod = _find_coding_style(data, start)
    return StreamHeader(
        rows=word[1] - word[3],
        columns=word[0] - word[2],
        samples_per_pixel=components,
        precision=max((depth & 0x7F) + 1 for depth in depths),
        signed=bool(depths[0] & 0x80),
        subsampled=any(size != 1 for n, size in enumerate(sizes) if n % 3),
        transform=cod[6] if len(cod) > 11 else None,
        high_throughput=bool(int.from_bytes(body[0:2], "big") & 0x4000),
        reversible=len(cod) > 11 and cod[11] == 1,
        block_pixels=_block_pixels(cod) if len(cod) > 11 else 0,
    )


def _block_pixels(cod: bytes) -> int:
    """Return the pixels of the smallest code block or precinct; A.6.1, tables A.18, A.21."""
    exponents = [(cod[8] & 15) + (cod[9] & 15) + 4]
    if cod[2] & 1:
        exponents += [(size & 15) + (size >> 4) for size in cod[12:]]
    return 1 << min(exponents)


def _find_coding_style(data: bytes, start: int) -> bytes:
    """Return the COD segment from its length on, ``Lcod Scod SGcod SPcod``; empty if not found."""
    position = start + 2
    for _ in range(_MAX_MARKERS):
        marker, length = data[position : position + 2], data[position + 2 : position + 4]
        if len(length) < 2 or marker[0] != 0xFF or marker == b"\xff\x90":
            break
        size = int.from_bytes(length, "big")
        if marker == b"\xff\x52":
            return data[position + 2 : position + 2 + size]
        position += 2 + size
    return b""


def parse_header_of(family: str, data: bytes) -> StreamHeader | None:
    """Read the header of a codec family's stream; None if the family has none, or it is damaged."""
    parse = _PARSERS.get(family)
    if parse is None:
        return None
    try:
        return parse(data)
    except CorruptData:
        return None


_PARSERS = {
    "jpeg": parse_jpeg_header,
    "jpeg-lossless": parse_jpeg_header,
    "jpeg-ls": parse_jpeg_header,
    "jpeg2000": parse_jpeg2000_header,
    "htj2k": parse_jpeg2000_header,
}


def parse_jpegxl_size(data: bytes) -> tuple[int, int]:
    """Return rows and columns of a JPEG XL codestream, in a container or not.

    Raises
    ------
    CorruptData
        It is none.

    Source
    ------
    ISO/IEC 18181-1 (SizeHeader), 18181-2 (boxes)
    """
    return _jpegxl_size(_Bits(_jpegxl_codestream(data)[2:]))


def has_jpegxl_frames(data: bytes) -> bool:
    """Whether a JPEG XL codestream is an animation, or has a preview: more than one image.

    Raises
    ------
    CorruptData
        It is none.

    Source
    ------
    ISO/IEC 18181-1 (ImageMetadata)
    """
    bits = _Bits(_jpegxl_codestream(data)[2:])
    _jpegxl_size(bits)
    if bits.take(1) or not bits.take(1):  # all_default, extra_fields
        return False
    bits.take(3)  # orientation
    if bits.take(1):
        _jpegxl_size(bits)  # intrinsic size
    return bool(bits.take(2))  # have_preview, have_animation


def _jpegxl_size(bits: _Bits) -> tuple[int, int]:
    is_small = bits.take(1)
    rows = (bits.take(5) + 1) * 8 if is_small else _jpegxl_length(bits)
    ratio = bits.take(3)
    if ratio:
        over, under = _JPEGXL_RATIOS[ratio - 1]
        return rows, rows * over // under
    return rows, (bits.take(5) + 1) * 8 if is_small else _jpegxl_length(bits)


_JPEGXL_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_JPEGXL_BITS = (9, 13, 18, 30)


class _Bits:
    """Reads bits from the lowest of the first byte on; zeros after the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        taken = self._value & ((1 << count) - 1)
        self._value >>= count
        return taken


def _jpegxl_length(bits: _Bits) -> int:
    return bits.take(_JPEGXL_BITS[bits.take(2)]) + 1


def _jpegxl_codestream(data: bytes) -> bytes:
    """Return the head of the codestream: `data` itself, or the first codestream box."""
    if data[:2] == b"\xff\x0a":
        return data[:32]
    position = 0
    for _ in range(_MAX_MARKERS):
        size, kind = (
            int.from_bytes(data[position : position + 4], "big"),
            data[position + 4 : position + 8],
        )
        head = 8
        if size == 1:
            size, head = int.from_bytes(data[position + 8 : position + 16], "big"), 16
        if kind in (b"jxlc", b"jxlp"):
            skipped = head + 4 * (kind == b"jxlp")  # a partial box begins with its number
            found = data[position + skipped : position + skipped + 32]
            if found[:2] == b"\xff\x0a":
                return found
        if size < head or not kind:
            break
        position += size
    raise CorruptData(f"no JPEG XL stream: it begins with `{data[:4].hex()}`")
