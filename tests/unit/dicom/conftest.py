"""Headers are made with pydicom and read back, so that encodings are real."""

from collections.abc import Callable
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite

from imgconv.dicom.bids import bids_fields
from imgconv.dicom.header import Header, parse_header
from imgconv.dicom.vendors.facts import Acquisition, Facts


def _header(dataset: Dataset) -> Header:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    dataset.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    buffer = DicomBytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return parse_header(buffer.getvalue(), "made.dcm")


def _dataset(attributes: dict[str, Any], private: dict[Any, Any] | None = None) -> Dataset:
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    for (group, creator, element, vr), value in (private or {}).items():
        dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return dataset


@pytest.fixture
def dataset_of() -> Callable[..., Dataset]:
    return _dataset


@pytest.fixture
def facts_of() -> Callable[..., Facts]:
    def make(attributes: dict[str, Any], private: Any = None, frame: int = 0) -> Facts:
        return Facts(_header(_dataset(attributes, private)), frame)

    return make


@pytest.fixture
def fields_of(facts_of: Callable[..., Facts]) -> Callable[..., dict[str, Any]]:
    """Sidecar fields of an image of one MR frame."""

    def make(
        attributes: dict[str, Any], private: Any = None, size: tuple[int, int, int] = (64, 64, 1)
    ) -> dict[str, Any]:
        facts = facts_of({"Modality": "MR", **attributes}, private)
        return bids_fields(Acquisition(((facts,),), size))

    return make
