"""Family B: sidecars of volumes, their own and those that they inherit.

Source
------
BIDS 1.10: common principles (inheritance), magnetic resonance imaging, positron emission
tomography
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from imgconv.errors import CorruptData
from imgconv.rules.instance import Hit

__all__ = ["check_sidecar", "check_volume_fields", "find_companions", "strip_suffix"]

_MAX_JSON_BYTES = 16 << 20
_MOST_LEVELS = 8
_ROOT_MARK = "dataset_description.json"
_ENTITY = re.compile(r"([a-zA-Z0-9]+)-([a-zA-Z0-9+]+)")
_NIFTI = (".nii.gz", ".nii")
# BIDS suffix -> fields that are REQUIRED in its sidecar; alternatives are joined by a bar.
_REQUIRED = {
    "bold": ("RepetitionTime|VolumeTiming", "TaskName"),
    "cbv": ("RepetitionTime|VolumeTiming", "TaskName"),
    "epi": ("PhaseEncodingDirection", "TotalReadoutTime"),
    "phasediff": ("EchoTime1", "EchoTime2"),
    "phase1": ("EchoTime",),
    "phase2": ("EchoTime",),
    "fieldmap": ("Units",),
    "asl": ("ArterialSpinLabelingType", "RepetitionTimePreparation", "BackgroundSuppression"),
    "pet": (
        *("Units", "TracerName", "TracerRadionuclide", "InjectedRadioactivity", "TimeZero"),
        *("InjectedRadioactivityUnits", "ModeOfAdministration", "ScanStart", "InjectionStart"),
        *("FrameTimesStart", "FrameDuration", "AcquisitionMode", "ImageDecayCorrected"),
    ),
}


def strip_suffix(path: Path) -> str:
    """Return the name of a volume without ``.nii`` or ``.nii.gz``."""
    name = path.name
    for suffix in _NIFTI:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return path.stem


def find_companions(volume: Path, suffix: str) -> list[Path]:
    """Return the files beside a volume that describe it, the nearest last.

    A file of its own name counts anywhere. Below the folder with ``dataset_description.json``,
    files of the folders above count too, if their entities are among the volume's.
    """
    stem = strip_suffix(volume)
    own = volume.with_name(stem + suffix)
    found = [own] if own.is_file() else []
    entities, kind = _parse_name(stem)
    if not entities:
        return found
    for folder in _folders(volume):
        for path in sorted(folder.glob(f"*{kind}{suffix}")):
            theirs, their_kind = _parse_name(path.name[: -len(suffix)])
            if path != own and their_kind == kind and theirs.items() <= entities.items():
                found.insert(0, path)
    return found


def _folders(volume: Path) -> list[Path]:
    """Return the folders from a volume's own to the root of its data set."""
    folders: list[Path] = []
    for folder in list(volume.parents)[:_MOST_LEVELS]:
        folders.append(folder)
        if (folder / _ROOT_MARK).is_file():
            return folders
    return []


def _parse_name(stem: str) -> tuple[dict[str, str], str]:
    """Return the entities of a BIDS name and its suffix; no entities if it is none."""
    *parts, kind = stem.split("_")
    entities = {}
    for part in parts:
        found = _ENTITY.fullmatch(part)
        if found is None:
            return {}, ""
        entities[found[1]] = found[2]
    return entities, kind


def _read_fields(path: Path) -> dict[str, Any]:
    """Return what a sidecar holds, nothing of one that is too large.

    Raises
    ------
    CorruptData
        It is no JSON object; says so.
    """
    if path.stat().st_size > _MAX_JSON_BYTES:
        return {}
    try:
        fields: Any = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise CorruptData("the sidecar is no JSON") from None
    if not isinstance(fields, dict):
        raise CorruptData("the sidecar is no JSON object")
    return fields


def check_volume_fields(
    volume: Path, shape: Sequence[int], repetition_s: float | None
) -> Iterator[Hit]:
    """Compare a volume with what its sidecars say of it (B004, B006, B007).

    Parameters
    ----------
    shape
        Sizes of the axes, the slices third.
    repetition_s
        The time between volumes that the header gives, None if it gives none.
    """
    sidecars = find_companions(volume, ".json")
    if not sidecars:
        yield Hit("B006", "the volume has no sidecar")
        return
    fields: dict[str, Any] = {}
    for sidecar in sidecars:
        with suppress(CorruptData):  # `check_sidecar` tells of it
            fields.update(_read_fields(sidecar))
    timing, repetition = fields.get("SliceTiming"), fields.get("RepetitionTime")
    axis = str(fields.get("SliceEncodingDirection", "k"))[:1]
    number = "ijk".find(axis)
    if (
        isinstance(timing, list)
        and 0 <= number < len(shape)
        and len(timing) not in (0, shape[number])
    ):
        message = "SliceTiming has not one entry per slice of the volume"
        yield Hit("B004", message, "SliceTiming")
    if (
        repetition_s
        and isinstance(repetition, (int, float))
        and abs(repetition - repetition_s) > 0.01 * repetition_s
    ):
        message = "RepetitionTime is not that of the volume's header"
        yield Hit("B004", message, "RepetitionTime", severity="warning")
    yield from _check_required(volume, fields)


def _check_required(volume: Path, fields: Mapping[str, Any]) -> Iterator[Hit]:
    entities, kind = _parse_name(strip_suffix(volume))
    if "sub" not in entities:
        return
    for names in _REQUIRED.get(kind, ()):
        if not any(name in fields for name in names.split("|")):
            name = names.replace("|", " or ")
            yield Hit("B007", f"{name} is missing in the sidecar of a {kind} volume", name)


def check_sidecar(path: Path) -> Iterator[Hit]:
    """Check form and units of a sidecar that lies beside its volume (B004)."""
    if not any(path.with_name(path.stem + suffix).is_file() for suffix in _NIFTI):
        return  # some other JSON
    try:
        fields = _read_fields(path)
    except CorruptData as error:
        yield Hit("B004", error.message)
        return
    for name, unit in (("RepetitionTime", 100.0), ("EchoTime", 1.0)):
        value = fields.get(name)
        if isinstance(value, (int, float)) and not 0 < value <= unit:
            yield Hit("B004", f"{name} is not in seconds", name)
    timing = fields.get("SliceTiming")
    repetition = fields.get("RepetitionTime")
    if (
        isinstance(timing, list)
        and isinstance(repetition, (int, float))
        and any(isinstance(t, (int, float)) and not 0 <= t <= repetition for t in timing)
    ):
        yield Hit("B004", "SliceTiming is not within RepetitionTime", "SliceTiming")
