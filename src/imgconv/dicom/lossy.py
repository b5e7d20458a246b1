"""What a data set must say after its pixels were compressed with loss.

Source
------
PS3.3 C.7.6.1.1.5 (Lossy Image Compression, Ratio, Method with history),
C.7.6.1.1.2 (Image Type), C.12.4 (General Reference: derivation, source image);
C.8.16.1 (Frame Type of enhanced objects);
PS3.16 CID 7203 (Image Derivation), CID 7202 (Source Image Purposes of Reference)
"""

from __future__ import annotations

from typing import Protocol

from imgconv.dicom.instance_references import format_item, format_sequence, with_instance
from imgconv.dicom.reencode import format_element
from imgconv.dicom.scan import EXPLICIT_LITTLE, iter_items
from imgconv.dicom.splice import iter_spans
from imgconv.records import record

__all__ = [
    "METHODS",
    "RATIO_PLACEHOLDER",
    "Step",
    "derive_frame_types",
    "describe_lossy",
    "format_ratio",
    "lossy_changes",
    "mark_lossy",
]

# Defined terms of (0028,2114), by codec family; PS3.3 C.7.6.1.1.5.1
METHODS = {
    "jpeg": "ISO_10918_1",
    "jpeg-ls": "ISO_14495_1",
    "jpeg2000": "ISO_15444_1",
    "htj2k": "ISO_15444_15",
    "jpeg-xl": "ISO_18181_1",
}
# The ratio is known when all frames are written: 16 bytes, a DS's greatest length, are kept for it.
RATIO_PLACEHOLDER = b"\x01RATIO-IS-HERE\x01\x01"

_IMAGE_TYPE, _SOP_CLASS, _SOP_INSTANCE = 0x00080008, 0x00080016, 0x00080018
_DERIVATION = 0x00082111
_SOURCE_IMAGES, _DERIVATION_CODES = 0x00082112, 0x00089215
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_MAX_ST = 1024
# Why a source image is referenced, PS3.16 CID 7202: the first if it was not lossy compressed.
_UNCOMPRESSED = ("121320", "Uncompressed predecessor")
_PROCESSED = ("121322", "Source image for image processing operation")
_FUNCTIONAL_GROUPS = {0x52009229, 0x52009230}  # shared, per frame
_FRAME_TYPE = 0x00089007
_SEQUENCE_HEADER = 12  # of an SQ with explicit VR
# The space is not significant, and no length changes: PS3.5 6.2, CS.
_ORIGINAL, _DERIVED = b"ORIGINAL", b"DERIVED "


class _Attributes(Protocol):
    def raw(self, tag: int, /) -> bytes | None:
        """Return an element's bytes, None if absent."""


@record
class Step:
    """A compression with loss: the codec family, and the ratio as a DS without padding."""

    family: str
    ratio: str


def mark_lossy(attributes: _Attributes, done: Step) -> dict[int, bytes | None]:
    """Return the changes that say that pixels were lossy compressed, which no attribute told.

    Parameters
    ----------
    attributes
        Of the data set.
    done
        What its codestreams tell of their compression.
    """
    ratios, methods = _history(attributes, done)
    changes: dict[int, bytes | None] = {_LOSSY: format_element(_LOSSY, "CS", b"01")}
    if methods:
        changes[_RATIO] = format_element(_RATIO, "DS", "\\".join(ratios).encode())
        changes[_METHOD] = format_element(_METHOD, "CS", "\\".join(methods).encode())
    return changes


def describe_lossy(syntax_name: str, quality: str) -> str:
    """Return what Derivation Description says of a lossy compression of ours."""
    return f"Lossy compressed to {syntax_name}, {quality}"


def lossy_changes(
    attributes: _Attributes,
    family: str,
    description: str,
    *,
    sop_instance_uid: str,
    before: Step | None = None,
) -> dict[int, bytes | None]:
    """Return the elements that lossy compression changes, in explicit VR little endian.

    Parameters
    ----------
    attributes
        Of the data set as it was, read as explicit VR little endian.
    family
        The codec family.
    description
        What was done, for Derivation Description.
    sop_instance_uid
        The new one; empty if the old one is kept, and then nothing is
        referenced.
    before
        The compression that the source has; None if that lost nothing.
    """
    changes: dict[int, bytes | None] = {_LOSSY: format_element(_LOSSY, "CS", b"01")}
    ratios, methods = _history(attributes, before)
    history = "".join(f"{ratio}\\" for ratio in ratios).encode()
    changes[_RATIO] = format_element(_RATIO, "DS", history + RATIO_PLACEHOLDER)
    if not ratios or methods:
        text = "\\".join([*methods, METHODS[family]])
        changes[_METHOD] = format_element(_METHOD, "CS", text.encode())
    kind = _values(attributes, _IMAGE_TYPE)
    image_type = "\\".join(["DERIVED", *(kind[1:] or ["PRIMARY"])])
    changes[_IMAGE_TYPE] = format_element(
        _IMAGE_TYPE, "CS", image_type.encode("latin-1", "replace")
    )
    had = (attributes.raw(_DERIVATION) or b"").rstrip(b" \0")
    joined = (had + b"; " if had else b"") + description.encode("ascii")
    if len(joined) <= _MAX_ST:
        changes[_DERIVATION] = format_element(_DERIVATION, "ST", joined)
    code = _code("113040", "Lossy Compression")
    changes[_DERIVATION_CODES] = _extended(attributes, _DERIVATION_CODES, code)
    if sop_instance_uid:
        changes[_SOP_INSTANCE] = format_element(_SOP_INSTANCE, "UI", sop_instance_uid.encode())
        changes.update(_source_changes(attributes, _PROCESSED if before else _UNCOMPRESSED))
    return changes


