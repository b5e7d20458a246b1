"""Find the orientation in EXIF data; nothing else of it is read, kept or told."""

from __future__ import annotations

import struct

__all__ = ["exif_orientation"]

_ORIENTATION = 0x0112


def exif_orientation(exif: bytes) -> int:
    """Return EXIF's orientation, 1 (upright) if there is none or it cannot be made out.

    Parameters
    ----------
    exif
        A TIFF structure, with or without the ``Exif`` prefix of JPEG.

    Source
    ------
    EXIF 2.32 4.6.4 A, tag 0112H
    """
    body = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(body[:2])
    if order is None or len(body) < 10:
        return 1
    (start,) = struct.unpack_from(f"{order}I", body, 4)
    if start + 2 > len(body):
        return 1
    (count,) = struct.unpack_from(f"{order}H", body, start)
    for entry in range(start + 2, min(start + 2 + 12 * count, len(body) - 11), 12):
        tag, _, _, value = struct.unpack_from(f"{order}HHIH", body, entry)
        if tag == _ORIENTATION:
            return int(value) if 1 <= value <= 8 else 1
    return 1
