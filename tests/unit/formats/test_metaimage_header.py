import numpy as np
import pytest

from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.metaimage_header import parse_header

HEAD = "NDims = 3\nDimSize = 4 5 6\nElementType = MET_SHORT\n"


def parse(text):
    return parse_header(text.encode())


def test_parse_header_reads_up_to_the_data_file():
    header = parse(HEAD + "ElementDataFile = LOCAL\nxyz")
    assert header.dimensions == (4, 5, 6)
    assert header.dtype == np.dtype("<i2")
    assert header.files == ("LOCAL",)
    assert header.size == len(HEAD) + len("ElementDataFile = LOCAL\n")
    assert header.channels == 1


def test_parse_header_list_of_files():
    assert parse(HEAD + "ElementDataFile = LIST\na.raw\nb.raw\n").files == ("a.raw", "b.raw")


def test_parse_header_big_endian():
    assert parse(f"BinaryDataByteOrderMSB = True\n{HEAD}ElementDataFile = a.raw").dtype == ">i2"


@pytest.mark.parametrize(
    "text", ["", "hello", HEAD, HEAD + "ElementDataFile =\n", "a = 1\n" * 5000]
)
def test_parse_header_incomplete_is_refused(text):
    with pytest.raises(CorruptData):
        parse(text)


@pytest.mark.parametrize("name", ["dimensions", "dimension_count", "channels"])
@pytest.mark.parametrize("value", ["x", "-1 2 3", "0 0 0", "1e99"])
def test_header_numbers_that_are_none_are_refused(name, value):
    lines = f"NDims = {value}\nDimSize = {value}\nElementNumberOfChannels = {value}\n"
    with pytest.raises(CorruptData):
        getattr(parse(lines + "ElementDataFile = LOCAL\n"), name)


@pytest.mark.parametrize("kind", ["MET_LONG", "MET_OTHER", ""])
def test_header_element_type_without_a_width_is_unsupported(kind):
    with pytest.raises(UnsupportedData):
        _ = parse(f"ElementType = {kind}\nElementDataFile = LOCAL\n").dtype


def test_header_pattern_is_unsupported():
    with pytest.raises(UnsupportedData):
        parse(HEAD + "ElementDataFile = slice%03d.raw 1 5 1\n")
