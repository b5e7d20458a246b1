"""Diffusion gradients in NRRD, as the DWMRI convention of NA-MIC has them.

One maximal b-value is stated; each gradient's length is the square root of
its share of it. Gradients are given in the measurement frame, whose columns
stand in the space of the image.

Source: https://www.na-mic.org/wiki/NAMIC_Wiki:DTI:Nrrd_format
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image
from imgconv.errors import CorruptData
from imgconv.formats.nrrd_header import NrrdHeader

__all__ = ["format_gradients", "has_gradients", "parse_gradients"]

_B_VALUE = "DWMRI_b-value"
_GRADIENT = re.compile(r"DWMRI_gradient_(\d{4,})")
_REPEAT = re.compile(r"DWMRI_NEX_(\d{4,})")


def has_gradients(image: Image) -> bool:
    """Whether an image has b-values and directions."""
    return "DiffusionBValue" in image.metadata.per_volume


def format_gradients(image: Image) -> dict[str, str]:
    """Return the key/value pairs of an image in LPS space, none if it has no gradients."""
    if not has_gradients(image):
        return {}
    per_volume = image.metadata.per_volume
    b_values = [float(value or 0.0) for value in per_volume["DiffusionBValue"]]
    directions = per_volume.get("DiffusionGradientOrientation", (None,) * len(b_values))
    largest = max(b_values, default=0.0)
    pairs = {"modality": "DWMRI", _B_VALUE: f"{largest:.10g}"}
    for number, (b_value, direction) in enumerate(zip(b_values, directions, strict=True)):
        share = math.sqrt(b_value / largest) if largest > 0 else 0.0
        vector = (0.0, 0.0, 0.0) if direction is None else direction
        text = "   ".join(f"{share * part:.12g}" for part in vector)
        pairs[f"DWMRI_gradient_{number:04d}"] = text
    return pairs


def parse_gradients(
    header: NrrdHeader, to_lps: NDArray[np.float64], volumes: int
) -> Mapping[str, tuple[Any, ...]]:
    """Return b-values (s/mm2) and unit directions (LPS) per volume, nothing without any.

    Parameters
    ----------
    to_lps
        3x3, from the header's space to LPS.
    volumes
        The length of the axis that they belong to.

    Raises
    ------
    CorruptData
        Their number is another, or one of them is no vector.
    """
    if header.pairs.get("modality", "").strip() != "DWMRI":
        return {}
    vectors = _vectors(header.pairs)
    if len(vectors) != volumes:
        raise CorruptData(f"`{len(vectors)}` gradients; the image has {volumes} volumes")
    try:
        largest = float(header.pairs[_B_VALUE])
    except (KeyError, ValueError):
        raise CorruptData(f"`{_B_VALUE}` is missing or no number") from None
    rotation = to_lps @ _measurement_frame(header)
    longest = max((float(np.linalg.norm(vector)) for vector in vectors), default=0.0)
    b_values: list[float] = []
    directions: list[tuple[float, ...] | None] = []
    for vector in vectors:
        length = float(np.linalg.norm(vector))
        b_values.append(round(largest * (length / longest) ** 2, 6) if longest else 0.0)
        unit = rotation @ vector / length if length else vector
        directions.append(tuple(float(part) for part in unit) if length else None)
    return {
        "DiffusionBValue": tuple(b_values),
        "DiffusionGradientOrientation": tuple(directions),
    }


def _vectors(pairs: Mapping[str, str]) -> list[NDArray[np.float64]]:
    numbered: dict[int, NDArray[np.float64]] = {}
    repeats: dict[int, int] = {}
    for key, value in pairs.items():
        if match := _GRADIENT.fullmatch(key):
            numbered[int(match[1])] = _three(value)
        elif match := _REPEAT.fullmatch(key):
            repeats[int(match[1])] = min(int(value), 1 << 16) if value.strip().isdigit() else 1
    vectors = []
    for number in sorted(numbered):
        vectors += [numbered[number]] * repeats.get(number, 1)
    return vectors


def _three(text: str) -> NDArray[np.float64]:
    try:
        vector = np.array([float(word) for word in text.split()])
    except ValueError:
        vector = np.empty(0)
    if vector.shape != (3,) or not np.isfinite(vector).all():
        raise CorruptData("a DWMRI gradient is no vector of three numbers")
    return vector


def _measurement_frame(header: NrrdHeader) -> NDArray[np.float64]:
    columns = header.vectors("measurement frame")
    if not columns:
        return np.eye(3)
    given = [column for column in columns if column is not None and column.shape == (3,)]
    if len(given) != 3:
        raise CorruptData("the measurement frame has not three vectors of three numbers")
    return np.stack(given, axis=1)
