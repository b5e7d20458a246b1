"""What a conversion from one format to another keeps and loses, by what each can hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imgconv.spec import Capabilities, FormatSpec

__all__ = ["ASPECTS", "Pair", "compare_formats"]

# Name -> letter and what it means; the flags are those of `spec.Capabilities`.
ASPECTS = {
    "geometry": ("g", "position in the patient"),
    "sheared": ("s", "axes that are not orthogonal (gantry tilt)"),
    "rescale": ("r", "slope and intercept: applied to the values, or refused"),
    "colour": ("c", "colour"),
    "depth": ("b", "colour of more than 8 bits: refused, or made of numbers that the target has"),
    "alpha": ("a", "transparency"),
    "gradients": ("d", "b-values and directions of diffusion"),
    "segments": ("l", "names, codes and colours of labels: a table is written beside"),
    "metadata": ("m", "patient, study, acquisition"),
    "dims": ("t", "a time axis: one file or page per slice or volume"),
    "dtypes": ("n", "some types of numbers"),
    "shown": (
        "v",
        "stored values: volumes are shown as a viewer does; `--values stored` keeps them",
    ),
    "exact": ("x", "exact samples: compressed with loss"),
}
_FLAGS = ("geometry", "sheared", "rescale", "colour", "alpha", "gradients", "segments", "metadata")


@dataclass(frozen=True, slots=True)
class Pair:
    """What one conversion keeps and loses of what its source can hold.

    `kept` and `lost` are names of `ASPECTS`; `dtypes` are the numpy types
    that the target has not.
    """

    source: str
    target: str
    kept: tuple[str, ...]
    lost: tuple[str, ...]
    dtypes: tuple[str, ...] = ()


def compare_formats(specs: Iterable[FormatSpec]) -> tuple[Pair, ...]:
    """Return every pair of a format that is read and another that is written, by name."""
    ordered = sorted(specs, key=lambda spec: spec.name)
    return tuple(
        _compare(source, target)
        for source in ordered
        if source.read and source.capabilities.dtypes
        for target in ordered
        # A format without types of numbers holds documents, not images.
        if target.write and target.capabilities.dtypes and target.name != source.name
    )


def _compare(source: FormatSpec, target: FormatSpec) -> Pair:
    has, holds = source.capabilities, target.capabilities
    missing = tuple(dtype for dtype in has.dtypes if dtype not in holds.dtypes)
    judged = [(flag, getattr(holds, flag)) for flag in _FLAGS if getattr(has, flag)]
    if has.colour and holds.colour and set(has.colour_dtypes) - {"uint8"}:
        judged.append(("depth", set(has.colour_dtypes) <= set(holds.colour_dtypes)))
    judged += [("dims", not _loses_dims(has, holds)), ("dtypes", not missing)]
    if has.geometry:
        judged.append(("shown", not holds.renders))
    judged.append(("exact", holds.lossless))
    return Pair(
        source.name,
        target.name,
        tuple(name for name, kept in judged if kept),
        tuple(name for name, kept in judged if not kept),
        missing,
    )


def _loses_dims(has: Capabilities, holds: Capabilities) -> bool:
    return has.max_dims > holds.max_dims
