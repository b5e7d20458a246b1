"""Vectors of a few numbers, where importing numpy would cost more than the work."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Vector", "dot", "normal_of"]

Vector = tuple[float, float, float]


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the scalar product of two vectors of equal length."""
    return sum(x * y for x, y in zip(a, b, strict=True))


def normal_of(values: Sequence[float]) -> Vector:
    """Return the cross product of the row and column direction (six numbers)."""
    a, b, c, d, e, f = values
    return (b * f - c * e, c * d - a * f, a * e - b * d)
