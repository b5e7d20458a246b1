"""What stands beside and around the samples of a NIfTI file: sidecars, gradients, slice order.

Source: BIDS specification 1.10 (sidecar fields), FSL's FDT (bvec axes),
nifti1.h (slice_code, dim_info).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import write_bytes
from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.errors import CorruptData
from imgconv.records import record

__all__ = [
    "SLICE_POSITIONS",
    "Sidecar",
    "base_of",
    "read_sidecar",
    "slice_fields",
    "slice_positions",
    "volume_seconds",
    "write_sidecars",
]

# Our own field: where slices lie that are not evenly spaced, RAS millimetres.
SLICE_POSITIONS = "SlicePositions"

_MAX_JSON_BYTES = 16 << 20
_MAX_TEXT_BYTES = 64 << 20


@record
class Sidecar:
    """What was found beside a volume."""

    bids: Mapping[str, Any] = field(default_factory=dict)
    per_volume: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()


def base_of(path: Path) -> Path:
    """Return a volume's path without its extensions."""
    name = path.name.removesuffix(".gz")
    for extension in (".nii", ".hdr", ".img"):
        if name.lower().endswith(extension):
            return path.with_name(name[: -len(extension)])
    return path.with_name(name)


def _beside(base: Path, extension: str) -> Path:
    return base.with_name(base.name + extension)


# --- reading --------------------------------------------------------------------------------------


