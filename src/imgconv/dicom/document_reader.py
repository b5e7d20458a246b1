"""Take the document out of an Encapsulated PDF object.

Source: PS3.3 A.45.1, C.24.2.
"""

from __future__ import annotations

import warnings

import pydicom

from imgconv.core.document import Document
from imgconv.core.image import Source
from imgconv.core.options import ReadOptions
from imgconv.dicom.foreign import PYDICOM_ERRORS
from imgconv.dicom.plan import ObjectPlan
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["load_document"]


def load_document(plan: ObjectPlan, options: ReadOptions) -> Document:  # noqa: ARG001  a reader of objects
    """Return the document, without the padding of an odd length.

    Raises
    ------
    CorruptData
        The file is damaged, or holds no document.
    UnsupportedData
        The document is no PDF.
    """
    path = plan.header.path
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path)
            data = bytes(dataset.EncapsulatedDocument)
            length = int(dataset.get("EncapsulatedDocumentLength") or 0)
            mime_type = str(dataset.get("MIMETypeOfEncapsulatedDocument", ""))
    except PYDICOM_ERRORS as error:
        raise CorruptData("the encapsulated document cannot be read", path=path) from error
    if mime_type != "application/pdf":
        raise UnsupportedData("the encapsulated document is no PDF", path=path)
    if 0 < length <= len(data):
        data = data[:length]
    elif data.endswith(b"\0"):
        data = data[:-1]  # the length is type 3, added in 2018
    uid = str(dataset.get("SOPInstanceUID", ""))
    series = str(dataset.get("SeriesInstanceUID", ""))
    return Document(data, sources=(Source(path, uid, series),))
