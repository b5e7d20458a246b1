import numpy as np
import pytest
from pydicom.dataset import Dataset
from tests.unit.dicom.files import encode, make_slice

from imgconv.dicom.header import parse_header
from imgconv.dicom.lut import apply_table, find_modality_table
from imgconv.errors import CorruptData


def table(descriptor, data):
    item = Dataset()
    item.LUTDescriptor = descriptor
    item.LUTData = data
    item["LUTData"].VR = "OW"
    dataset = make_slice(ModalityLUTSequence=[item])
    return find_modality_table(parse_header(encode(dataset), "x"))


@pytest.mark.parametrize(
    ("bits", "data", "dtype"),
    [(16, np.array([5, 6, 700], "<u2").tobytes(), np.uint16), (8, bytes([5, 6, 7, 0]), np.uint8)],
)
def test_find_modality_table(bits, data, dtype):
    found = table([3, 10, bits], data)
    assert found.table.dtype == dtype
    assert found.first == 10
    assert apply_table(found, np.array([0, 11, 200], np.uint16)).tolist()[:2] == [5, 6]


def test_find_modality_table_first_value_may_be_negative():
    item = Dataset()
    item.add_new("LUTDescriptor", "SS", [2, -1, 16])
    item.add_new("LUTData", "OW", np.array([8, 9], "<u2").tobytes())
    dataset = make_slice(ModalityLUTSequence=[item], PixelRepresentation=1)
    found = find_modality_table(parse_header(encode(dataset), "x"))
    assert apply_table(found, np.array([-1, 0], np.int16)).tolist() == [8, 9]


def test_find_modality_table_filled_with_nothing_is_none():
    item = Dataset()
    item.add_new("LUTDescriptor", "US", None)
    item.add_new("LUTData", "US", None)
    dataset = make_slice(ModalityLUTSequence=[item])
    assert find_modality_table(parse_header(encode(dataset), "x")) is None
    assert find_modality_table(parse_header(encode(make_slice()), "x")) is None


@pytest.mark.parametrize(("descriptor", "data"), [([9, 0, 16], bytes(4)), ([2, 0], bytes(4))])
def test_find_modality_table_that_does_not_fit_is_corrupt(descriptor, data):
    with pytest.raises(CorruptData):
        table(descriptor, data)