def read_sidecar(path: Path, geometry: Geometry | None, volumes: int) -> Sidecar:
    """Read the JSON, bval and bvec files beside a volume, as far as they exist.

    Raises
    ------
    CorruptData
        One of them is no JSON object, no table of numbers, or has another
        number of volumes.
    """
    base = base_of(path)
    json_path, bval, bvec = (_beside(base, ext) for ext in (".json", ".bval", ".bvec"))
    bids: Mapping[str, Any] = {}
    found = []
    if json_path.is_file():
        bids = _read_json(json_path)
        found.append(json_path)
    per_volume: Mapping[str, tuple[Any, ...]] = {}
    if bval.is_file() and bvec.is_file() and geometry is not None:
        per_volume = _read_gradients(bval, bvec, geometry, volumes)
        found += [bval, bvec]
    return Sidecar(bids, per_volume, tuple(found))


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(_read_text(path, _MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise CorruptData("the sidecar is no JSON", path=path) from error
    if not isinstance(content, dict):
        raise CorruptData("the sidecar holds no JSON object", path=path)
    return content


def _read_text(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise CorruptData(f"cannot be read: {error.strerror}", path=path) from error
    if len(content) > limit:
        raise CorruptData(f"larger than `{limit}` bytes", path=path)
    return content.decode("utf-8-sig")


def _read_gradients(
    bval: Path, bvec: Path, geometry: Geometry, volumes: int
) -> Mapping[str, tuple[Any, ...]]:
    values = _read_numbers(bval).reshape(-1)
    vectors = _read_numbers(bvec)
    if vectors.shape[0] != 3 and vectors.shape[1] == 3:
        vectors = vectors.T
    if values.size != volumes or vectors.shape != (3, volumes):
        raise CorruptData(
            f"gradients for `{values.size}` volumes; the image has {volumes}", path=bval
        )
    axes = (LPS_TO_RAS @ geometry.affine)[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    # FSL's vectors lie along the image axes, with x reversed where the determinant is positive.
    if np.linalg.det(axes) > 0:
        vectors = vectors * [[-1.0], [1.0], [1.0]]
    patient = LPS_TO_RAS[:3, :3] @ axes @ vectors
    directions: list[tuple[float, float, float] | None] = []
    for vector in patient.T:
        length = float(np.linalg.norm(vector))
        x, y, z = vector / length if length > 0 else vector
        directions.append((float(x), float(y), float(z)) if length > 0 else None)
    return {
        "DiffusionBValue": tuple(float(value) for value in values),
        "DiffusionGradientOrientation": tuple(directions),
    }


def _read_numbers(path: Path) -> Any:
    try:
        lines = _read_text(path, _MAX_TEXT_BYTES).replace(",", " ").splitlines()
        rows = [[float(word) for word in line.split()] for line in lines if line.strip()]
        table = np.array(rows, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise CorruptData("no table of numbers", path=path) from error
    if table.size == 0 or not np.isfinite(table).all():
        raise CorruptData("no table of finite numbers", path=path)
    return table


# --- writing --------------------------------------------------------------------------------------


def write_sidecars(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write the JSON, bval and bvec files beside `target`, as far as there is anything to say.

    Parameters
    ----------
    image
        As it is stored.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    from imgconv.formats.bids import format_gradients, format_sidecar

    gradients = format_gradients(image)
    texts = {".json": format_sidecar(_with_positions(image), options.sidecar)}
    if gradients is not None:
        texts[".bval"], texts[".bvec"] = gradients
    base = base_of(target)
    written = []
    for extension, text in texts.items():
        if text:
            path = _beside(base, extension)
            write_bytes(path, text.encode("utf-8"))
            written.append(path)
    return tuple(written)


def _with_positions(image: Image) -> Image:
    """Add the place of each slice where no affine tells it, in the world of NIfTI (RAS)."""
    geometry = image.geometry
    if geometry is None or geometry.slice_positions is None:
        return image
    positions = geometry.slice_positions @ LPS_TO_RAS[:3, :3]
    rows = [[round(float(part), 6) + 0.0 for part in row] for row in positions]
    bids = {**image.metadata.bids, SLICE_POSITIONS: rows}
    return replace(image, metadata=replace(image.metadata, bids=bids))


def slice_positions(bids: Mapping[str, Any], count: int) -> NDArray[np.float64] | None:
    """Return the slice positions in LPS that a sidecar of ours holds, None if it has none.

    Raises
    ------
    CorruptData
        They are not `count` points.
    """
    rows = bids.get(SLICE_POSITIONS)
    if rows is None:
        return None
    try:
        points = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.shape != (count, 3) or not np.isfinite(points).all():
        raise CorruptData(f"`{SLICE_POSITIONS}` of the sidecar are not {count} points")
    positions: NDArray[np.float64] = points @ LPS_TO_RAS[:3, :3]
    return positions


# --- header fields that repeat the sidecar --------------------------------------------------------


def volume_seconds(image: Image) -> float:
    """Return the seconds between volumes for ``pixdim[4]``, 0 if unknown."""
    value: Any = image.metadata.bids.get("RepetitionTime")
    return float(value) if _is_number(value) and value >= 0 else 0.0


def slice_fields(image: Image) -> dict[str, Any]:
    """Return ``dim_info``, ``slice_code`` and its companions as far as they are known."""
    return {"dim_info": _dim_info(image), **_slice_order(image)}


def _dim_info(image: Image) -> int:
    bids = image.metadata.bids
    phase = str(bids.get("PhaseEncodingDirection") or bids.get("PhaseEncodingAxis") or "")[:1]
    slice_letter = str(bids.get("SliceEncodingDirection") or "k")[:1]
    frequency = [letter for letter in "ijk" if letter not in (phase, slice_letter)]
    if phase not in tuple("ijk") or slice_letter not in tuple("ijk") or len(frequency) != 1:
        return 0
    # nifti1.h: bits 0-1 frequency, 2-3 phase, 4-5 slice, each 1 to 3.
    axis = {letter: number for number, letter in enumerate("ijk", 1)}
    return axis[frequency[0]] | axis[phase] << 2 | axis[slice_letter] << 4


def _slice_order(image: Image) -> dict[str, Any]:
    bids = image.metadata.bids
    timing = bids.get("SliceTiming")
    count = image.size_ijk[2]
    if not isinstance(timing, list | tuple) or len(timing) != count or count < 2:
        return {}
    if bids.get("SliceEncodingDirection", "k") != "k" or not all(map(_is_number, timing)):
        return {}
    order = np.argsort(np.asarray(timing, dtype=np.float64), kind="stable")
    if len(set(timing)) != count:  # several at a time: no code says so
        return {}
    for code, expected in _slice_codes(count).items():
        if np.array_equal(order, expected):
            step = float(np.diff(np.sort(np.asarray(timing, dtype=np.float64))).mean())
            return {
                "slice_code": code,
                "slice_start": 0,
                "slice_end": count - 1,
                "slice_duration": step,
            }
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _slice_codes(count: int) -> dict[int, list[int]]:
    """Return the order of acquisition that each NIFTI_SLICE code names."""
    up = list(range(count))
    down = up[::-1]
    return {
        1: up,  # SEQ_INC
        2: down,  # SEQ_DEC
        3: up[::2] + up[1::2],  # ALT_INC
        4: down[::2] + down[1::2],  # ALT_DEC
        5: up[1::2] + up[::2],  # ALT_INC2
        6: down[1::2] + down[::2],  # ALT_DEC2
    }
