"""Sequences that hold a single item wherever they are used.

The tables of modules have no item counts, so these are listed: macros whose text
says "Only a single Item shall be included in this Sequence".

Source
------
PS3.3 C.7.6.16.2 (functional group macros), C.8.13.5 (MR), C.8.15.3 (CT), C.8.20.3 (segmentation),
C.17.3 (content items), 10.5 (anatomy), 10.16 (templates), C.8.20.4 (segment description),
10.14 (issuers), C.10.9 (waveforms), C.7.6.22 (specimens), C.8.12.4 and C.8.12.5 (slides), C.37.1
(annotations), C.7.6.1 (icons), C.8.8.3 and C.8.8.9 (doses, plans)
"""

from __future__ import annotations

__all__ = ["SINGLE_GROUPS", "SINGLE_ITEM"]

# In a functional group.
SINGLE_GROUPS = frozenset({
    0x00189006, 0x00189049, 0x00189042, 0x00189112, 0x00189114, 0x00189115, 0x00189117,
    0x00189118, 0x00189119, 0x00189125, 0x00189226, 0x00189152, 0x00189329, 0x00189751,
    0x00209071, 0x00209111, 0x00209113, 0x00209116, 0x00209170, 0x00209171, 0x00209253,
    0x00209310, 0x0020930E, 0x0020930F, 0x00289110, 0x00289132, 0x00289145, 0x00409092,
    0x0048021A, 0x0062000A, 0x00189477, 0x00400710,
})  # fmt: skip
# Anywhere.
SINGLE_ITEM = frozenset({
    0x00082218, 0x0008103F, 0x0040A043, 0x0040A168, 0x0040A170, 0x0040A504, 0x004008EA,
    0x00540220, 0x00620003, 0x0062000F, 0x0066002F, 0x00540300, 0x00540304,
    0x52009229, 0x0040A301, 0x00080051, 0x00100024, 0x003A0208, 0x003A0211, 0x0040059A,
    0x00480008, 0x00480108, 0x006A0009, 0x006A000A, 0x00880200, 0x300C0020, 0x300C0060,
})  # fmt: skip
