"""Bytes of a DICOM file, the costly part of them made once per series.

`Template` encodes what all instances of a series share; `Template.render`
adds what differs and yields the file's parts. Explicit VR Little Endian, or
any encapsulated syntax, which encodes data sets in the same way.

Source: PS3.5 7.1.2, A.4; PS3.10 7.1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import correct_ambiguous_vr, write_data_element
from pydicom.uid import ExplicitVRLittleEndian

from imgconv import __version__
from imgconv.dicom.uids import IMPLEMENTATION_CLASS_UID
from imgconv.errors import UnsupportedData, UsageError

__all__ = ["PIXEL_TAGS", "Pixels", "Template", "encapsulate", "encode_elements", "encode_text"]

# The element that holds the samples, by what they are; PS3.3 C.7.6.3, C.7.6.24, C.7.6.25.
PIXEL_TAGS = {
    "OB": 0x7FE00010,
    "OW": 0x7FE00010,
    "OF": 0x7FE00008,
    "OD": 0x7FE00009,
}
_MAX_LENGTH = 0xFFFFFFFE  # PS3.5 7.1.1: a 32-bit length, 0xFFFFFFFF is undefined
_VERSION_NAME = f"IMGCONV_{__version__}"[:16]  # SH; PS3.10 7.1
_ITEM = struct.Struct("<HHL")
# pydicom wraps what struct and codecs raise in OSError.
_ENCODING_ERRORS = (ValueError, TypeError, OverflowError, AttributeError, struct.error, OSError)
_SHORT = struct.Struct("<HH2sH")
_SOP_INSTANCE_UID = 0x00080018
_MEDIA_STORAGE_UID = 0x00020003


class Pixels:
    """The value of a pixel data element: its VR, its length and its parts.

    Parameters
    ----------
    vr
        A key of `PIXEL_TAGS`.
    length
        In bytes, before padding; None for encapsulated data.
    parts
        Arrays or bytes, in the order written.
    """

    def __init__(self, vr: str, length: int | None, parts: Iterable[NDArray[Any] | bytes]) -> None:
        if length is not None and length > _MAX_LENGTH:
            raise UnsupportedData(
                f"one object would need {length} bytes of pixel data; DICOM holds 4 GiB",
                hint="choose a single-frame object: `--as ct`, `--as mr`",
            )
        self.vr = vr
        self.length = length
        self.parts = parts

    def __iter__(self) -> Iterator[bytes | memoryview]:
        """Yield the element: head, samples in little endian, padding."""
        tag = PIXEL_TAGS[self.vr]
        length = 0xFFFFFFFF if self.length is None else self.length + (self.length & 1)
        yield struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, self.vr.encode(), 0, length)
        for part in self.parts:
            yield part if isinstance(part, bytes) else _to_bytes(part)
        if self.length is not None and self.length & 1:
            yield b"\0"


def _to_bytes(array: NDArray[Any]) -> memoryview:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


def encapsulate(frames: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the parts of encapsulated pixel data: one fragment per frame, a basic offset table."""
    padded = [frame + b"\0" if len(frame) & 1 else frame for frame in frames]
    offsets, at = [], 0
    for frame in padded:
        offsets.append(at)
        at += 8 + len(frame)
    if at > 0xFFFFFFFF:
        offsets = []  # PS3.5 A.4: an empty table is legal, a wrapped one is not
    yield _ITEM.pack(0xFFFE, 0xE000, 4 * len(offsets))
    yield struct.pack(f"<{len(offsets)}L", *offsets)
    for frame in padded:
        yield _ITEM.pack(0xFFFE, 0xE000, len(frame))
        yield frame
    yield _ITEM.pack(0xFFFE, 0xE0DD, 0)


def encode_elements(dataset: Dataset) -> list[tuple[int, bytes]]:
    """Return (tag, bytes) of each top-level element, in the order of the tags.

    Raises
    ------
    UsageError
        A value cannot be encoded; the attribute is named.
    """
    correct_ambiguous_vr(dataset, True)
    encoded = []
    for element in dataset:
        buffer = DicomBytesIO()
        buffer.is_little_endian = True
        buffer.is_implicit_VR = False
        try:
            write_data_element(buffer, element, "utf-8")
        except _ENCODING_ERRORS as error:
            raise UsageError(f"the value of `{element.keyword}` cannot be encoded") from error
        encoded.append((int(element.tag), buffer.getvalue()))
    return encoded


def encode_text(tag: int, vr: str, text: str) -> tuple[int, bytes]:
    """Return (tag, bytes) of an element of ASCII text with a 16-bit length, padded; PS3.5 7.1.2.

    The fast way for the few elements that differ from slice to slice.
    """
    value = text.encode("ascii")
    if len(value) & 1:
        value += b"\0" if vr == "UI" else b" "
    return tag, _SHORT.pack(tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


class Template:
    """What the instances of one series share, encoded.

    Parameters
    ----------
    shared
        Without the instance's UID and whatever else differs.
    transfer_syntax_uid
        Explicit VR Little Endian, or an encapsulated one.
    encoded
        Further elements, as `encode_elements` returns them.
    """

    def __init__(
        self,
        shared: Dataset,
        transfer_syntax_uid: str = ExplicitVRLittleEndian,
        encoded: Iterable[tuple[int, bytes]] = (),
    ) -> None:
        shared.SpecificCharacterSet = "ISO_IR 192"
        self._elements = [*encode_elements(shared), *encoded]
        meta = FileMetaDataset()
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID = shared.SOPClassUID
        meta.TransferSyntaxUID = transfer_syntax_uid
        meta.ImplementationClassUID = IMPLEMENTATION_CLASS_UID
        meta.ImplementationVersionName = _VERSION_NAME
        self._meta = encode_elements(meta)

    def render(self, own: Dataset, pixels: Pixels | None) -> Iterator[bytes | memoryview]:
        """Yield the parts of one file.

        Parameters
        ----------
        own
            What only this instance has, its SOP Instance UID among it.
        pixels
            Must be the last element of the data set.
        """
        others = [pair for pair in encode_elements(own) if pair[0] != _SOP_INSTANCE_UID]
        return self.render_elements(str(own.SOPInstanceUID), others, pixels)

    def render_elements(
        self, sop_instance_uid: str, own: list[tuple[int, bytes]], pixels: Pixels | None
    ) -> Iterator[bytes | memoryview]:
        """Yield the parts of one file.

        Parameters
        ----------
        own
            (tag, bytes) of what only this instance has, beside its UID.
        pixels
            Must be the last element of the data set.
        """
        yield self._head(sop_instance_uid)
        mine = [encode_text(_SOP_INSTANCE_UID, "UI", sop_instance_uid), *own]
        replaced = {tag for tag, _ in mine}
        merged = [pair for pair in self._elements if pair[0] not in replaced] + mine
        merged.sort(key=lambda pair: pair[0])
        yield b"".join(data for _, data in merged)
        if pixels is not None:
            yield from pixels

    def _head(self, sop_instance_uid: str) -> bytes:
        """Return preamble and file meta information; PS3.10 7.1."""
        elements = [*self._meta, encode_text(_MEDIA_STORAGE_UID, "UI", sop_instance_uid)]
        body = b"".join(data for _, data in sorted(elements))
        group_length = _SHORT.pack(2, 0, b"UL", 4) + struct.pack("<L", len(body))
        return bytes(128) + b"DICM" + group_length + body
