import pytest

from imgconv.dicom.element_values import decode_text, decode_value


@pytest.mark.parametrize(
    ("vr", "raw", "expected"),
    [
        ("DS", b"1.5\\-2 ", (1.5, -2.0)),
        ("DS", b" ", None),
        ("DS", b"one", None),
        ("IS", b"12 ", 12),
        ("IS", b"12.0", 12),
        ("UI", b"1.2.3\0", "1.2.3"),
        ("CS", b"A\\B ", ("A", "B")),
        ("CS", b"", None),
        ("LT", b" a\\b ", " a\\b"),
        ("US", b"\1\0\2\0", (1, 2)),
        ("US", b"\1", None),
        ("AT", b"\x28\0\x10\0", 0x00280010),
        ("OB", b"\1\2", b"\1\2"),
        ("FD", b"\0\0\0\0\0\0\xf0?", 1.0),
    ],
)
def test_decode_value(vr, raw, expected):
    assert decode_value(vr, raw, big_endian=False, charset="") == expected


def test_decode_text_character_sets():
    assert decode_text("ä".encode("latin-1"), "ISO_IR 100") == "ä"
    assert decode_text("ä".encode(), "ISO_IR 192") == "ä"
    assert decode_text("Июнь".encode("iso8859-5"), "ISO_IR 144") == "Июнь"
    japanese = b"\x1b$B;3ED\x1b(B"
    assert decode_text(japanese, "\\ISO 2022 IR 87") == "山田"
    assert decode_text(b"\xff", "NO SUCH SET")
