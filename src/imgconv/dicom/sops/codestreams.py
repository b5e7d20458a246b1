"""Which transfer syntax holds a compressed picture's own bytes, and what must be said about it.

Not supported: JPEG processes that DICOM has no transfer syntax for
(progressive, arithmetic), whose pictures are stored decoded; JPEG XL.

Source: PS3.5 8.2.1 to 8.2.4, A.4; PS3.3 C.7.6.1.1.5, C.7.6.3.1.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from imgconv.codecs.streams import StreamHeader, parse_jpeg2000_header, parse_jpeg_header
from imgconv.core.image import Image
from imgconv.dicom.attributes import format_ds
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["Compression", "add_compression", "find_compression", "find_lossy_source"]

_BASE = "1.2.840.10008.1.2.4"
_JPEG = b"\xff\xd8\xff"
_J2K = b"\xff\x4f\xff\x51"
# Processes of lossy JPEG, by the low byte of their start-of-frame marker; ISO/IEC 10918-1 B.1.1.3.
_LOSSY_PROCESSES = frozenset({0xC0, 0xC1, 0xC2, 0xC5, 0xC6, 0xC9, 0xCA, 0xCD, 0xCE})


@dataclass(frozen=True, slots=True)
class Compression:
    """How a codestream is written.

    `method` is the defined term of Lossy Image Compression Method, empty if
    the stream is lossless.
    """

    transfer_syntax_uid: str
    photometric: str
    bits_stored: int
    method: str = ""


def find_compression(image: Image) -> Compression | None:
    """Return how the image's own codestreams can be written; None if they can't, or are none."""
    streams = image.codestreams
    if not streams:
        return None
    found = {_describe(stream) for stream in streams}
    return found.pop() if len(found) == 1 else None


def _describe(stream: bytes) -> Compression | None:
    try:
        if stream.startswith(_JPEG):
            return _describe_jpeg(parse_jpeg_header(stream))
        if stream.startswith(_J2K):
            return _describe_jpeg2000(parse_jpeg2000_header(stream))
    except (CorruptData, UnsupportedData):
        return None
    return None


def _describe_jpeg(header: StreamHeader) -> Compression | None:
    bits = header.precision
    photometric = "MONOCHROME2" if header.samples_per_pixel == 1 else "RGB"
    if header.process == 0xC3:
        suffix = "70" if header.predictor == 1 else "57"
        return Compression(f"{_BASE}.{suffix}", photometric, bits)
    if header.process == 0xF7:
        lossy = header.near > 0
        return Compression(
            f"{_BASE}.{81 if lossy else 80}", photometric, bits, "ISO_14495_1" if lossy else ""
        )
    if header.samples_per_pixel == 3 and header.is_ycbcr is not False:
        # The one value for YCbCr in lossy JPEG, whatever the stream's own sampling; PS3.5 8.2.1.
        photometric = "YBR_FULL_422"
    if header.process == 0xC0 and bits == 8:
        return Compression(f"{_BASE}.50", photometric, bits, "ISO_10918_1")
    if header.process == 0xC1 and bits in (8, 12):
        return Compression(f"{_BASE}.51", photometric, bits, "ISO_10918_1")
    return None


def _describe_jpeg2000(header: StreamHeader) -> Compression | None:
    if header.signed or header.subsampled:
        return None
    photometric = "MONOCHROME2" if header.samples_per_pixel == 1 else "RGB"
    if header.samples_per_pixel == 3 and header.transform:
        photometric = "YBR_RCT" if header.reversible else "YBR_ICT"
    if header.high_throughput:
        suffix, term = ("201", "") if header.reversible else ("203", "ISO_15444_15")
    else:
        suffix, term = ("90", "") if header.reversible else ("91", "ISO_15444_1")
    return Compression(f"{_BASE}.{suffix}", photometric, header.precision, term)


def find_lossy_source(image: Image) -> tuple[str, float] | None:
    """Return method and ratio if a picture's samples were decoded from a lossy JPEG file.

    The loss stays, whatever the samples are stored as; C.7.6.1.1.5.
    """
    if not image.sources:
        return None
    path = image.sources[0].path
    try:
        if not path.is_file():
            return None
        with path.open("rb") as stream:
            head = stream.read(1 << 16)
        if not head.startswith(_JPEG) or parse_jpeg_header(head).process not in _LOSSY_PROCESSES:
            return None
        return "ISO_10918_1", image.array.nbytes / max(1, path.stat().st_size)
    except (OSError, CorruptData, UnsupportedData):
        return None


def add_compression(dataset: Dataset, image: Image, compression: Compression | None) -> None:
    """Add whether, how and how much the pictures were compressed with loss; C.7.6.1.1.5."""
    if compression is not None and compression.method:
        size = sum(len(stream) for stream in image.codestreams)
        found: tuple[str, float] | None = (compression.method, image.array.nbytes / max(1, size))
    elif compression is not None:
        found = None
    else:
        found = find_lossy_source(image)
    if found is None:
        dataset.LossyImageCompression = "00"
        return
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionMethod = found[0]
    dataset.LossyImageCompressionRatio = format_ds(round(found[1], 4))
