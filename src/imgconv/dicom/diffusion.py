"""Diffusion weighting: b-value and gradient direction of each volume, for every vendor.

Directions are unit vectors in patient axes (LPS), whatever the vendor's
axes: Siemens, Philips and the standard's attributes are in patient axes
already, UIH in axes of the image, GE and Canon in frequency, phase and slice
axes of the gradient system.

Source
------
PS3.3 C.8.13.5.9 (MR Diffusion macro); the vendors' conformance statements;
https://www.na-mic.org/wiki/NAMIC_Wiki:DTI:DICOM_for_DWI_and_DTI
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from imgconv.core.loss import Loss
from imgconv.dicom.vendors.canon import canon_b_value, canon_direction
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.ge import Ge
from imgconv.dicom.vendors.identity import Vendor, find_vendor
from imgconv.dicom.vendors.philips import philips_b_value, philips_direction
from imgconv.dicom.vendors.siemens import Siemens
from imgconv.dicom.vendors.uih import uih_b_value, uih_direction
from imgconv.records import record

__all__ = ["Gradient", "find_gradient", "find_gradient_losses", "find_gradients"]

Vector = tuple[float, float, float]
_Found = tuple[float | None, Vector | None]

_PHASE = "InPlanePhaseEncodingDirection"
_IN_GRADIENT_AXES = frozenset({Vendor.GE, Vendor.CANON, Vendor.TOSHIBA})
# Larger numbers are no b-values in s/mm2 but what somebody left uninitialised.
# A map has one direction at most; two tell that volumes are weighted images.
_FEWEST_DIRECTIONS = 2
_MAX_B_VALUE = 1e6
# Shorter vectors are rounding noise or a missing direction.
_MIN_LENGTH = 0.01


@record
class Gradient:
    """The diffusion weighting of one volume.

    Parameters
    ----------
    b_value
        In s/mm2.
    direction
        Unit vector in patient axes, LPS; None for b = 0 and for an average
        over directions.
    """

    b_value: float
    direction: Vector | None = None


def find_gradients(acquisition: Acquisition) -> tuple[Gradient, ...] | None:
    """Return one gradient per volume; None if the image is not diffusion weighted.

    Volumes without a b-value count as b = 0: some vendors write it only where
    a gradient was switched on. Derived maps (FA, ADC) have no gradients;
    derived volumes of several directions (registered, converted) have.
    """
    first = acquisition.first
    is_derived = first.texts("ImageType")[:1] == ("DERIVED",)
    if is_derived and len(acquisition.frames) < _FEWEST_DIRECTIONS:
        return None
    found = [find_gradient(volume[0]) for volume in acquisition.frames if volume]
    gradients = tuple(gradient or Gradient(0.0) for gradient in found)
    if is_derived and len({gradient.direction for gradient in gradients} - {None}) < (
        _FEWEST_DIRECTIONS
    ):
        return None
    if any(gradient.b_value > 0 for gradient in gradients):
        return gradients
    return gradients if _is_diffusion(first) else None


def find_gradient_losses(acquisition: Acquisition) -> tuple[Loss, ...]:
    """Return what had to be assumed to tell the directions of `find_gradients`."""
    first = acquisition.first
    if find_vendor(first) not in _IN_GRADIENT_AXES or first.text(_PHASE):
        return ()
    if all(gradient.direction is None for gradient in find_gradients(acquisition) or ()):
        return ()
    message = f"the header has no {_PHASE}, which gradients need; COL is assumed"
    return (Loss("assumed-gradient-axes", message, harmful=False),)


def find_gradient(facts: Facts) -> Gradient | None:
    """Return a frame's diffusion weighting; None if the header has no b-value."""
    vendor = find_vendor(facts)
    b_value, direction = _READERS.get(vendor, _read_standard)(facts)
    if b_value is None or not 0 <= b_value <= _MAX_B_VALUE:
        return None
    if facts.text("DiffusionDirectionality") == "ISOTROPIC" or b_value == 0:
        direction = None
    return Gradient(b_value, _unit(direction))


def _is_diffusion(facts: Facts) -> bool:
    """Say if this is a diffusion series, even if all its volumes have b = 0."""
    return facts.text("AcquisitionContrast") == "DIFFUSION" or "DIFFUSION" in facts.texts(
        "ImageType"
    )


def _unit(vector: Vector | None) -> Vector | None:
    if vector is None:
        return None
    length = math.sqrt(sum(part * part for part in vector))
    if not _MIN_LENGTH < length < math.inf:
        return None
    return vector[0] / length, vector[1] / length, vector[2] / length


