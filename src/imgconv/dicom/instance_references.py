"""Name a referenced instance where the Common Instance Reference Module lists all of them.

Works on bytes: a data set whose pixels are transcoded is never parsed as a whole.

Source
------
PS3.3 C.12.2 (Common Instance Reference Module), 10.4 (Series and Instance Reference Macro)
"""

from __future__ import annotations

from typing import Protocol

from imgconv.dicom.reencode import format_element
from imgconv.dicom.scan import EXPLICIT_LITTLE, iter_items
from imgconv.dicom.splice import iter_spans, patched
from imgconv.standard.iods import find_iod, load_tables

__all__ = ["format_item", "format_sequence", "with_instance"]

_SERIES_SEQUENCE, _INSTANCE_SEQUENCE = 0x00081115, 0x0008114A
_SERIES_UID = 0x0020000E
_MODULE = "common-instance-reference"
_ITEM = b"\xfe\xff\x00\xe0"
_SEQUENCE_HEADER = 12  # of an SQ with explicit VR


class _Attributes(Protocol):
    def raw(self, tag: int, /) -> bytes | None:
        """Return an element's bytes, None if absent."""


def format_item(content: bytes) -> bytes:
    """Return an item of a sequence, in explicit VR little endian."""
    return _ITEM + len(content).to_bytes(4, "little") + content


def format_sequence(tag: int, *items: bytes) -> bytes:
    """Return a sequence of items, each given without its header."""
    return format_element(tag, "SQ", b"".join(format_item(item) for item in items))


def with_instance(attributes: _Attributes, reference: bytes) -> dict[int, bytes | None]:
    """Return the change that lists an instance of the data set's own series.

    Parameters
    ----------
    attributes
        Of a data set in explicit VR little endian.
    reference
        Referenced SOP Class UID and Referenced SOP Instance UID, two elements.

    Returns
    -------
    dict
        Empty if the data set has no such list, and its IOD wants none.

    Raises
    ------
    CorruptData
        The list that is there is damaged.
    """
    had = attributes.raw(_SERIES_SEQUENCE)
    if had is None and not _is_required(_text(attributes.raw(0x00080016))):
        return {}
    series = _text(attributes.raw(_SERIES_UID))
    items = _items(format_element(_SERIES_SEQUENCE, "SQ", had or b""))
    for number, item in enumerate(items):
        instances = _element(item, _INSTANCE_SEQUENCE)
        if _text(_element(item, _SERIES_UID)[8:]) == series and instances[4:6] == b"SQ":
            listed = format_sequence(_INSTANCE_SEQUENCE, *_items(instances), reference)
            items[number] = patched(item, {_INSTANCE_SEQUENCE: listed})
            break
    else:
        own = format_element(_SERIES_UID, "UI", series.encode())
        items.append(format_sequence(_INSTANCE_SEQUENCE, reference) + own)
    return {_SERIES_SEQUENCE: format_sequence(_SERIES_SEQUENCE, *items)}


def _is_required(sop_class: str) -> bool:
    iod = find_iod(sop_class)
    if iod is None:
        return False
    return any(row[:2] == [_MODULE, "M"] for row in load_tables()["iod"][iod]["modules"])


def _items(sequence: bytes) -> list[bytes]:
    """Return the content of each item of a sequence, its header included."""
    places = iter_items(sequence, _SEQUENCE_HEADER, len(sequence), EXPLICIT_LITTLE)
    return [sequence[start:stop] for start, stop in places]


def _element(data: bytes, tag: int) -> bytes:
    return next((data[start:stop] for found, start, stop in iter_spans(data) if found == tag), b"")


def _text(value: bytes | None) -> str:
    return (value or b"").decode("latin-1").strip(" \0")
