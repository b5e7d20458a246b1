"""Encapsulated PDF: bytes in, bytes out."""

from __future__ import annotations

import pytest
from tests.unit.dicom.sops.writing import errors_of, image, options

from imgconv.core.document import Document
from imgconv.dicom.reader import read_images
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData


@pytest.mark.parametrize("data", [b"%PDF-1.4 %%EOF", b"%PDF-1.4 %%EOF\n"])
def test_document_goes_in_and_out_unchanged(tmp_path, data):
    paths = write(Document(data), tmp_path / "a.dcm", options(DocumentTitle="Report"))
    (found,) = read_images(paths[0])
    assert found.data == data
    assert errors_of(*paths) == []


def test_check_tells_that_annotation_is_assumed():
    document = Document(b"%PDF-1.4 %%EOF")
    assert [loss.name for loss in check(document, options())] == ["burned-in-annotation"]
    assert check(document, options(BurnedInAnnotation="NO")) == ()


def test_document_as_an_image_and_image_as_a_document_are_refused(tmp_path):
    document = Document(b"%PDF-1.4 %%EOF")
    for call in (check, lambda d, o: write(d, tmp_path / "a.dcm", o)):
        with pytest.raises(UnsupportedData):
            call(document, options("mr"))
        with pytest.raises(UnsupportedData):
            call(image(), options("encapsulated-pdf"))
    assert list(tmp_path.iterdir()) == []


def test_document_that_is_no_pdf_is_refused():
    with pytest.raises(UnsupportedData):
        check(Document(b"x", mime_type="text/xml"), options())
