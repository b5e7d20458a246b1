"""Turn the samples of a slice into gray or colour as a viewer shows it.

The order is the standard's: modality (slope and intercept), values of
interest (window or table), presentation (polarity), then overlays.

Source: PS3.3 C.11.1, C.11.2, C.11.6; PS3.4 N.2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.display import SliceDisplay, Table, Window
from imgconv.core.image import Image
from imgconv.core.values import ValueMap

__all__ = ["auto_window", "composite", "full_window", "render_slice", "to_bytes"]

# Of the values of an image, those between these are shown if nothing says which: outliers such as
# metal or vessels must not make all else dark.
_AUTO_PERCENTILES = (0.5, 99.5)
_MAX_SAMPLED = 1 << 20

Bytes = NDArray[np.uint8]


def render_slice(
    plane: NDArray[Any],
    values: ValueMap,
    display: SliceDisplay,
    window: Window | None,
    *,
    overlays: bool = False,
) -> Bytes:
    """Return a slice as 8 bits.

    Parameters
    ----------
    plane
        Stored samples, ``(j, i)`` or ``(j, i, c)``.
    display
        What the slice's own header says.
    window
        Used instead of the header's window or table; None to use these.
    overlays
        Draw them, white.

    Returns
    -------
    ndarray
        ``(j, i)``, or ``(j, i, c)`` for colour.
    """
    if plane.ndim == 3:
        shown = to_bytes(plane, values.bits_stored)
    else:
        shown = _render_gray(plane, values, display, window)
    if overlays:
        for mask in display.overlays:
            shown[mask] = 255
    return shown


def _render_gray(
    plane: NDArray[Any], values: ValueMap, display: SliceDisplay, window: Window | None
) -> Bytes:
    rescale = values.rescale
    real = plane.astype(np.float64) * rescale.slope + rescale.intercept
    if window is None and display.windows:
        window = display.windows[0]
    if window is not None:
        shown = _apply_window(real, window)
    elif display.tables:
        shown = _apply_table(real, display.tables[0])
    else:
        shown = _apply_window(real, full_window(values, plane.dtype))
    if display.inverse != (values.photometric == "MONOCHROME1"):
        shown = 255 - shown
    return shown


def _apply_window(real: NDArray[np.float64], window: Window) -> Bytes:
    fraction = _FUNCTIONS.get(window.function, _linear)(real, window)
    shown: Bytes = np.rint(np.nan_to_num(np.clip(fraction, 0, 1), nan=0.0) * 255).astype(np.uint8)
    return shown


def _linear(real: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    if window.width <= 1:  # a threshold; C.11.2.1.2.1
        step: NDArray[np.float64] = (real > window.center - 0.5).astype(np.float64)
        return step
    return (real - (window.center - 0.5)) / (window.width - 1) + 0.5


def _linear_exact(real: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    if window.width <= 0:
        step: NDArray[np.float64] = (real > window.center).astype(np.float64)
        return step
    return (real - window.center) / window.width + 0.5


def _sigmoid(real: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    steepness = np.clip(-4 * (real - window.center) / (window.width or 1.0), -700, 700)
    curve: NDArray[np.float64] = 1 / (1 + np.exp(steepness))
    return curve


_FUNCTIONS: dict[str, Callable[[NDArray[np.float64], Window], NDArray[np.float64]]] = {
    "LINEAR": _linear,
    "LINEAR_EXACT": _linear_exact,
    "SIGMOID": _sigmoid,
}


def _apply_table(real: NDArray[np.float64], table: Table) -> Bytes:
    index = np.clip(np.nan_to_num(real) - table.first, 0, len(table.values) - 1).astype(np.intp)
    full = (1 << table.bits) - 1
    shown: Bytes = np.rint(np.minimum(table.values[index], full) * (255 / full)).astype(np.uint8)
    return shown


def to_bytes(samples: NDArray[Any], bits_stored: int | None) -> Bytes:
    """Return colour samples as 8 bits; floats are taken for 0 to 1."""
    bits = bits_stored or 8 * samples.dtype.itemsize
    if bits <= 8 and samples.dtype == np.uint8:
        return samples.copy()
    full = 1 if samples.dtype.kind == "f" else (1 << bits) - 1
    scaled = np.nan_to_num(np.clip(samples, 0, full).astype(np.float64)) * (255 / full)
    shown: Bytes = np.rint(scaled).astype(np.uint8)
    return shown


def full_window(values: ValueMap, dtype: np.dtype[Any]) -> Window:
    """Return the window of all values that the stored type can have; 0 to 1 for floats."""
    if dtype.kind == "f":
        low, high = 0.0, 1.0
    else:
        bits = values.bits_stored or 8 * dtype.itemsize
        low = -float(1 << (bits - 1)) if dtype.kind == "i" else 0.0
        high = low + float((1 << bits) - 1)
    ends = sorted(values.rescale.slope * end + values.rescale.intercept for end in (low, high))
    return _between(ends[0], ends[1])


def auto_window(image: Image) -> Window:
    """Return a window of the middle 99 percent of an image's values, padding left out.

    All slices share it, so that their brightness can be compared. A million
    samples, evenly spaced, are looked at.
    """
    parts = []
    budget = max(1, _MAX_SAMPLED // image.volume_count)
    for volume in image.iter_volumes():
        flat = volume.reshape(-1)
        parts.append(flat[:: max(1, flat.size // budget)])
    samples = np.concatenate(parts)
    kept = samples[np.isfinite(samples)] if samples.dtype.kind == "f" else samples
    padding = image.values.padding
    if padding is not None:
        inside = kept[(kept < min(padding)) | (kept > max(padding))]
        kept = inside if inside.size else kept
    if kept.size == 0:
        return Window(0.5, 1.0, "LINEAR_EXACT")
    low, high = np.percentile(kept.astype(np.float64), _AUTO_PERCENTILES)
    rescale = image.values.rescale
    ends = sorted(rescale.slope * end + rescale.intercept for end in (float(low), float(high)))
    return _between(ends[0], ends[1])


def _between(low: float, high: float) -> Window:
    """Return the window that shows `low` black and `high` white."""
    return Window((low + high) / 2, max(high - low, 1e-9), "LINEAR_EXACT")


def composite(samples: NDArray[Any], background: int) -> NDArray[Any]:
    """Return RGB of RGBA samples over a gray background.

    Parameters
    ----------
    samples
        ``(..., 4)``, unsigned integers, unassociated alpha.
    background
        In the range of the samples.
    """
    full = np.iinfo(samples.dtype).max
    alpha = samples[..., 3:].astype(np.float64) / full
    mixed = samples[..., :3] * alpha + background * (1 - alpha)
    rgb: NDArray[Any] = np.rint(mixed).astype(samples.dtype)
    return rgb
