"""Apply modality look-up tables, which take the place of a rescale slope.

Source
------
PS3.3 C.11.1 (Modality LUT Module)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.dicom.header import Header
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = ["ModalityTable", "apply_table", "find_modality_table", "find_table"]


@record(eq=False)
class ModalityTable:
    """``table[stored - first]`` is the value; the ends stand for what is outside."""

    table: NDArray[Any]
    first: int


def find_modality_table(header: Header) -> ModalityTable | None:
    """Return the modality table of an image, None if it has none.

    Raises
    ------
    CorruptData
        The table does not fit its descriptor.
    """
    items = header.items("ModalityLUTSequence")
    if not items or (items[0].get("LUTDescriptor") is None and items[0].get("LUTData") is None):
        return None  # some writers fill in every attribute they know, with nothing
    return find_table(items[0])


def find_table(item: Header) -> ModalityTable:
    """Return the table in an item of Modality LUT Sequence or VOI LUT Sequence.

    Raises
    ------
    CorruptData
        The table does not fit its descriptor.
    """
    descriptor, data = item.get("LUTDescriptor"), item.get("LUTData")
    if not isinstance(descriptor, tuple) or len(descriptor) != 3 or data is None:
        raise CorruptData("the table has no descriptor or no data", path=item.path)
    count = int(descriptor[0]) & 0xFFFF or 1 << 16  # 0 means 65,536, C.11.1.1
    values = _values(data, int(descriptor[2]), count)
    if len(values) < count:
        raise CorruptData(f"a table of `{count}` entries has {len(values)}", path=item.path)
    table = values[:count].astype(np.uint8 if descriptor[2] <= 8 else np.uint16)
    return ModalityTable(table, int(descriptor[1]))


def _values(data: Any, bits: int, count: int) -> NDArray[Any]:
    if isinstance(data, bytes):
        if bits <= 8 and len(data) < 2 * count:
            return np.frombuffer(data, np.uint8)
        return np.frombuffer(data[: len(data) // 2 * 2], "<u2")
    return np.atleast_1d(np.array(data))


def apply_table(table: ModalityTable, samples: NDArray[Any]) -> NDArray[Any]:
    """Return the values for stored samples."""
    index = np.clip(samples.astype(np.int64) - table.first, 0, len(table.table) - 1)
    values: NDArray[Any] = table.table[index]
    return values
