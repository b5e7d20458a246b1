"""United Imaging: private attributes of classic and grid objects.

Source
------
The vendor's table of private attributes, published in
https://github.com/rordenlab/dcm2niix/issues/225
"""

from __future__ import annotations

import re
from typing import Any

from imgconv.dicom.header import Header
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.timing import first_plausible, seconds_of_day, slice_times

__all__ = [
    "uih_b_value",
    "uih_direction",
    "uih_fields",
    "uih_readout_time",
    "uih_slice_times",
    "uih_start",
]

_CREATOR = "Image Private Header"
_GROUP = 0x65
_VOLUME_SEQUENCE = 0x51
# Parallel Information: ratio and acceleration, as in ``PPA-2 PF-0.75`` or ``2``
_ACCELERATION = re.compile(r"(\d+(?:\.\d+)?)")


def uih_b_value(facts: Facts) -> float | None:
    """Return the b-value in s/mm2 that the sequence really had."""
    return facts.private_number(_GROUP, _CREATOR, 0x09, "FD")


def uih_direction(facts: Facts) -> tuple[float, ...]:
    """Return the gradient's unit vector; empty if there is none."""
    return facts.private_numbers(_GROUP, _CREATOR, 0x37, "FD")


def uih_slice_times(
    acquisition: Acquisition, repetition_time: float | None
) -> tuple[float, ...] | None:
    """Return when each slice starts, in s after the first, in array order; None if unknown."""
    if not acquisition.is_tiled:
        return slice_times(acquisition, repetition_time)
    candidates = (
        acquisition.in_array_order(_grid_times(volume[0])) for volume in acquisition.frames
    )
    return first_plausible(candidates, acquisition.slice_count, repetition_time)


def _grid_times(facts: Facts) -> tuple[float, ...]:
    items = facts.private(_GROUP, _CREATOR, _VOLUME_SEQUENCE, "SQ")
    if not isinstance(items, tuple):
        return ()
    seconds = []
    for item in items:
        if isinstance(item, Header):
            time = seconds_of_day(Facts(item).text("AcquisitionTime", "AcquisitionDateTime"))
            if time is not None:
                seconds.append(time)
    return tuple(seconds)


def uih_start(facts: Facts) -> float | None:
    """Return when the first slice of a grid was acquired, in seconds of the day."""
    return min(_grid_times(facts), default=None)


def uih_readout_time(facts: Facts) -> float | None:
    """Return the total readout time in s: Acquisition Duration of a slice, in ms."""
    duration = facts.number("AcquisitionDuration")
    if duration is None:
        items = facts.private(_GROUP, _CREATOR, _VOLUME_SEQUENCE, "SQ")
        if isinstance(items, tuple) and items and isinstance(items[0], Header):
            duration = Facts(items[0]).number("AcquisitionDuration")
    return None if duration is None else duration / 1000


def uih_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the sidecar fields that only the vendor's private attributes hold."""
    facts = acquisition.first
    # Acquisition Duration is a slice's, in milliseconds: it becomes the readout time.
    fields: dict[str, Any] = {"AcquisitionDuration": None}
    direction = facts.private_text(_GROUP, _CREATOR, 0x05, "SH")
    if direction:
        fields["PhaseEncodingDirectionDisplayed"] = direction
    orientation = facts.private_text(_GROUP, _CREATOR, 0x02, "SH")
    if orientation:
        fields["ImageOrientationText"] = orientation
    coil = facts.private_text(_GROUP, _CREATOR, 0x03)
    if coil:
        fields["ReceiveCoilName"] = coil
    acceleration = _ACCELERATION.search(facts.private_text(_GROUP, _CREATOR, 0x0D, "SH"))
    if acceleration is not None and float(acceleration[1]) >= 1:
        fields["ParallelReductionFactorInPlane"] = float(acceleration[1])
    return fields
