"""How a slice wants to be shown: windows, tables, polarity, overlays.

Nothing of it is needed to convert values, so it is looked up only when a
picture is made, slice by slice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.records import record

__all__ = ["Display", "SliceDisplay", "Table", "Window"]


@record
class Window:
    """The real values that are shown from dark to bright.

    `function` is ``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``.

    Source: PS3.3 C.11.2.1.2, C.11.2.1.3
    """

    center: float
    width: float
    function: str = "LINEAR"


@record(eq=False)
class Table:
    """A look-up table: ``values[real - first]`` of so many bits is shown.

    Source: PS3.3 C.11.2.1.1
    """

    first: int
    bits: int
    values: NDArray[np.uint16]


@record(eq=False)
class SliceDisplay:
    """How one slice wants to be shown.

    Parameters
    ----------
    windows, tables
        In the order of preference; both may be empty.
    inverse
        A presentation table that reverses dark and bright; the photometric
        interpretation is not meant.
    overlays
        Masks ``(j, i)`` of what is drawn over the slice.
    """

    windows: tuple[Window, ...] = ()
    tables: tuple[Table, ...] = ()
    inverse: bool = False
    overlays: tuple[NDArray[np.bool_], ...] = ()


@record(eq=False)
class Display:
    """How the slices of one array want to be shown.

    `array` is compared by identity, so that no flipped or cropped image takes
    over what was said of another slice. ``of(t, k)`` looks one slice up.
    """

    array: Any
    of: Callable[[int, int], SliceDisplay]
