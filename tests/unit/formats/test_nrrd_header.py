import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.formats.nrrd_header import format_header, parse_header, parse_vector

HEAD = (
    b"NRRD0004\n# a comment\ntype: short\ndimension: 2\nsizes: 3 4\nendian: big\nkey:=a: b\n\nDATA"
)


def test_parse_header_reads_fields_pairs_and_where_it_ends():
    header = parse_header(HEAD)
    assert header.sizes == (3, 4)
    assert header.dtype == np.dtype(">i2")
    assert header.pairs == {"key": "a: b"}
    assert HEAD[header.size :] == b"DATA"


def test_parse_header_knows_the_spellings_of_a_field():
    header = parse_header(b"NRRD0001\r\nDataFile: x.raw\r\n")
    assert header.fields == {"data file": "x.raw"}


def test_format_header_is_parsed_back():
    head = format_header({"type": "float", "dimension": "1", "sizes": "2"}, {"a": "b\nc"})
    header = parse_header(head)
    assert header.fields["type"] == "float"
    assert header.size == len(head)
    assert header.pairs == {"a": "b\\nc"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"NRRD0009\n\n", "magic"),
        (b"P5\n", "magic"),
        (b"NRRD0004\nno field\n\n", "no field"),
        (b"NRRD0004\ntype: short\ntype: int\n\n", "given twice"),
    ],
)
def test_parse_header_of_nonsense_is_refused(text, message):
    with pytest.raises(CorruptData, match=message):
        parse_header(text)


@pytest.mark.parametrize(
    "fields",
    [
        {"dimension": "x", "sizes": "1"},
        {"dimension": "0", "sizes": ""},
        {"dimension": "99", "sizes": "1"},
        {"dimension": "2", "sizes": "3"},
        {"dimension": "2", "sizes": "3 -1"},
        {"dimension": "2", "sizes": "3 x"},
        {"sizes": "3"},
    ],
)
def test_sizes_that_make_no_sense_are_refused(fields):
    with pytest.raises(CorruptData):
        _ = parse_header(format_header(fields, {})).sizes


def test_dtype_of_what_is_unknown_is_refused():
    with pytest.raises(CorruptData, match="unknown sample type `quux`"):
        _ = parse_header(format_header({"type": "quux"}, {})).dtype
    with pytest.raises(UnsupportedData, match="block"):
        _ = parse_header(format_header({"type": "block"}, {})).dtype
    with pytest.raises(CorruptData, match="endian"):
        _ = parse_header(format_header({"type": "short", "endian": "middle"}, {})).dtype


def test_vectors_keep_their_place():
    header = parse_header(format_header({"space directions": "(1,0,0) none (0, 2 ,0)"}, {}))
    first, second, third = header.vectors("space directions")
    assert second is None
    assert (first[0], third[1]) == (1, 2)


@pytest.mark.parametrize("text", ["(1,x)", "(nan,1)", "(1,inf)", "()"])
def test_parse_vector_of_no_finite_numbers_is_refused(text):
    with pytest.raises(CorruptData):
        parse_vector(text)


@given(st.binary(max_size=300))
def test_parse_header_of_noise_raises_our_errors_only(noise):
    for data in (noise, HEAD[:20] + noise, b"NRRD0004\n" + noise):
        try:
            header = parse_header(data)
            _ = header.sizes, header.dtype, header.vectors("space directions")
        except InputError:
            continue
