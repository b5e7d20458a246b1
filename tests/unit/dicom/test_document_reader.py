"""Encapsulated documents that are not as they should be."""

from __future__ import annotations

import pydicom
import pytest

from imgconv.core.document import Document
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.dicom.document_reader import load_document
from imgconv.dicom.header import read_header
from imgconv.dicom.plan import ObjectPlan
from imgconv.dicom.writer import write
from imgconv.errors import CorruptData, UnsupportedData

DATA = b"%PDF-1.4\n%%EOF"


def _load(tmp_path, change, data=DATA):
    (path,) = write(Document(data), tmp_path / "a.dcm", WriteOptions())
    dataset = pydicom.dcmread(path)
    change(dataset)
    dataset.save_as(path)
    return load_document(ObjectPlan(read_header(path), ""), ReadOptions())


def test_load_document_without_a_length_drops_the_padding(tmp_path):
    def change(dataset):
        del dataset.EncapsulatedDocumentLength

    assert _load(tmp_path, change, DATA + b"\n").data == DATA + b"\n"


def test_load_document_of_another_kind_is_refused(tmp_path):
    def change(dataset):
        dataset.MIMETypeOfEncapsulatedDocument = "text/XML"

    with pytest.raises(UnsupportedData):
        _load(tmp_path, change)


def test_load_document_without_a_document_is_corrupt(tmp_path):
    def change(dataset):
        del dataset.EncapsulatedDocument

    with pytest.raises(CorruptData):
        _load(tmp_path, change)
