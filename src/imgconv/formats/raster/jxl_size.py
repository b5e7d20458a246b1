"""Find the size of a JPEG XL picture in its first bytes, before anything is decoded.

Source: ISO/IEC 18181-1 D.2 (SizeHeader); 18181-2 (boxes).
"""

from __future__ import annotations

from imgconv.errors import CorruptData

__all__ = ["parse_jpegxl_size"]

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_DISTRIBUTIONS = (9, 13, 18, 30)  # bits of a size, chosen by two bits
# Width as a fraction of the height, chosen by three bits; 0 means that it is coded.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}


def parse_jpegxl_size(data: bytes) -> tuple[int, int]:
    """Return columns and rows, as coded, before any orientation.

    Raises
    ------
    CorruptData
        It is no JPEG XL, or ends within its header.
    """
    start = _find_codestream(data)
    bits = int.from_bytes(data[start + 2 : start + 14], "little")
    taken = 0

    def take(count: int) -> int:
        nonlocal taken
        value = (bits >> taken) & ((1 << count) - 1)
        taken += count
        return value

    is_small = take(1)

    def size() -> int:
        return 8 * (take(5) + 1) if is_small else take(_DISTRIBUTIONS[take(2)]) + 1

    rows = size()
    ratio = take(3)
    if ratio == 0:
        return size(), rows
    numerator, denominator = _RATIOS[ratio]
    return rows * numerator // denominator, rows


def _find_codestream(data: bytes) -> int:
    if data[:2] == b"\xff\x0a":
        return 0
    if data.startswith(_CONTAINER):
        offset = len(_CONTAINER)
        while offset + 16 <= len(data):
            length = int.from_bytes(data[offset : offset + 4], "big")
            kind = data[offset + 4 : offset + 8]
            body = offset + 8
            if length == 1:
                length = int.from_bytes(data[body : body + 8], "big")
                body += 8
            if kind in (b"jxlc", b"jxlp"):
                return body if kind == b"jxlc" else body + 4  # jxlp begins with an index
            if length < 8:
                break
            offset += length
    raise CorruptData("no JPEG XL codestream")
