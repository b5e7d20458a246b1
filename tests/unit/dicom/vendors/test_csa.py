"""CSA headers are built here by hand, after the published layout."""

import struct

import pytest

from imgconv.dicom.vendors.csa import (
    csa_float,
    csa_floats,
    csa_int,
    csa_text,
    is_mosaic,
    is_slice_order_reversed,
    mosaic_slice_times,
    mosaic_tile_count,
    parse_ascconv,
    parse_csa,
    protocol_text,
    slice_normal,
)
from imgconv.errors import CorruptData

ELEMENTS = [
    ("NumberOfImagesInMosaic", "US", ["36", ""]),
    ("SliceNormalVector", "FD", ["0.0", "0.6", "0.8"]),
    ("MosaicRefAcqTimes", "FD", ["0.0", "72.5"]),
    ("ImaCoilString", "LO", ["T:HEA;HEP"]),
    ("EchoLinePosition", "IS", []),
]


def make_csa(elements, *, csa2=True):
    out = bytearray(b"SV10\4\3\2\1" if csa2 else b"")
    out += struct.pack("<2i", len(elements), 77)
    extra = max(len(elements[0][2]), 0)
    for name, vr, items in elements:
        out += struct.pack("<64si4siii", name.encode(), len(items), vr.encode(), 0, len(items), 77)
        for item in items:
            raw = item.encode() + b"\0" if item else b""
            first = len(raw) if csa2 else len(raw) + extra
            out += struct.pack("<4i", first, len(raw), 77, len(raw))
            out += raw + bytes(-len(raw) % 4)
    return bytes(out)


@pytest.mark.parametrize("csa2", [True, False])
def test_parse_csa_both_versions_give_the_same_values(csa2):
    header = parse_csa(make_csa(ELEMENTS, csa2=csa2))
    assert header["NumberOfImagesInMosaic"] == (36,)
    assert header["SliceNormalVector"] == (0.0, 0.6, 0.8)
    assert header["ImaCoilString"] == ("T:HEA;HEP",)
    assert header["EchoLinePosition"] == ()


def test_parse_csa_csa1_ends_the_items_at_a_length_out_of_range():
    blob = bytearray(make_csa([("Rows", "US", ["64"])], csa2=False))
    item = 8 + struct.calcsize("<64si4siii")
    struct.pack_into("<i", blob, item, 1 << 30)
    assert parse_csa(bytes(blob)) == {"Rows": ()}


@pytest.mark.parametrize("blob", [b"", bytes(100), b"  "])
def test_parse_csa_of_a_cleaned_header_is_empty(blob):
    assert parse_csa(blob) == {}


@pytest.mark.parametrize("cut", [9, 20, 100, 150, 300])
def test_parse_csa_truncated_raises(cut):
    with pytest.raises(CorruptData, match="truncated"):
        parse_csa(make_csa(ELEMENTS)[:cut])


@pytest.mark.parametrize("count", [0, -1, 1 << 20])
def test_parse_csa_absurd_element_count_raises(count):
    blob = bytearray(make_csa(ELEMENTS))
    struct.pack_into("<i", blob, 8, count)
    with pytest.raises(CorruptData, match="elements"):
        parse_csa(bytes(blob))


def test_parse_csa_absurd_item_count_raises():
    blob = bytearray(make_csa(ELEMENTS))
    struct.pack_into("<i", blob, 16 + 64 + 12, 1 << 30)
    with pytest.raises(CorruptData, match="items"):
        parse_csa(bytes(blob))


def test_parse_csa_keeps_text_where_a_number_was_announced():
    assert parse_csa(make_csa([("Rows", "IS", ["n/a"])])) == {"Rows": ("n/a",)}


def test_accessors_of_present_and_missing_elements():
    header = parse_csa(make_csa(ELEMENTS))
    assert csa_int(header, "NumberOfImagesInMosaic") == 36
    assert csa_float(header, "SliceNormalVector") == 0.0
    assert csa_floats(header, "ImaCoilString") == ()
    assert csa_text(header, "ImaCoilString") == "T:HEA;HEP"
    assert csa_int(header, "Nothing") is None
    assert csa_text(header, "Nothing") == ""


def test_mosaic_facts():
    header = parse_csa(make_csa(ELEMENTS))
    assert is_mosaic(header)
    assert mosaic_tile_count(header) == 36
    assert slice_normal(header) == (0.0, 0.6, 0.8)
    assert mosaic_slice_times(header) == (0.0, 72.5)
    assert not is_mosaic({})
    assert slice_normal({}) is None


PROTOCOL = """<XProtocol> junk = 1
### ASCCONV BEGIN object=MrProtDataImpl@MrProtocolData version=1 ###
ulVersion = 0x14b44b6
tSequenceFileName = ""%SiemensSeq%\\ep2d_bold""
sSliceArray.asSlice[0].dThickness = 3.0
sSliceArray.ucImageNumbTra = 0x1
lRepetitions = 9 # comment
sKSpace.ucPhasePartialFourier\t=\t0x10
odd line
### ASCCONV END ###
after = 2
"""


def test_parse_ascconv_reads_numbers_and_text():
    protocol = parse_ascconv(PROTOCOL)
    assert protocol["ulVersion"] == 0x14B44B6
    assert protocol["tSequenceFileName"] == "%SiemensSeq%\\ep2d_bold"
    assert protocol["sSliceArray.asSlice[0].dThickness"] == 3.0
    assert protocol["lRepetitions"] == 9
    assert protocol["sKSpace.ucPhasePartialFourier"] == 16
    assert "after" not in protocol
    assert "junk" not in protocol


def test_parse_ascconv_without_marks_is_empty():
    assert parse_ascconv("a = 1") == {}


def test_is_slice_order_reversed_reads_the_image_numbering():
    assert is_slice_order_reversed(parse_ascconv(PROTOCOL))
    assert not is_slice_order_reversed({"sSliceArray.ucImageNumbTra": 0})
    assert not is_slice_order_reversed({})


def test_protocol_text_prefers_the_newer_element():
    assert protocol_text({"MrProtocol": ("old",), "MrPhoenixProtocol": ("new",)}) == "new"
    assert protocol_text({}) == ""