def _triple(values: tuple[float, ...]) -> Vector | None:
    return (values[0], values[1], values[2]) if len(values) == 3 else None


def _read_standard(facts: Facts) -> _Found:
    return facts.number("DiffusionBValue"), _triple(facts.numbers("DiffusionGradientOrientation"))


def _read_siemens(facts: Facts) -> _Found:
    b_value, direction = _read_standard(facts)
    if facts.groups and b_value is not None:
        return b_value, direction
    siemens = Siemens(facts)
    private = siemens.diffusion_b_value()
    if private is None:
        return b_value, direction
    return private, _triple(siemens.diffusion_direction())


def _read_philips(facts: Facts) -> _Found:
    b_value, direction = _read_standard(facts)
    if b_value is None:
        b_value = philips_b_value(facts)
    if direction is None or not any(direction):
        direction = _triple(philips_direction(facts))
    return b_value, direction


def _read_uih(facts: Facts) -> _Found:
    b_value, direction = _read_standard(facts)
    actual = uih_b_value(facts)
    in_image = _triple(uih_direction(facts))
    if in_image is not None:
        direction = _from_image_axes(facts, in_image)
    return (actual if actual is not None else b_value), direction


def _read_canon(facts: Facts) -> _Found:
    b_value, direction = _read_standard(facts)
    commented = canon_b_value(facts)
    if commented is None:
        return b_value, direction
    phase, frequency, third = canon_direction(facts)
    direction = _from_gradient_axes(facts, (frequency, phase, third))
    return (b_value if b_value is not None else commented), direction


def _read_ge(facts: Facts) -> _Found:
    ge = Ge(facts)
    b_value = ge.diffusion_b_value()
    logical = _triple(ge.diffusion_direction())
    if b_value is None or logical is None:
        return _read_standard(facts)
    if b_value == 0:
        return 0.0, None
    length = math.sqrt(sum(part * part for part in logical))
    if 0.03 < length < 0.97:  # a lower shell: the gradient is scaled, the b-value is not
        b_value = max(5 * round(b_value * length * length / 5), 5)
    return b_value, _from_gradient_axes(facts, logical)


# By the plane (dominant axis of the normal: sagittal, coronal, axial) and the direction of phase
# encoding: which of frequency, phase and slice, with which sign, lies along rows, columns and
# the normal (row x column) of the image.
_GRADIENT_AXES: dict[tuple[int, str], tuple[tuple[int, int], ...]] = {
    (0, "COL"): ((0, 1), (1, 1), (2, -1)),
    (0, "ROW"): ((1, 1), (0, -1), (2, -1)),
    (1, "COL"): ((0, -1), (1, 1), (2, 1)),
    (1, "ROW"): ((1, 1), (0, 1), (2, 1)),
    (2, "COL"): ((0, -1), (1, -1), (2, 1)),
    (2, "ROW"): ((1, -1), (0, 1), (2, 1)),
}


def _from_gradient_axes(facts: Facts, logical: Vector) -> Vector | None:
    """Turn a vector in frequency, phase and slice axes into patient axes."""
    axes = _image_axes(facts)
    if axes is None:
        return None
    plane = int(np.argmax(np.abs(axes[:, 2])))
    phase = "ROW" if facts.text(_PHASE) == "ROW" else "COL"
    first, second, third = (sign * logical[number] for number, sign in _GRADIENT_AXES[plane, phase])
    return _from_image_axes(facts, (first, second, third))


def _image_axes(facts: Facts) -> NDArray[np.float64] | None:
    """Return a matrix whose columns are row, column and normal direction in patient axes."""
    values = facts.numbers("ImageOrientationPatient")
    if len(values) != 6:
        return None
    row, column = np.array(values[:3]), np.array(values[3:])
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _from_image_axes(facts: Facts, vector: Vector) -> Vector | None:
    axes = _image_axes(facts)
    if axes is None:
        return None
    turned = axes @ np.array(vector)
    return float(turned[0]), float(turned[1]), float(turned[2])


_READERS: dict[Vendor, Callable[[Facts], _Found]] = {
    Vendor.SIEMENS: _read_siemens,
    Vendor.PHILIPS: _read_philips,
    Vendor.GE: _read_ge,
    Vendor.UIH: _read_uih,
    Vendor.CANON: _read_canon,
    Vendor.TOSHIBA: _read_canon,
}
