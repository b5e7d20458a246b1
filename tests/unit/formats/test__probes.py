from pathlib import Path

import pytest

from imgconv.formats._probes import looks_like_bmp, looks_like_metaimage, looks_like_npz


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.mha", b"ObjectType = Image\nNDims = 3\n", True),
        ("a.bin", b"NDims = 3\nDimSize = 1 2 3\n", True),
        ("a.ini", b"comment = nothing\n", False),
        ("a.mha", b"NRRD0004\n", False),
        ("a.mha", b"", False),
    ],
)
def test_looks_like_metaimage(name, head, expected):
    assert looks_like_metaimage(Path(name), head) is expected


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [("a.npz", b"PK\x03\x04", True), ("a.docx", b"PK\x03\x04", False), ("a.npz", b"PK", False)],
)
def test_looks_like_npz(name, head, expected):
    assert looks_like_npz(Path(name), head) is expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"BM" + bytes(12) + b"\x28\0\0\0", True),
        (b"BM" + bytes(12) + b"\x7c\0\0\0", True),
        (b"BMI of the patients, as text", False),
        (b"BM", False),
    ],
)
def test_looks_like_bmp(head, expected):
    assert looks_like_bmp(Path("a.bmp"), head) is expected
