"""When the slices of a volume were acquired, from the times in the headers.

Times come as one list per volume, in array order. They are shifted so that
the first slice starts at 0, and refused if they do not fit into one
repetition: some releases write the times of a single-band scan, of another
volume, or of the reconstruction.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from imgconv.dicom.vendors.facts import Acquisition, Facts

__all__ = [
    "acquisition_seconds",
    "first_plausible",
    "multiband_factor",
    "relative_times",
    "seconds_of_day",
    "slice_times",
]

_DAY_SECONDS = 86400.0
# The first volume is often wrong (dummy scans, reference scans), later ones hardly ever.
_MAX_VOLUMES = 4
# Scanner clocks tick every 2.5 ms: times closer than that are one excitation.
_TICK_SECONDS = 0.0025


def seconds_of_day(text: str) -> float | None:
    """Return the time of day in seconds from a DICOM time or date time; None if unreadable.

    A time has the form ``HHMMSS.FFFFFF``, a date time 8 digits in front of it
    and perhaps an offset from UTC behind it.

    Source
    ------
    PS3.5 6.2, TM and DT
    """
    digits, _, fraction = text.strip().partition(".")
    digits = digits.replace(":", "")
    if len(digits) > 8:
        digits = digits[8:]
    fraction = fraction.split("+", 1)[0].split("-", 1)[0]
    if len(digits) < 6 or not digits.isdecimal() or not (fraction or "0").isdecimal():
        return None
    hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return hours * 3600 + minutes * 60 + seconds + float(f"0.{fraction or '0'}")


def acquisition_seconds(facts: Facts) -> float | None:
    """Return when a frame was acquired, in seconds of its day."""
    text = facts.text("FrameAcquisitionDateTime") or facts.text(
        "AcquisitionTime", "AcquisitionDateTime"
    )
    return seconds_of_day(text)


def relative_times(seconds: Sequence[float]) -> tuple[float, ...]:
    """Return times relative to the earliest, across midnight if need be."""
    if not seconds:
        return ()
    if max(seconds) - min(seconds) > _DAY_SECONDS / 2:
        seconds = [time - _DAY_SECONDS if time > _DAY_SECONDS / 2 else time for time in seconds]
    start = min(seconds)
    return tuple(time - start for time in seconds)


def first_plausible(
    candidates: Iterable[Sequence[float]], slice_count: int, repetition_time: float | None
) -> tuple[float, ...] | None:
    """Return a list of times that can be those of one volume, None if there is none.

    It is the first plausible one, or the second if these two spread over
    different times: the first volume is the one that tends to be off.

    Parameters
    ----------
    candidates
        One list per volume, in seconds of the day or relative.
    slice_count
        How many entries a list must have.
    repetition_time
        In seconds; None if unknown, then any spread is accepted.
    """
    plausible: list[tuple[float, ...]] = []
    for seconds in islice(candidates, _MAX_VOLUMES):
        times = relative_times(seconds)
        if len(times) != slice_count or max(times) <= 0:
            continue
        if repetition_time is None or max(times) < repetition_time:
            plausible.append(times)
            if len(plausible) == 2:
                break
    if len(plausible) == 2 and not math.isclose(max(plausible[0]), max(plausible[1])):
        return plausible[1]
    return plausible[0] if plausible else None


def slice_times(
    acquisition: Acquisition,
    repetition_time: float | None,
    time_of: Callable[[Facts], float | None] = acquisition_seconds,
) -> tuple[float, ...] | None:
    """Return the slices' times from one time per frame, None if they are not plausible."""
    # The second volume is the one to trust, as with the lists that mosaics have.
    order = (*acquisition.frames[1:2], *acquisition.frames[:1], *acquisition.frames[2:])

    def volumes() -> Iterable[Sequence[float]]:
        for volume in order:
            times = [time_of(facts) for facts in volume]
            yield [time for time in times if time is not None]

    return next(
        (
            times
            for seconds in islice(volumes(), _MAX_VOLUMES)
            if (times := first_plausible([seconds], acquisition.slice_count, repetition_time))
        ),
        None,
    )


def multiband_factor(times: Sequence[float]) -> int:
    """Return how many slices are excited at once, 1 if they do not form equal groups."""
    together = sum(time < _TICK_SECONDS for time in relative_times(times))
    groups = len({round(time / _TICK_SECONDS) for time in times})
    return together if together > 1 and together * groups == len(times) else 1
