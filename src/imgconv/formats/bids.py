"""The text files beside a NIfTI volume: BIDS sidecar, FSL's bval and bvec.

All of them speak of the volume as it is stored, so they are made from the
image after its axes were flipped and permuted.

Not supported: the files of a whole BIDS data set (participants, scans,
events).

Source
------
BIDS specification 1.10, "Sidecar files" and "Required gradient orientation
information"; FSL's FDT: vectors along the image axes, with x reversed where
the affine's determinant is positive
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from imgconv import __version__
from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image
from imgconv.core.options import Sidecar

__all__ = ["IDENTIFYING_KEYWORDS", "format_gradients", "format_sidecar"]

# DICOM keywords that a full sidecar has and an anonymised one has not.
IDENTIFYING_KEYWORDS: tuple[str, ...] = (
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "ReferringPhysicianName",
    "StudyID",
    "PatientName",
    "PatientID",
    "AccessionNumber",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "AcquisitionDateTime",
)
_IDENTIFYING_ENDINGS = ("Date", "DateTime", "UID", "PhysicianName", "OperatorsName")
_SOFTWARE = "imgconv"


def format_sidecar(image: Image, sidecar: Sidecar = Sidecar.ANONYMISED) -> str:
    """Return the JSON text of an image's sidecar; empty for `Sidecar.OFF`.

    Parameters
    ----------
    image
        As it is stored.
    sidecar
        `Sidecar.FULL` adds the attributes of `IDENTIFYING_KEYWORDS`, as far
        as the image brings them, and keeps such fields of a sidecar that was
        read; `Sidecar.ANONYMISED` leaves these out, and other fields about
        the patient, dates, UIDs and names of physicians as well.
    """
    if sidecar is Sidecar.OFF:
        return ""
    fields: dict[str, Any] = {}
    if sidecar is Sidecar.FULL:
        shared = image.metadata.shared
        fields |= {name: shared[name] for name in IDENTIFYING_KEYWORDS if name in shared}
        fields |= _iso_date_time(
            fields.get("AcquisitionDateTime"),
            shared.get("AcquisitionDate"),
            image.metadata.bids.get("AcquisitionTime"),
        )
    for name, value in image.metadata.bids.items():
        if sidecar is Sidecar.FULL or not _is_identifying(name):
            fields[name] = value
    fields["ConversionSoftware"] = _SOFTWARE
    fields["ConversionSoftwareVersion"] = __version__
    plain = {name: _plain(value) for name, value in fields.items()}
    kept = {name: value for name, value in plain.items() if value is not None}
    return json.dumps(kept, indent="\t", ensure_ascii=False, allow_nan=False) + "\n"


def _is_identifying(name: str) -> bool:
    """Say if a field may identify a person: sidecars that were read can hold any attribute."""
    return (
        name in IDENTIFYING_KEYWORDS
        or (name.startswith("Patient") and name != "PatientPosition")
        or name.endswith(_IDENTIFYING_ENDINGS)
    )


def _iso_date_time(value: Any, date: Any, time: Any) -> Mapping[str, str]:
    """Return Acquisition DateTime as ISO 8601, as BIDS wants it; else from a date and a time."""
    digits, _, fraction = str(value or "").partition(".")
    if len(digits) == 14 and digits.isdecimal():
        date, clock = digits[:8], digits[8:]
        time = f"{clock[:2]}:{clock[2:4]}:{clock[4:]}" + (f".{fraction}" if fraction else "")
    day = str(date or "")
    if len(day) != 8 or not day.isdecimal() or not time:
        return {}
    return {"AcquisitionDateTime": f"{day[:4]}-{day[4:6]}-{day[6:]}T{time}"}


def _plain(value: Any) -> Any:
    """Return a JSON value; None for what JSON cannot hold."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        parts = [_plain(part) for part in value]
        return None if None in parts else parts
    return None


def format_gradients(image: Image) -> tuple[str, str] | None:
    """Return the texts of the bval and the bvec file; None if the image has no gradients.

    Parameters
    ----------
    image
        As it is stored; ``metadata.per_volume`` has ``DiffusionBValue`` and
        ``DiffusionGradientOrientation``.
    """
    per_volume = image.metadata.per_volume
    b_values = per_volume.get("DiffusionBValue")
    if not b_values or image.geometry is None:
        return None
    directions = per_volume.get("DiffusionGradientOrientation") or (None,) * len(b_values)
    vectors = _image_vectors(image.geometry, directions)
    bval = " ".join(_number(float(value), 6) for value in b_values) + "\n"
    bvec = "".join(" ".join(_number(part, 8) for part in row) + "\n" for row in vectors)
    return bval, bvec


def _image_vectors(geometry: Geometry, directions: tuple[Any, ...]) -> list[list[float]]:
    """Return FSL's vectors as three rows of one column per volume; zero without a direction."""
    axes = (LPS_TO_RAS @ geometry.affine)[:3, :3]
    axes = axes / np.linalg.norm(axes, axis=0)
    table = np.zeros((3, len(directions)))
    for column, direction in enumerate(directions):
        if direction is not None:
            ras = LPS_TO_RAS[:3, :3] @ np.asarray(direction, dtype=np.float64)
            vector = np.linalg.solve(axes, ras)
            length = np.linalg.norm(vector)
            table[:, column] = vector / length if length > 0 else 0.0
    if np.linalg.det(axes) > 0:
        table[0] *= -1
    return [[float(part) for part in row] for row in table]


def _number(value: float, digits: int) -> str:
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
