"""Sort the slices of one series into images: kinds, locations, time points.

The rules, in this order: slices of another size, pixel layout, component,
frame of reference, echo time, pixel spacing or orientation are another
image; what repeats at a location is told apart by image type or coil, else
it is a time series. Isotropic diffusion images leave a series that has
directions. Missing slices are an error, never closed up.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imgconv.core.loss import Loss
from imgconv.core.options import Merge, ReadOptions
from imgconv.dicom.plan import Outcome, Problem, VolumePlan
from imgconv.dicom.positions import Locations, find_gaps, geometry_of, locate
from imgconv.dicom.slices import Slice
from imgconv.dicom.timepoints import Grid, arrange
from imgconv.dicom.unplaced import plan_unplaced
from imgconv.dicom.vendors.component import Component
from imgconv.errors import CorruptData, GeometryError, InputError

__all__ = ["plan_volumes"]

# Direction cosines closer than this are the same orientation: 0.06 degrees.
_SAME_ORIENTATION = 1e-3
# Relative difference of pixel spacings.
_SAME_SPACING = 1e-3
_MISSING = "missing-slices"

_SUFFIXES = {
    Component.PHASE: "ph",
    Component.REAL: "real",
    Component.IMAGINARY: "imaginary",
    Component.FIELD_MAP_HZ: "fieldmaphz",
}


def plan_volumes(
    slices: Sequence[Slice], options: ReadOptions
) -> tuple[tuple[VolumePlan, ...], list[Problem]]:
    """Return the images that the slices of one series become, and what could not be done."""
    plans: list[VolumePlan] = []
    problems: list[Problem] = []
    for group in _kinds(slices, options.merge):
        try:
            made, dropped = _plan_kind(group, options)
        except InputError as error:
            problems.append(_failed(group, error))
            continue
        plans += made
        problems += dropped
    plans.sort(key=lambda plan: min(item.order for item in plan.volumes[0]))
    return _with_suffixes(plans), problems


def _kinds(slices: Sequence[Slice], merge: Merge) -> list[list[Slice]]:
    """Part slices that cannot be in one image."""
    exact: dict[Hashable, list[Slice]] = defaultdict(list)
    shares_frames = _shares_frames_of_reference(slices)
    for item in slices:
        echo = None if merge is Merge.SERIES else _echo_key(item)
        kind = item.kind if shares_frames else item.kind[:2]
        exact[item.rows, item.columns, item.pixels, kind, echo, bool(item.position)].append(item)
    groups: list[list[Slice]] = []
    for group in exact.values():
        for alike in _cluster(group, lambda item: item.orientation, _SAME_ORIENTATION):
            groups += _cluster(alike, _log_spacing, _SAME_SPACING)
    return groups


def _shares_frames_of_reference(slices: Sequence[Slice]) -> bool:
    """Whether frames of reference say anything: some de-identifiers give each file its own."""
    files = {item.header.path for item in slices}
    return len(files) < 2 or len({item.kind[2] for item in slices}) < len(files)


def _echo_key(item: Slice) -> float | None:
    if item.echo_time is not None:
        return round(item.echo_time, 2)
    return item.echo_number


def _log_spacing(item: Slice) -> tuple[float, ...]:
    return tuple(math.log(value) if value > 0 else 0.0 for value in item.spacing)


def _cluster(
    slices: Iterable[Slice], value_of: Callable[[Slice], tuple[float, ...]], tolerance: float
) -> list[list[Slice]]:
    """Group slices whose values differ by no more than the tolerance from the group's first."""
    clusters: list[tuple[tuple[float, ...], list[Slice]]] = []
    by_value: dict[tuple[float, ...], list[Slice]] = {}
    for item in slices:
        value = value_of(item)
        members = by_value.get(value)
        if members is None:
            for centre, found in clusters:
                if len(centre) == len(value) and all(
                    abs(a - b) <= tolerance for a, b in zip(centre, value, strict=True)
                ):
                    members = found
                    break
            else:
                members = []
                clusters.append((value, members))
            by_value[value] = members
        members.append(item)
    return [members for _, members in clusters]


def _plan_kind(slices: list[Slice], options: ReadOptions) -> tuple[list[VolumePlan], list[Problem]]:
    _require_pixels(slices)
    if not slices[0].position or not slices[0].orientation:
        return plan_unplaced(slices), []
    if slices[0].tile >= 0:
        return [_tiled(part) for part in _tiled_parts(slices, options.merge)], []
    plans: list[VolumePlan] = []
    problems: list[Problem] = []
    for part in _all_parts(slices, options.merge):
        made, dropped = _stack(part, options)
        plans += made
        problems += dropped
    return plans, problems


