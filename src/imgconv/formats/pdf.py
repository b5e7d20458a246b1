"""PDF documents: carried into DICOM and out again, byte for byte; never rendered.

Not supported: making images of pages.

Source: ISO 32000-2 7.5.2, 7.5.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imgconv.core.atomic import write_bytes
from imgconv.core.document import Document
from imgconv.core.image import Image, Source
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["check", "read", "write"]

_MAX_BYTES = 0xFFFFFFFE  # an element of DICOM holds no more; PS3.5 7.1.1
_TAIL_BYTES = 2048  # the end marker may be followed by white space and a little more


def read(source: Path, options: ReadOptions) -> Iterator[Document]:
    """Yield the document in a PDF file.

    Raises
    ------
    CorruptData
        It cannot be read, is truncated, or is no PDF.
    UnsupportedData
        It is larger than DICOM or the options allow.
    """
    try:
        size = source.stat().st_size
        limit = options.max_bytes or _MAX_BYTES
        if size > limit:
            raise UnsupportedData(f"the document has {size} bytes; the limit is {limit}")
        data = source.read_bytes()
    except OSError as error:
        raise CorruptData("cannot be read", path=source) from error
    if not data.startswith(b"%PDF-"):
        raise CorruptData("this is no PDF document", path=source)
    if b"%%EOF" not in data[-_TAIL_BYTES:]:
        raise CorruptData("the end of the document is missing; it is truncated", path=source)
    yield Document(data, sources=(Source(source),))


def check(image: Image | Document, options: WriteOptions) -> tuple[Loss, ...]:  # noqa: ARG001  a format
    """Return what a PDF file cannot hold of a document: who it is about.

    Raises
    ------
    UnsupportedData
        It is an image.
    """
    _require_document(image)
    return (Loss("metadata", "patient and study are not in the PDF file", harmful=False),)


def write(image: Image | Document, target: Path, options: WriteOptions) -> tuple[Path, ...]:  # noqa: ARG001
    """Write the document as it is.

    Raises
    ------
    UnsupportedData
        It is an image.
    OutputError
        The file cannot be written.
    """
    write_bytes(target, _require_document(image).data)
    return (target,)


def _require_document(image: Image | Document) -> Document:
    if not isinstance(image, Document):
        raise UnsupportedData(
            "PDF holds documents, the input is an image", hint="choose `--to png`"
        )
    return image
