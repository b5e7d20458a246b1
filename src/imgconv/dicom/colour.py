"""Turn colour as DICOM stores it into RGB: palettes and YBR.

Source
------
PS3.3 C.7.6.3.1.2 (photometric interpretation), C.7.6.3.1.5 and C.7.9
(palettes, segmented palettes)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.dicom.header import Header
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = ["Palette", "find_palette", "ybr_to_rgb"]

_COLOURS = ("Red", "Green", "Blue")
_MAX_ENTRIES = 1 << 16


@record(eq=False)
class Palette:
    """A palette: ``table[stored - first]`` is an RGB colour of 8 or 16 bits.

    Values below the first entry get the first colour, above the last one the last.
    """

    table: NDArray[Any]
    first: int

    def expand(self, samples: NDArray[Any]) -> NDArray[Any]:
        """Return RGB samples ``(..., c)`` for stored ones."""
        index = samples.astype(np.int64) - self.first
        colours: NDArray[Any] = self.table[np.clip(index, 0, len(self.table) - 1)]
        return colours


def find_palette(header: Header) -> Palette:
    """Return the palette of a PALETTE COLOR image.

    Raises
    ------
    CorruptData
        It is missing, or its tables do not fit their descriptors.
    """
    channels = [_channel(header, colour) for colour in _COLOURS]
    first, bits = channels[0][1:]
    lengths = {len(channel[0]) for channel in channels}
    if len(lengths) > 1:
        raise CorruptData("the palette's tables differ in length", path=header.path)
    table = np.stack([channel[0] for channel in channels], axis=-1)
    if bits == 8 or not (table & 0xFF).any():
        # 16-bit entries whose low bytes are empty are 8-bit colours.
        table = (table if bits == 8 else table >> 8).astype(np.uint8)
    elif (table >> 8 == table & 0xFF).all():
        table = (table & 0xFF).astype(np.uint8)
    return Palette(np.ascontiguousarray(table), first)


def _channel(header: Header, colour: str) -> tuple[NDArray[np.uint16], int, int]:
    descriptor = header.get(f"{colour}PaletteColorLookupTableDescriptor")
    if not isinstance(descriptor, tuple) or len(descriptor) != 3:
        raise CorruptData(f"the {colour.lower()} palette has no descriptor", path=header.path)
    count, first, bits = (int(value) for value in descriptor)
    count = count & 0xFFFF or _MAX_ENTRIES  # 0 means 65,536, C.7.6.3.1.5
    data = _table_bytes(header, f"{colour}PaletteColorLookupTableData")
    if data:
        return _entries(data, count, bits, header), first, bits
    data = _table_bytes(header, f"Segmented{colour}PaletteColorLookupTableData")
    if not data:
        raise CorruptData(f"the {colour.lower()} palette has no data", path=header.path)
    return _expand_segments(np.frombuffer(data, "<u2"), count, header), first, bits


def _table_bytes(header: Header, keyword: str) -> bytes:
    value = header.get(keyword)
    if isinstance(value, bytes):
        return value
    if isinstance(value, tuple):
        return np.array(value, dtype="<u2").tobytes()
    return b""


def _entries(data: bytes, count: int, bits: int, header: Header) -> NDArray[np.uint16]:
    if bits == 8 and len(data) < 2 * count:
        table = np.frombuffer(data, np.uint8).astype(np.uint16)
    else:
        table = np.frombuffer(data[: len(data) // 2 * 2], "<u2").astype(np.uint16)
    if len(table) < count:
        raise CorruptData(f"a palette of `{count}` entries has {len(table)}", path=header.path)
    return table[:count]


def _expand_segments(words: NDArray[np.uint16], count: int, header: Header) -> NDArray[np.uint16]:
    """Expand a segmented palette: discrete, linear and indirect segments, C.7.9.2."""
    values: list[int] = []
    _run_segments(words, 0, len(words), values, count, depth=0)
    if len(values) < count:
        raise CorruptData(f"a palette of `{count}` entries has {len(values)}", path=header.path)
    return np.array(values[:count], dtype=np.uint16)


def _run_segments(
    words: NDArray[np.uint16],
    position: int,
    stop: int,
    values: list[int],
    count: int,
    *,
    depth: int,
) -> None:
    while position + 2 <= stop and len(values) < count:
        opcode, length = int(words[position]), int(words[position + 1])
        position += 2
        if opcode == 0:
            values.extend(int(word) for word in words[position : position + length])
            position += length
        elif opcode == 1 and values and position < stop:
            ends = np.linspace(values[-1], int(words[position]), length + 1)[1:]
            values.extend(int(value) for value in np.rint(ends))
            position += 1
        elif opcode == 2 and position + 2 <= stop and depth == 0:
            # The offset counts bytes from the beginning of the table.
            start = (int(words[position]) | int(words[position + 1]) << 16) // 2
            end = _segments_end(words, start, length)
            _run_segments(words, start, end, values, count, depth=1)
            position += 2
        else:
            raise CorruptData(f"a segmented palette has opcode `{opcode}`")


def _segments_end(words: NDArray[np.uint16], start: int, segments: int) -> int:
    position = start
    for _ in range(segments):
        if position + 2 > len(words):
            raise CorruptData("a segmented palette is truncated")
        discrete = int(words[position]) == 0
        position += 2 + (int(words[position + 1]) if discrete else 1)
    return position


def ybr_to_rgb(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Return RGB for YBR_FULL samples ``(j, i, c)`` of 8 bits.

    Raises
    ------
    CorruptData
        The samples have not 8 bits.
    """
    if samples.dtype != np.uint8:
        raise CorruptData(f"YBR samples have type `{samples.dtype}`; expected 8 bits")
    y = samples[..., 0].astype(np.float32)
    blue = samples[..., 1].astype(np.float32) - 128
    red = samples[..., 2].astype(np.float32) - 128
    rgb = np.stack(
        # C.7.6.3.1.2, the inverse of the matrix for YBR_FULL
        [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue],
        axis=-1,
    )
    rounded: NDArray[np.uint8] = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    return rounded