def _all_parts(slices: list[Slice], merge: Merge) -> Iterable[list[Slice]]:
    for stack in _stacks(slices):
        yield from [stack] if merge is Merge.SERIES else _parts(stack)


def _stacks(slices: list[Slice]) -> list[list[Slice]]:
    """Part stacks of an enhanced object that have no location in common."""
    stacks: dict[str, list[Slice]] = defaultdict(list)
    for item in slices:
        stacks[item.stack].append(item)
    if len(stacks) > 1:
        index = locate(slices).index.tolist()
        places = [
            {place for place, item in zip(index, slices, strict=True) if item.stack == stack}
            for stack in stacks
        ]
        if sum(len(part) for part in places) == len(set.union(*places)):
            return list(stacks.values())
    return [slices]


def _require_pixels(slices: Iterable[Slice]) -> None:
    """Raise unless the files are long enough for their native pixel data."""
    for item in slices:
        pixels = item.header.pixel_data
        if pixels is not None and not pixels.encapsulated and pixels.available < pixels.length:
            raise CorruptData(
                f"the file ends within its pixel data, after `{pixels.available}` bytes; "
                f"expected {pixels.length}",
                path=item.header.path,
            )


def _parts(slices: list[Slice]) -> list[list[Slice]]:
    """Part what repeats at the same location but is no time series."""
    isotropic = [item for item in slices if item.isotropic]
    directed = [item for item in slices if not item.isotropic]
    if isotropic and any(_has_direction(item) for item in directed):
        return [part for group in (directed, isotropic) for part in _parts_by_variant(group)]
    return _parts_by_variant(slices)


def _has_direction(item: Slice) -> bool:
    diffusion = item.timing.diffusion
    return diffusion is not None and diffusion[-1] is not None and any(diffusion[-1])


def _parts_by_variant(slices: list[Slice]) -> list[list[Slice]]:
    variants: dict[Hashable, list[Slice]] = defaultdict(list)
    for item in slices:
        variants[item.variant].append(item)
    if len(variants) < 2:
        return [slices]
    index = locate(slices).index.tolist()
    counts: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for place, item in zip(index, slices, strict=True):
        counts[item.variant][place] += 1
    is_repeated = sum(map(len, counts.values())) > len(set(index))
    # Variants of which none is whole do not tell images apart: their values alternate.
    is_whole = any(len(set(places.values())) == 1 for places in counts.values())
    return list(variants.values()) if is_repeated and is_whole else [slices]


def _stack(slices: list[Slice], options: ReadOptions) -> tuple[list[VolumePlan], list[Problem]]:
    locations = locate(slices)
    grid = arrange(slices, locations)
    missing = _count_missing(grid, locations, slices)
    if missing:
        parts = _acquisitions(slices, locations)
        if parts:
            return [plan for part in parts for plan in _stack(part, options)[0]], []
        if not {_MISSING, "all"} & options.allow:
            raise _missing_error(grid, locations, missing)
    if not grid.volumes:
        raise _missing_error(grid, locations, missing)
    losses, problems = _accepted(grid, missing)
    geometry = geometry_of(grid.volumes[0], locations.origins)
    if options.merge is Merge.NEVER:
        return [
            VolumePlan((volume,), geometry, component=volume[0].component, losses=losses)
            for volume in grid.volumes
        ], problems
    return [
        VolumePlan(
            grid.volumes,
            geometry,
            is_series=len(grid.volumes) > 1,
            component=slices[0].component,
            losses=losses,
        )
    ], problems


def _count_missing(grid: Grid, locations: Locations, slices: list[Slice]) -> int:
    if grid.incomplete:
        return max(1, grid.missing_count)
    if "LOCALIZER" in slices[0].variant[0]:
        return 0  # its planes are put where somebody wanted to look, at no regular distance
    return find_gaps(locations.origins, slices) * len(grid.volumes)


def _acquisitions(slices: list[Slice], locations: Locations) -> list[list[Slice]]:
    """Part slices into whole stacks by acquisition, if these have no location in common."""
    parts: dict[Hashable, list[Slice]] = defaultdict(list)
    for item in slices:
        parts[item.timing.acquisition].append(item)
    found = [locate(part) for part in parts.values()]
    if len(found) < 2 or sum(each.count for each in found) != locations.count:
        return []
    for part, each in zip(parts.values(), found, strict=True):
        is_whole = each.count > 1 and not find_gaps(each.origins, part)
        if not is_whole or arrange(part, each).incomplete:
            return []
    return list(parts.values())


