"""Huffman codes for the differences of lossless JPEG, and their packing, vectorized.

Source
------
ISO/IEC 10918-1 Annex H (lossless), K.2 (making of code lengths), C (codes),
F.1.2.3 (byte stuffing)
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["HuffmanTable", "make_table", "pack_bits"]

_MAX_LENGTH = 16


@dataclass(frozen=True, slots=True)
class HuffmanTable:
    """A Huffman table for categories.

    Parameters
    ----------
    counts
        Number of codes of each length 1 to 16 (BITS).
    values
        The categories in order of their codes (HUFFVAL).
    codes, lengths
        Code and its length in bits, by category.
    """

    counts: bytes
    values: bytes
    codes: NDArray[np.uint32]
    lengths: NDArray[np.uint8]


def make_table(frequencies: NDArray[np.int64]) -> HuffmanTable:
    """Return the table for categories that occur so often; 0 means that one never occurs."""
    used = [category for category, count in enumerate(frequencies) if count]
    # One more symbol takes the code of all ones, which is not allowed; K.2.
    reserved = len(frequencies)
    sizes = _code_sizes({**{c: int(frequencies[c]) for c in used}, reserved: 1})
    counts = _limited(sizes)
    ordered = sorted(used, key=lambda category: (sizes[category], category))
    codes = np.zeros(len(frequencies), np.uint32)
    lengths = np.zeros(len(frequencies), np.uint8)
    code = position = 0
    for length in range(1, _MAX_LENGTH + 1):
        for category in ordered[position : position + counts[length]]:
            codes[category], lengths[category] = code, length
            code += 1
        position += counts[length]
        code <<= 1
    return HuffmanTable(bytes(counts[1 : _MAX_LENGTH + 1]), bytes(ordered), codes, lengths)


def _code_sizes(frequencies: dict[int, int]) -> dict[int, int]:
    """Return the length of each symbol's code in an optimal prefix code."""
    if len(frequencies) == 1:
        return dict.fromkeys(frequencies, 1)
    heap = [(count, symbol, [symbol]) for symbol, count in frequencies.items()]
    heapq.heapify(heap)
    sizes = dict.fromkeys(frequencies, 0)
    while len(heap) > 1:
        count, mark, one = heapq.heappop(heap)
        other_count, _, other = heapq.heappop(heap)
        for symbol in one + other:
            sizes[symbol] += 1
        heapq.heappush(heap, (count + other_count, mark, one + other))
    return sizes


def _limited(sizes: dict[int, int]) -> list[int]:
    """Return the number of codes of each length, none above 16, the reserved code removed; K.3."""
    counts = [0] * (max(*sizes.values(), _MAX_LENGTH) + 2)
    for size in sizes.values():
        counts[size] += 1
    for length in range(len(counts) - 1, _MAX_LENGTH, -1):
        while counts[length]:
            shorter = length - 2
            while not counts[shorter]:
                shorter -= 1
            counts[length] -= 2
            counts[length - 1] += 1
            counts[shorter + 1] += 2
            counts[shorter] -= 1
    longest = max(length for length, count in enumerate(counts) if count)
    counts[longest] -= 1
    return counts


def pack_bits(symbols: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], int]:
    """Join codes of up to 32 bits to a stream of bits, most significant first.

    Parameters
    ----------
    symbols
        ``length << 32 | code`` each, the code right-justified; an even number.

    Returns
    -------
    tuple
        Words of 64 bits whose first bit is the highest one, zeros after the
        end; and the number of bits.
    """
    merged, sizes = _pairs(symbols & _CODE, symbols >> _HALF)
    if merged.size % 2 == 0 and int(sizes.max(initial=0)) <= 32:
        merged, sizes = _pairs(merged, sizes)
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if ends.size else 0
    starts = ends - sizes
    shift = starts & _LOW_6
    word = (starts >> _SIX).astype(np.intp)
    # Left-justify, then split over two words; a shift by 64 is undefined, hence two steps.
    justified = merged << ((_WORD - sizes) & _LOW_6)
    low = (justified << _ONE) << (_TOP - shift)
    out = np.zeros((total >> 6) + 2, np.uint64)
    if word.size:
        first = np.concatenate(([0], np.flatnonzero(word[1:] != word[:-1]) + 1))
        where = word[first]
        out[where] |= np.bitwise_or.reduceat(justified >> shift, first)
        out[where + 1] |= np.bitwise_or.reduceat(low, first)
    return out, total


_CODE, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
_LOW_6, _SIX, _ONE = np.uint64(63), np.uint64(6), np.uint64(1)
_TOP, _WORD = np.uint64(63), np.uint64(64)


def _pairs(
    codes: NDArray[np.uint64], lengths: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    second = lengths[1::2]
    return codes[0::2] << second | codes[1::2], lengths[0::2] + second
