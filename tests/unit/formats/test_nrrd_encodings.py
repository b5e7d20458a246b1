"""NRRD samples in bzip2, hex and text."""

from __future__ import annotations

import bz2

import numpy as np
import pytest

from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData
from imgconv.formats.nrrd import read
from imgconv.formats.nrrd_encodings import WHOLE_ENCODINGS, decode_whole

TYPES = {
    "int8": "signed char",
    "uint8": "uchar",
    "int16": "short",
    "uint16": "ushort",
    "int64": "longlong",
    "uint64": "ulonglong",
    "float32": "float",
    "float64": "double",
}


def _encode(array: np.ndarray, encoding: str) -> bytes:
    family = WHOLE_ENCODINGS[encoding]
    if family == "bzip2":
        return bz2.compress(array.tobytes())
    if family == "hex":
        text = array.tobytes().hex()
        return "\n".join(text[at : at + 72] for at in range(0, len(text), 72)).encode()
    return b"\n".join(b" ".join(repr(x.item()).encode() for x in row) for row in array[0])


def _save(path, data: bytes, *, kind="short", encoding="hex", sizes="5 4 1", endian="little"):
    header = (
        f"NRRD0004\ntype: {kind}\ndimension: 3\nsizes: {sizes}\nencoding: {encoding}\n"
        f"endian: {endian}\nspace: left-posterior-superior\n"
        "space directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n\n"
    )
    path.write_bytes(header.encode() + data)
    return path


def _read(path):
    (image,) = read(path, ReadOptions())
    return np.asarray(image.array)


@pytest.mark.parametrize("encoding", WHOLE_ENCODINGS)
@pytest.mark.parametrize("dtype", TYPES)
def test_read_gives_every_sample_in_every_encoding(tmp_path, encoding, dtype):
    kind = np.dtype(dtype)
    limits = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    array = np.arange(20).reshape(1, 4, 5).astype(kind)
    array[0, 0, :2] = limits.min, limits.max
    path = _save(
        tmp_path / "a.nrrd", _encode(array, encoding), kind=TYPES[dtype], encoding=encoding
    )
    found = _read(path)
    assert found.dtype == kind
    assert np.array_equal(found, array)


@pytest.mark.parametrize("encoding", ["hex", "bzip2"])
def test_read_turns_big_endian_samples(tmp_path, encoding):
    array = (np.arange(20) * 300).astype(">i2").reshape(1, 4, 5)
    path = _save(tmp_path / "a.nrrd", _encode(array, encoding), encoding=encoding, endian="big")
    assert np.array_equal(_read(path), array)


@pytest.mark.parametrize(
    ("encoding", "data", "message"),
    [
        ("hex", b"zz" * 40, "hexadecimal"),
        ("hex", b"00" * 39, "hardly"),
        ("hex", b" 0" * 60, "end after"),
        ("bzip2", b"no bzip2 at all", "damaged"),
        ("bzip2", bz2.compress(b"\0" * 40)[:-12], "end after|damaged"),
        ("bzip2", bz2.compress(b"\0" * 39), "end after `39`"),
        ("text", b"1 " * 19, "hardly"),
        ("text", b"10 " * 19, "end after `19`"),
        ("text", b"1 " * 19 + b"x", "no number"),
        ("text", b"1 " * 19 + b"70000", "no number"),
        ("text", b"1 " * 19 + b"1.5", "no number"),
    ],
)
def test_read_refuses_what_is_short_or_no_sample(tmp_path, encoding, data, message):
    path = _save(tmp_path / "a.nrrd", data, encoding=encoding)
    with pytest.raises(CorruptData, match=message) as caught:
        _read(path)
    assert caught.value.path == path


def test_read_refuses_a_promise_that_bzip2_can_hardly_keep(tmp_path):
    path = _save(
        tmp_path / "a.nrrd", bz2.compress(bytes(1 << 20)), encoding="bz2", sizes="65000 65000 9"
    )
    with pytest.raises(CorruptData, match="hardly"):
        _read(path)


def test_decode_whole_leaves_out_the_skipped_bytes(tmp_path):
    path = tmp_path / "a.bz2"
    path.write_bytes(b"head" + bz2.compress(b"abc" + np.arange(4, dtype="<i2").tobytes()))
    found = decode_whole(path, "bz2", np.dtype("<i2"), 4, start=4, skip=3)
    assert found.tolist() == [0, 1, 2, 3]
