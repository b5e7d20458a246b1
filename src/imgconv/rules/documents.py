"""Families M and P: encapsulated documents (M008, P017).

Source
------
PS3.3 A.45 (encapsulated documents), A.85 (models), C.24.2 (MIME type)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.rules.instance import Hit, Instance

__all__ = ["check_document"]

_DOCUMENT, _TYPE = 0x00420011, 0x00420012
_STORAGE = "1.2.840.10008.5.1.4.1.1.104."
# SOP class -> MIME type, what such documents begin with (PDF: within the first 1024 bytes).
_KINDS: dict[str, tuple[str, bytes]] = {
    _STORAGE + "1": ("application/pdf", b"%PDF-"),
    _STORAGE + "2": ("text/xml", b"<"),
    _STORAGE + "3": ("model/stl", b""),
    _STORAGE + "4": ("model/obj", b""),
    _STORAGE + "5": ("model/mtl", b""),
}
_HEAD_BYTES = 1024


def check_document(instance: Instance) -> Iterator[Hit]:
    """Check that a document is what its SOP class says (M008, P017)."""
    kind = _KINDS.get(instance.sop_class)
    if kind is None:
        return
    dataset = instance.dataset
    mime, beginning = kind
    said = dataset.text(_TYPE)
    if said and said.lower() != mime:
        message = f"MIMETypeOfEncapsulatedDocument is not {mime}"
        yield Hit("M008", message, dataset.path_to(_TYPE), said)
    document = dataset.get(_DOCUMENT)
    if document is None or document.is_empty or document.items is not None:
        return
    if beginning not in bytes(document.value[:_HEAD_BYTES]):
        yield Hit("P017", f"the document is no {mime}", document.path)
