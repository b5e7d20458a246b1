"""Find samples with bits above High Bit, with numpy only where it pays.

Importing numpy takes as long as looking at some hundred slices without it,
and most runs are small.

Source
------
PS3.5 8.1.1 (Bits Allocated, Bits Stored, High Bit); what scanners write into
the unused bits of signed samples is their sign
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from imgconv.dicom.elements import Buffer

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["as_samples", "has_unused_bits"]

_BYTES_WITHOUT = 64 << 20  # looked at in as long as numpy takes to import
_looked_at = 0


def has_unused_bits(
    value: Buffer, allocated: int, stored: int, *, signed: bool, big_endian: bool = False
) -> bool:
    """Whether a sample has bits set above the stored ones that are no sign extension.

    Parameters
    ----------
    value
        Native samples; a part of one at the end does not count.
    allocated
        8, 16 or 32 bits per sample.
    stored
        How many of them are used, the lowest ones; fewer than `allocated`.
    signed
        Whether the samples may be negative. If the sign is not extended in any
        of them, they are within the stored bits, which is right too.
    big_endian
        The byte order.
    """
    global _looked_at  # noqa: PLW0603  how much this process has looked at
    usable = _usable(value, allocated)
    # Where the lowest byte holds the sign, the highest alone does not tell.
    tells = allocated == 8 or (allocated == 16 and stored > 8)
    if tells and "numpy" not in sys.modules and _looked_at < _BYTES_WITHOUT:
        _looked_at += usable
        first = 1 if allocated == 16 and not big_endian else 0
        highest = bytes(value[first:usable:2] if allocated == 16 else value[:usable])
        tables = _bytes_within(stored - (allocated - 8), signed=signed)
        return all(highest.translate(None, table) for table in tables)
    return _ask_numpy(value, allocated, stored, signed=signed, big_endian=big_endian)


@cache
def _bytes_within(stored: int, *, signed: bool) -> tuple[bytes, ...]:
    """Return what the highest byte of samples may be, of which `stored` bits are used."""
    within = bytes(range(1 << stored))
    if not signed:
        return (within,)
    half = 1 << (stored - 1)
    extended = bytes((*range(half), *range(256 - half, 256)))
    return (within, extended)


def _ask_numpy(
    value: Buffer, allocated: int, stored: int, *, signed: bool, big_endian: bool
) -> bool:
    samples = as_samples(value, allocated, big_endian=big_endian)
    if not samples.size or not int(samples.max()) >> stored:
        return False
    if not signed:
        return True
    numbers = samples.view(samples.dtype.str.replace("u", "i"))
    limit = 1 << (stored - 1)
    return int(numbers.max()) >= limit or int(numbers.min()) < -limit


def as_samples(value: Buffer, allocated: int, *, big_endian: bool) -> NDArray[Any]:
    """Return native samples as unsigned numbers; a part of one at the end does not count."""
    import numpy as np

    order = ">" if big_endian and allocated > 8 else "<"
    return np.frombuffer(value[: _usable(value, allocated)], dtype=f"{order}u{allocated // 8}")


def _usable(value: Buffer, allocated: int) -> int:
    return len(value) // (allocated // 8) * (allocated // 8)
