import numpy as np
import pytest

from imgconv.codecs.conform import min_precision, require_agreement, require_end, to_declared
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.streams import StreamHeader
from imgconv.errors import CorruptData

GREY = PixelFormat(rows=2, columns=3, bits_allocated=16, bits_stored=12)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ((3, 2, 1, 12), "rows, columns, samples"),
        ((2, 3, 3, 12), "rows, columns, samples"),
        ((2, 3, 1, 17), "`17` bits a sample"),
    ],
)
def test_require_agreement_names_what_differs(header, message):
    with pytest.raises(CorruptData, match=message):
        require_agreement(StreamHeader(*header), GREY)


def test_to_declared_keeps_bits_where_signs_differ():
    signed = PixelFormat(rows=1, columns=2, bits_allocated=16, bits_stored=16, signed=True)
    made = to_declared(np.array([[0xFFFF, 5]], np.uint16), signed)
    assert made.tolist() == [[-1, 5]]
    unsigned = PixelFormat(rows=1, columns=2, bits_allocated=16, bits_stored=16)
    assert to_declared(np.array([[-1, 5]], np.int8), unsigned).tolist() == [[0xFFFF, 5]]


def test_to_declared_another_number_of_samples_is_corrupt():
    with pytest.raises(CorruptData, match="decoded to shape"):
        to_declared(np.zeros((2, 4), np.uint16), GREY)


@pytest.mark.parametrize(("top", "bits"), [(0, 12), (4095, 12), (4096, 16), (65535, 16)])
def test_min_precision_is_bits_stored_if_that_is_enough(top, bits):
    assert min_precision(np.array([0, top], np.uint16), GREY) == bits


def test_require_end_of_a_truncated_stream_is_corrupt():
    require_end(b"\xff\xd8 data \xff\xd9\0")
    with pytest.raises(CorruptData, match="truncated"):
        require_end(b"\xff\xd8 data")
