"""Find out how a slice wants to be shown: windows, tables, polarity, overlays.

Not supported: presentation states, overlays in the unused bits of the pixel
data (retired), regions of interest of overlays.

Source: PS3.3 C.11.2 (VOI LUT), C.11.6 (Presentation LUT Shape), C.9.2 (Overlay Plane),
C.7.6.16.2.10 (Frame VOI LUT).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from imgconv.core.display import SliceDisplay, Table, Window
from imgconv.dicom.header import Header
from imgconv.dicom.lut import find_table
from imgconv.dicom.plan import VolumePlan
from imgconv.dicom.scaling import rescale_of
from imgconv.dicom.slices import Slice
from imgconv.errors import CorruptData

__all__ = ["slice_display"]

_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
_ROWS, _COLUMNS, _ORIGIN, _FRAMES, _FIRST_FRAME, _BITS, _DATA = (
    0x0010,
    0x0011,
    0x0050,
    0x0015,
    0x0051,
    0x0100,
    0x3000,
)


def slice_display(plan: VolumePlan, t: int, k: int) -> SliceDisplay:
    """Return how slice `k` of volume `t` of a planned image wants to be shown.

    What cannot be made out is left out: a picture can be made without it.
    """
    item = plan.volumes[t][k]
    header = item.header
    holder = _voi_holder(item)
    found = SliceDisplay(
        windows=tuple(_iter_windows(item, holder)),
        tables=tuple(_iter_tables(holder)),
        inverse=header.get("PresentationLUTShape") == "INVERSE"
        and header.get("PhotometricInterpretation") != "MONOCHROME1",
        overlays=tuple(_iter_overlays(header, item)),
    )
    header.release()
    return found


def _voi_holder(item: Slice) -> Header:
    """Return what holds the windows: a functional group, else the data set."""
    for group in item.facts.groups:
        items = group.items("FrameVOILUTSequence")
        if items:
            return items[0]
    return item.header


def _iter_windows(item: Slice, holder: Header) -> Iterator[Window]:
    name = str(holder.get("VOILUTFunction", "LINEAR"))
    function = name if name in _FUNCTIONS else "LINEAR"
    centers, widths = holder.numbers("WindowCenter"), holder.numbers("WindowWidth")
    for center, width in zip(centers, widths, strict=False):
        if math.isfinite(center) and math.isfinite(width) and width > 0:
            yield _precise(item, Window(center, width, function))


def _precise(item: Slice, window: Window) -> Window:
    """Return a window for the precise values of Philips, which is given for the display's."""
    slope, intercept = item.rescale
    if item.scale_slope is None or slope == 0:
        return window
    wanted = rescale_of(item)
    ratio = wanted.slope / slope
    center = (window.center - intercept) * ratio + wanted.intercept
    # Half a step of a linear window belongs to integers, which precise values are not.
    function = "LINEAR_EXACT" if window.function == "LINEAR" else window.function
    return Window(center, window.width * abs(ratio), function)


def _iter_tables(holder: Header) -> Iterator[Table]:
    for item in holder.items("VOILUTSequence"):
        try:
            table = find_table(item)
        except CorruptData:
            continue
        bits = int(item.numbers("LUTDescriptor")[2])
        if 8 <= bits <= 16:
            yield Table(table.first, bits, table.table.astype(np.uint16))


def _iter_overlays(header: Header, item: Slice) -> Iterator[NDArray[np.bool_]]:
    if item.tile >= 0:
        return
    for group in _OVERLAY_GROUPS:
        mask = _overlay(header, group << 16, item)
        if mask is not None:
            yield mask


def _overlay(header: Header, base: int, item: Slice) -> NDArray[np.bool_] | None:
    """Return one overlay on the grid of the slice, None if there is none for it."""
    data, rows, columns = (header.get(base | tag) for tag in (_DATA, _ROWS, _COLUMNS))
    if not (isinstance(data, bytes) and isinstance(rows, int) and isinstance(columns, int)):
        return None
    frames = header.get(base | _FRAMES, 1)
    number = item.frame + 1 - int(header.get(base | _FIRST_FRAME, 1))
    count = int(frames) if isinstance(frames, int) else 1
    index = number if count > 1 else 0
    if not 0 <= index < count or (header.get(base | _BITS, 1) != 1):
        return None
    size = rows * columns
    if size <= 0 or size * (index + 1) > 8 * len(data):
        return None
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    plane = bits[size * index : size * (index + 1)].reshape(rows, columns).astype(bool)
    return _placed(plane, header.get(base | _ORIGIN), (item.rows, item.columns))


def _placed(plane: NDArray[np.bool_], origin: object, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return an overlay cut to the slice; its origin counts from 1, and may lie outside."""
    row, column = origin if isinstance(origin, tuple) and len(origin) == 2 else (1, 1)
    mask = np.zeros(shape, bool)
    top, left = int(row) - 1, int(column) - 1
    rows = slice(max(0, top), max(0, min(shape[0], top + plane.shape[0])))
    columns = slice(max(0, left), max(0, min(shape[1], left + plane.shape[1])))
    part = plane[max(0, -top) :, max(0, -left) :]
    mask[rows, columns] = part[: rows.stop - rows.start, : columns.stop - columns.start]
    return mask
