"""Images without geometry: files of one frame are stacked, others are an image each.

The frames of a file are slices, or time in a film.

Source
------
PS3.3 C.7.6.6 (multi-frame), C.7.6.5 (cine)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from pathlib import Path

from imgconv.dicom.modality import modality_of
from imgconv.dicom.plan import VolumePlan
from imgconv.dicom.slices import Slice

__all__ = ["plan_unplaced"]

# Modalities whose multi-frame files without positions are films.
_FILMS = frozenset({"US", "IVUS", "XA", "RF", "ES", "XC"})
# Modalities whose files are pictures of their own: projections, views, photographs.
_PICTURES = frozenset(
    {"CR", "DX", "MG", "IO", "PX", "RG", "RTIMAGE", "XC", "GM", "SM", "OP", "DMS"}
)


def plan_unplaced(slices: Sequence[Slice]) -> list[VolumePlan]:
    """Return the images that slices of one kind without position or orientation become."""
    files: dict[Path, list[Slice]] = defaultdict(list)
    for item in slices:
        files[item.header.path].append(item)
    plans = []
    loose: dict[Hashable, list[Slice]] = defaultdict(list)
    for frames in files.values():
        if len(frames) == 1:
            loose[frames[0].variant].append(frames[0])
            continue
        for part in _parts_without_place(frames):
            film = _is_film(part[0]) and len(part) > 1
            volumes = tuple((item,) for item in part) if film else (tuple(part),)
            plans.append(VolumePlan(volumes, None, is_series=film, component=part[0].component))
    for group in loose.values():
        parts = [group] if _are_numbered_slices(group) else [[item] for item in group]
        plans += [
            VolumePlan(
                (tuple(sorted(part, key=lambda item: item.order)),),
                None,
                component=part[0].component,
            )
            for part in parts
        ]
    return plans


def _are_numbered_slices(slices: list[Slice]) -> bool:
    """Whether Instance Numbers put files without a position into an order."""
    numbers = {item.order[0] for item in slices}
    return len(numbers) == len(slices) and modality_of(slices[0].header) not in _PICTURES


def _parts_without_place(frames: list[Slice]) -> list[list[Slice]]:
    parts: dict[Hashable, list[Slice]] = defaultdict(list)
    for item in sorted(frames, key=lambda each: each.order):
        parts[item.variant].append(item)
    return list(parts.values())


def _is_film(item: Slice) -> bool:
    header = item.header
    return (
        modality_of(header) in _FILMS
        or "FrameTime" in header
        or "FrameTimeVector" in header
        or "CineRate" in header
    )
