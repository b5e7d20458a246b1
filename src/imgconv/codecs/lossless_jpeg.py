"""Encode lossless JPEG (Process 14, predictor 1), vectorized.

libjpeg-turbo codes sample by sample in two passes; this works on a strip of
rows at a time that stays in the processor's cache, and takes about half the
time. Each strip's statistics go into one table, made before the strips are coded.

Not supported: other predictors, point transforms, restart intervals.

Source
------
ISO/IEC 10918-1 Annex H.1 (prediction, categories), B.2 (markers); PS3.5 A.4.1
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.conform import min_precision
from imgconv.codecs.encode import EncodeTask
from imgconv.codecs.huffman import HuffmanTable, make_table, pack_bits

__all__ = ["encode", "encode_samples"]

_STRIP_SAMPLES = 1 << 16
_CATEGORIES = 17
# Of a large image 1024 samples in 4096 are counted: all its regions, a quarter of the time.
_COUNT_ALL, _COUNT_OF, _COUNT_PART = 1 << 19, 1 << 12, 1 << 10


def encode(samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Return one lossless JPEG frame.

    The precision is Bits Stored where no sample is beyond it, else Bits Allocated.
    """
    target = task.target
    unsigned = np.ascontiguousarray(samples).view(np.dtype(f"u{target.dtype.itemsize}"))
    return encode_samples(unsigned, min_precision(unsigned, target))


def encode_samples(samples: NDArray[Any], precision: int) -> bytes:
    """Return unsigned samples ``(j, i)`` or ``(j, i, c)`` as a lossless JPEG stream.

    Parameters
    ----------
    precision
        Bits of a sample, 2 to 16; no sample is beyond.
    """
    rows, columns = samples.shape[:2]
    components = samples.shape[2] if samples.ndim == 3 else 1
    differences = _differences(samples.reshape(rows, columns, components), precision)
    categories, codes_of = _difference_tables()
    table = make_table(_count(differences, categories, precision))
    body = _entropy_coded(differences, _symbols(table, categories, codes_of))
    return _markers(rows, columns, components, precision, table) + body + b"\xff\xd9"


def _differences(samples: NDArray[Any], precision: int) -> NDArray[np.uint16]:
    """Return the prediction errors modulo 2^16, components interleaved, row after row.

    The first sample of a row is predicted by the one above, all others by their
    left neighbour; the very first by half the range. H.1.2.1
    """
    wide = samples.astype(np.uint16, copy=False)
    out = np.empty(wide.shape, np.uint16)
    np.subtract(wide[:, 1:], wide[:, :-1], out=out[:, 1:])
    np.subtract(wide[1:, 0], wide[:-1, 0], out=out[1:, 0])
    out[0, 0] = wide[0, 0] - np.uint16(1 << (precision - 1))
    return out.reshape(-1)


@lru_cache(maxsize=1)
def _difference_tables() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Return category and additional bits of each difference modulo 2^16; H.1.2.2."""
    signed = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.abs(signed)
    categories = np.ceil(np.log2(magnitude + 1.0)).astype(np.uint8)
    bits = np.where(signed < 0, signed - 1, signed) & ((1 << categories.astype(np.int32)) - 1)
    bits[categories == 16] = 0  # the difference 32768 has no additional bits
    return categories, bits.astype(np.uint16)


def _count(
    differences: NDArray[np.uint16], categories: NDArray[np.uint8], precision: int
) -> NDArray[np.int64]:
    """Return how often each category occurs; of a large image, how often in a part of it."""
    counts = np.zeros(_CATEGORIES, np.int64)
    part = differences
    if differences.size > _COUNT_ALL:
        whole = differences.size - differences.size % _COUNT_OF
        part = differences[:whole].reshape(-1, _COUNT_OF)[:, :_COUNT_PART].reshape(-1)
        counts[: precision + 1] = 1  # what the part does not have needs a code as well
    for strip in _strips(part):
        counts += np.bincount(categories[strip], minlength=_CATEGORIES)
    return counts


def _symbols(
    table: HuffmanTable, categories: NDArray[np.uint8], bits: NDArray[np.uint16]
) -> NDArray[np.uint64]:
    """Return each difference's Huffman code and additional bits, for `pack_bits`."""
    extra = categories.astype(np.uint64)
    extra[categories == 16] = 0
    codes = table.codes[categories].astype(np.uint64) << extra | bits
    return (table.lengths[categories] + extra) << np.uint64(32) | codes


def _entropy_coded(differences: NDArray[np.uint16], symbols: NDArray[np.uint64]) -> bytes:
    """Return the entropy-coded segment, padded by ones and stuffed."""
    parts: list[NDArray[np.uint8]] = []
    rest = rest_bits = 0
    for strip in _strips(differences):
        # What did not fill a byte before goes in front, as one more symbol; then an even number.
        lead = [rest_bits << 32 | rest] if strip.size % 2 else [0, rest_bits << 32 | rest]
        words, total = pack_bits(np.concatenate((np.array(lead, np.uint64), symbols[strip])))
        data = words.astype(">u8").view(np.uint8)
        whole, rest_bits = divmod(total, 8)
        parts.append(data[:whole])
        rest = int(data[whole]) >> (8 - rest_bits) if rest_bits else 0
    if rest_bits:  # F.1.2.3: the last byte is filled by ones
        last = rest << (8 - rest_bits) | (0xFF >> rest_bits)
        parts.append(np.array([last], np.uint8))
    return np.concatenate(parts).tobytes().replace(b"\xff", b"\xff\0")


def _strips(values: NDArray[np.uint16]) -> Iterator[NDArray[np.uint16]]:
    for start in range(0, values.size, _STRIP_SAMPLES):
        yield values[start : start + _STRIP_SAMPLES]


def _markers(
    rows: int, columns: int, components: int, precision: int, table: HuffmanTable
) -> bytes:
    """Return everything in front of the entropy-coded segment."""
    numbers = range(1, components + 1)
    huffman = b"\0" + table.counts + table.values
    frame = struct.pack(">BHHB", precision, rows, columns, components)
    frame += b"".join(bytes((number, 0x11, 0)) for number in numbers)
    scan = bytes((components,)) + b"".join(bytes((number, 0)) for number in numbers) + b"\1\0\0"
    adobe = b"" if components == 1 else _segment(0xEE, b"Adobe\0\x64\0\0\0\0\0")  # transform 0: RGB
    return (
        b"\xff\xd8" + adobe + _segment(0xC3, frame) + _segment(0xC4, huffman) + _segment(0xDA, scan)
    )


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body
