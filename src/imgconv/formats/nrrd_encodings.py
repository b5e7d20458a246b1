"""Read NRRD samples that cannot be streamed: bzip2, hex and text.

They are rare and small, so the whole array is decoded at once. What a header
promises is compared with the size of its file first.

Source: https://teem.sourceforge.net/nrrd/format.html#encoding
"""

from __future__ import annotations

import bz2
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import CorruptData

__all__ = ["WHOLE_ENCODINGS", "decode_whole"]

# Encoding -> family.
WHOLE_ENCODINGS = {
    "bzip2": "bzip2",
    "bz2": "bzip2",
    "hex": "hex",
    "ascii": "text",
    "text": "text",
    "txt": "text",
}
_CHUNK = 1 << 20
_ALWAYS_FINE_BYTES = 1 << 30
_MAX_RATIO = 2000  # of bzip2, beyond what is always fine; empty images reach 40,000


def decode_whole(
    path: Path,
    encoding: str,
    dtype: np.dtype[Any],
    count: int,
    *,
    start: int,
    skip: int,
    max_bytes: int = 0,
) -> NDArray[Any]:
    """Return `count` samples in native byte order.

    Parameters
    ----------
    path, start
        The file, and where its encoded data begin.
    encoding
        A key of `WHOLE_ENCODINGS`.
    skip
        Decoded bytes to leave out, of bzip2.
    max_bytes
        A larger array is refused; 0 for the limits of this module.

    Raises
    ------
    CorruptData
        Fewer samples than promised, what is no number or does not fit the
        type, or a promise that the file can hardly keep.
    """
    needed = count * dtype.itemsize + skip
    family = WHOLE_ENCODINGS[encoding]
    held = path.stat().st_size - start
    # A byte takes two hexadecimal digits; a number takes a digit and a space.
    most = {"hex": held // 2, "text": (held + 1) // 2 * dtype.itemsize}.get(
        family, max(_ALWAYS_FINE_BYTES, _MAX_RATIO * held)
    )
    if needed > most or (max_bytes and needed > max_bytes):
        raise CorruptData(f"the header promises `{needed}` bytes; the file can hardly hold them")
    samples = _DECODERS[family](path, start, dtype, count, skip)
    native: NDArray[Any] = samples.astype(dtype.newbyteorder("="), copy=False)
    return native


def _from_bzip2(
    path: Path, start: int, dtype: np.dtype[Any], count: int, skip: int
) -> NDArray[Any]:
    needed = count * dtype.itemsize + skip
    unpack = bz2.BZ2Decompressor()
    found = bytearray()
    try:
        with path.open("rb") as stream:
            stream.seek(start)
            while len(found) < needed and not unpack.eof:
                data = stream.read(_CHUNK) if unpack.needs_input else b""
                if unpack.needs_input and not data:
                    break
                found += unpack.decompress(data, min(_CHUNK, needed - len(found)))
    except (OSError, ValueError, EOFError) as error:
        raise CorruptData("the bzip2 data are damaged") from error
    if len(found) < needed:
        raise CorruptData(f"the data end after `{len(found)}` bytes; expected {needed}")
    return np.frombuffer(bytes(found), dtype, count, skip)


def _from_hex(path: Path, start: int, dtype: np.dtype[Any], count: int, skip: int) -> NDArray[Any]:
    needed = count * dtype.itemsize + skip
    digits = b"".join(_rest(path, start).split())[: 2 * needed]
    try:
        data = bytes.fromhex(digits.decode("ascii"))
    except ValueError as error:
        raise CorruptData("what is no hexadecimal digit stands among the samples") from error
    if len(data) < needed:
        raise CorruptData(f"the data end after `{len(data)}` bytes; expected {needed}")
    return np.frombuffer(data, dtype, count, skip)


def _from_text(path: Path, start: int, dtype: np.dtype[Any], count: int, skip: int) -> NDArray[Any]:
    if skip:
        raise CorruptData("`byte skip` does not go with text")
    words = _rest(path, start).replace(b",", b" ").split(maxsplit=count)[:count]
    if len(words) < count:
        raise CorruptData(f"the data end after `{len(words)}` numbers; expected {count}")
    try:
        return np.array(words).astype(dtype)
    except (ValueError, OverflowError) as error:
        raise CorruptData(f"what is no number of type `{dtype.name}` stands among them") from error


def _rest(path: Path, start: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(start)
        return stream.read()


_DECODERS: dict[str, Callable[[Path, int, np.dtype[Any], int, int], NDArray[Any]]] = {
    "bzip2": _from_bzip2,
    "hex": _from_hex,
    "text": _from_text,
}