def _source_changes(attributes: _Attributes, purpose: tuple[str, str]) -> dict[int, bytes | None]:
    """Return the elements that reference the source; none if it has no UID to be known by."""
    class_uid = (attributes.raw(_SOP_CLASS) or b"").strip(b" \0")
    instance_uid = (attributes.raw(_SOP_INSTANCE) or b"").strip(b" \0")
    if not class_uid or not instance_uid:
        return {}
    reference = format_element(0x00081150, "UI", class_uid)
    reference += format_element(0x00081155, "UI", instance_uid)
    source = reference + format_sequence(0x0040A170, _code(*purpose))
    return {
        _SOURCE_IMAGES: _extended(attributes, _SOURCE_IMAGES, source),
        **with_instance(attributes, reference),
    }


def derive_frame_types(data: bytes) -> bytes:
    """Return a data set in which no Frame Type of an enhanced object is `ORIGINAL`.

    Parameters
    ----------
    data
        Explicit VR little endian.

    Raises
    ------
    CorruptData
        It is no such data set, or its functional groups are no sequences.
    """
    out = bytearray(data)
    for tag, start, stop in iter_spans(data):
        if tag in _FUNCTIONAL_GROUPS and data[start + 4 : start + 6] == b"SQ":
            # Groups hold sequences, and those the attribute.
            _derive_items(out, start, stop, depth=2)
    return bytes(out)


def _derive_items(out: bytearray, start: int, stop: int, *, depth: int) -> None:
    sequence = bytes(out[start:stop])
    for begin, end in iter_items(sequence, _SEQUENCE_HEADER, len(sequence), EXPLICIT_LITTLE):
        for tag, first, last in iter_spans(sequence[begin:end]):
            at = start + begin + first
            if tag == _FRAME_TYPE and out[at + 8 : at + 16] == _ORIGINAL:
                out[at + 8 : at + 16] = _DERIVED
            elif depth > 1 and out[at + 4 : at + 6] == b"SQ":
                _derive_items(out, at, start + begin + last, depth=depth - 1)


def format_ratio(uncompressed_bytes: int, compressed_bytes: int) -> bytes:
    """Return a compression ratio as a DS of 16 bytes, padded by spaces."""
    ratio = uncompressed_bytes / max(1, compressed_bytes)
    return f"{ratio:.4f}"[:16].ljust(len(RATIO_PLACEHOLDER)).encode()


def _history(attributes: _Attributes, before: Step | None) -> tuple[list[str], list[str]]:
    """Return ratio and method of each compression up to now: parallel lists, if both are known."""
    ratios, methods = _values(attributes, _RATIO), _values(attributes, _METHOD)
    if before is not None and not methods:  # the last of several steps is the one that is there
        ratios = ratios or [before.ratio]
        methods = [""] * (len(ratios) - 1) + [METHODS[before.family]]
    return ratios + ["1"] * (len(methods) - len(ratios)), methods


def _values(attributes: _Attributes, tag: int) -> list[str]:
    text = (attributes.raw(tag) or b"").decode("latin-1").strip(" \0")
    return [part.strip() for part in text.split("\\")] if text else []


def _code(value: str, meaning: str) -> bytes:
    return b"".join(
        (
            format_element(0x00080100, "SH", value.encode()),
            format_element(0x00080102, "SH", b"DCM"),
            format_element(0x00080104, "LO", meaning.encode()),
        )
    )


def _extended(attributes: _Attributes, tag: int, item: bytes) -> bytes:
    """Return a sequence with one more item behind those that it had."""
    # If it had an undefined length, its items may stay as they are.
    had = (attributes.raw(tag) or b"").removesuffix(_SEQUENCE_END)
    return format_element(tag, "SQ", had + format_item(item))


_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