def _missing_error(grid: Grid, locations: Locations, missing: int) -> GeometryError:
    if grid.incomplete:
        volumes = len(grid.volumes) + len(grid.incomplete)
        number, place = grid.first_missing
        message = (
            f"{_are_missing(missing)}: {len(grid.incomplete)} of {volumes} volumes lack "
            f"some of the {locations.count} slices, first volume {number + 1} slice {place + 1}"
        )
    else:
        gaps = np.linalg.norm(np.diff(locations.origins, axis=0), axis=1)
        place = int(np.argmax(gaps > 1.5 * gaps.min()))
        message = (
            f"{_are_missing(missing)} between the first and the last of {locations.count}, "
            f"the first behind slice {place + 1}"
        )
    return GeometryError(message, hint=f"accept it by `--allow {_MISSING}`")


def _are_missing(count: int) -> str:
    return "1 slice is missing" if count == 1 else f"{count} slices are missing"


def _accepted(grid: Grid, missing: int) -> tuple[tuple[Loss, ...], list[Problem]]:
    if not missing:
        return (), []
    losses = (Loss(_MISSING, _are_missing(missing), harmful=True),)
    if not grid.incomplete:
        return losses, []
    paths = _paths(item for volume in grid.incomplete for item in volume)
    message = f"of {len(grid.incomplete)} volumes that lack slices"
    return losses, [Problem(paths, Outcome.SKIPPED, _MISSING, message)]


def _tiled_parts(slices: list[Slice], merge: Merge) -> list[list[Slice]]:
    """Part mosaics by coil, flip angle and number of the echo; image types vary within a series."""
    if merge is Merge.SERIES:
        return [slices]
    parts: dict[Hashable, list[Slice]] = defaultdict(list)
    for item in slices:
        parts[item.variant[1:]].append(item)
    return list(parts.values())


def _tiled(slices: list[Slice]) -> VolumePlan:
    """Each file is a whole volume."""
    files: dict[Path, list[Slice]] = defaultdict(list)
    for item in slices:
        files[item.header.path].append(item)
    volumes = []
    for tiles in sorted(files.values(), key=lambda group: group[0].order):
        locations = locate(tiles)
        ordered = np.argsort(locations.index, kind="stable")
        volumes.append(tuple(tiles[n] for n in ordered))
    counts = {len(volume) for volume in volumes}
    if len(counts) > 1:
        raise GeometryError(f"mosaics have {' or '.join(map(str, sorted(counts)))} slices")
    origins = np.array([item.position for item in volumes[0]], dtype=np.float64)
    drift = max(
        float(np.abs(np.array([item.position for item in volume]) - origins).max())
        for volume in volumes
    )
    losses: tuple[Loss, ...] = ()
    if drift > _drift_limit(volumes[0][0]):
        losses = (
            Loss(
                "moving-slices",
                f"slices of later volumes are up to {drift:.2f} mm elsewhere",
                harmful=False,
            ),
        )
    return VolumePlan(
        tuple(volumes),
        geometry_of(volumes[0], origins),
        is_series=len(volumes) > 1,
        component=slices[0].component,
        losses=losses,
    )


def _drift_limit(item: Slice) -> float:
    return 0.01 * min(item.spacing, default=1.0)


def _with_suffixes(plans: list[VolumePlan]) -> tuple[VolumePlan, ...]:
    echoes = sorted({_echo_key(plan.first) or 0.0 for plan in plans})
    named = []
    for plan in plans:
        first = plan.first
        number: int | None = None
        if len(echoes) > 1:
            number = echoes.index(_echo_key(first) or 0.0) + 1
        if first.echo_number and first.echo_number > 1:
            number = first.echo_number
        suffixes = [f"e{number}"] if number else []
        if plan.component in _SUFFIXES:
            suffixes.append(_SUFFIXES[plan.component])
        if first.isotropic and len(plans) > 1:
            suffixes.append("trace")
        named.append(replace(plan, echo_number=number, suffixes=tuple(suffixes)))
    return tuple(named)


def _failed(slices: list[Slice], error: InputError) -> Problem:
    reason = "contradictory-geometry" if isinstance(error, GeometryError) else "corrupt-pixels"
    if _MISSING in error.hint:
        reason = _MISSING
    return Problem(_paths(slices), Outcome.FAILED, reason, error.message, error)


def _paths(slices: Iterable[Slice]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(item.header.path for item in slices))
