"""Read an RT Structure Set as a label map on the grid of the images that it refers to.

The images must be among the inputs, or named by ``extra["dicom"]["reference"]``
of the reading options. A voxel belongs to a region if its centre lies inside
an odd number of its contours. Regions that overlap lie in layers. Not
supported, and reported: points, open contours, contours between slices.

Source: PS3.3 C.8.8.5, C.8.8.6, C.8.8.8.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.contours import fill_polygons
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Segment, Source
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions
from imgconv.core.values import ValueMap
from imgconv.dicom.header import Header, read_header
from imgconv.dicom.label_layers import Layers
from imgconv.dicom.label_objects import referenced_series
from imgconv.dicom.plan import ObjectPlan, VolumePlan
from imgconv.errors import CorruptData, InputError, UnsupportedData

__all__ = ["load_structure_set"]

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_FLAT = 0.25  # of a step between slices: how far the points of a contour may be from its slice
_MAX_NUMBER = 65535


@dataclass(slots=True)
class _Region:
    """One region of interest."""

    segment: Segment
    polygons: dict[int, list[NDArray[np.float64]]] = field(default_factory=dict)


def load_structure_set(plan: ObjectPlan, options: ReadOptions) -> Image:
    """Return the label map of a planned structure set.

    Raises
    ------
    UnsupportedData
        The images that it refers to are not there, or lie on no grid.
    CorruptData
        It has no regions, or damaged contours.
    """
    try:
        return _load(plan, options)
    except InputError as error:
        raise error.with_path(plan.header.path) from error.__cause__


def _load(plan: ObjectPlan, options: ReadOptions) -> Image:
    header = plan.header
    grid = _find_grid(header, plan.companions or _given(options))
    geometry = grid.geometry
    if geometry is None:
        raise UnsupportedData("the images that it refers to have no position in the patient")
    columns, rows, slices = grid.size_ijk
    regions = _describe(header)
    skipped = _collect(header, regions, geometry, slices)
    layers = Layers((slices, rows, columns), max(regions, default=1))
    segments = []
    for number, region in regions.items():
        masks = {
            k: fill_polygons(polygons, (rows, columns)) for k, polygons in region.polygons.items()
        }
        layer = layers.place(masks, number, 0)
        segments.append(replace(region.segment, layer=layer))
    array = layers.array()
    return Image(
        array,
        "tkji" if array.ndim == 4 else "kji",
        geometry=geometry,
        values=ValueMap(bits_stored=8 * array.dtype.itemsize),
        metadata=Metadata(shared={"Modality": "RTSTRUCT"}),
        sources=(
            Source(
                header.path,
                str(header.get("SOPInstanceUID", "")),
                str(header.get("SeriesInstanceUID", "")),
            ),
        ),
        segments=tuple(segments),
        name=f"{header.get('SeriesNumber', '')}_{header.get('SeriesDescription', 'RTSTRUCT')}",
        losses=tuple(_losses(skipped)),
    )


def _given(options: ReadOptions) -> tuple[Path, ...]:
    found: list[Path] = []
    for name in options.extra.get("dicom", {}).get("reference", ()):
        path = Path(name)
        found += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return tuple(found)


def _find_grid(header: Header, companions: Iterable[Path]) -> VolumePlan:
    """Return the plan of the volume that the contours were drawn on."""
    from imgconv.dicom.series import plan_series

    wanted = referenced_series(header)
    headers = []
    for path in companions:
        try:
            found = read_header(path)
        except InputError:
            continue  # it is no image, and told elsewhere if it was an input
        if found.get("SeriesInstanceUID") in wanted:
            headers.append(found)
    plans = [
        volume
        for series in plan_series(headers)
        for volume in series.volumes
        if isinstance(volume, VolumePlan)
    ]
    if not plans:
        raise UnsupportedData(
            "the images that the contours were drawn on are not among the inputs",
            hint="add the folder of their series to the inputs",
        )
    return max(plans, key=lambda volume: volume.size_ijk[2])


def _describe(header: Header) -> dict[int, _Region]:
    """Return the regions by number."""
    items = header.items("StructureSetROISequence")
    if not items:
        raise CorruptData("the structure set describes no region")
    codes = {}
    for observation in header.items("RTROIObservationsSequence"):
        found = observation.items("RTROIIdentificationCodeSequence")
        if found:
            value, scheme, meaning = (
                str(found[0].get(name, ""))
                for name in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
            )
            codes[observation.get("ReferencedROINumber")] = (value, scheme, meaning)
    numbers = [item.get("ROINumber") for item in items]
    sane = all(isinstance(n, int) and 1 <= n <= _MAX_NUMBER for n in numbers)
    regions = {}
    for place, (number, item) in enumerate(zip(numbers, items, strict=True), start=1):
        own = number if sane and isinstance(number, int) else place
        segment = Segment(
            own,
            str(item.get("ROIName", f"ROI {own}")),
            type=codes.get(number),
            algorithm_type=_algorithm(item),
            description=str(item.get("ROIDescription", "")),
        )
        regions[own] = _Region(segment)
    return regions


def _algorithm(item: Header) -> str:
    name = str(item.get("ROIGenerationAlgorithm", ""))
    return name if name in ("AUTOMATIC", "SEMIAUTOMATIC", "MANUAL") else ""


@dataclass(slots=True)
class _Skipped:
    """How many contours were left out, by reason."""

    open_contours: int = 0
    between: int = 0
    outside: int = 0


def _losses(skipped: _Skipped) -> Iterable[Loss]:
    if skipped.open_contours:
        yield Loss(
            "open-contours",
            f"{skipped.open_contours} points and open contours enclose nothing and are left out",
            harmful=False,
        )
    if skipped.between:
        yield Loss(
            "contours-between-slices",
            f"{skipped.between} contours lie between the slices or across them",
            harmful=True,
        )
    if skipped.outside:
        yield Loss(
            "contours-outside",
            f"{skipped.outside} contours lie before the first or behind the last slice",
            harmful=True,
        )


def _collect(
    header: Header, regions: dict[int, _Region], geometry: Geometry, slices: int
) -> _Skipped:
    """Put the contours into their regions, in index space, by slice."""
    skipped = _Skipped()
    order = {
        item.get("ROINumber"): own
        for item, own in zip(header.items("StructureSetROISequence"), regions, strict=True)
    }
    finder = _SliceFinder(geometry, slices)
    for item in header.items("ROIContourSequence"):
        own = order.get(item.get("ReferencedROINumber"))
        if own is None:
            raise CorruptData("contours belong to a region that is not described")
        region = regions[own]
        colour = item.numbers("ROIDisplayColor")
        if len(colour) == 3 and all(0 <= part <= 255 for part in colour):
            red, green, blue = (int(part) for part in colour)
            region.segment = replace(region.segment, colour=(red, green, blue))
        for contour in item.items("ContourSequence"):
            _add_contour(region, contour, finder, skipped)
    return skipped


def _add_contour(region: _Region, contour: Header, finder: _SliceFinder, skipped: _Skipped) -> None:
    if contour.get("ContourGeometricType") not in _CLOSED:
        skipped.open_contours += 1
        return
    values = np.array(contour.numbers("ContourData"))
    if len(values) == 0 or len(values) % 3 or not np.isfinite(values).all():
        raise CorruptData("the points of a contour are not triples of finite numbers")
    k, polygon = finder.find(values.reshape(-1, 3))
    if k is None:
        skipped.between += 1
    elif not 0 <= k < finder.slices:
        skipped.outside += 1
    elif len(polygon) >= 3:
        region.polygons.setdefault(k, []).append(polygon)


class _SliceFinder:
    """Finds the slice that a contour lies on, and its points in index space."""

    def __init__(self, geometry: Geometry, slices: int) -> None:
        self.slices = slices
        axes = geometry.affine[:3, :2]
        self._normal: NDArray[np.float64] = np.cross(axes[:, 0], axes[:, 1])
        self._normal = self._normal / np.linalg.norm(self._normal)
        self._origins = geometry.slice_origins(slices)
        self._along = self._origins @ self._normal
        gaps = np.abs(np.diff(self._along))
        own = abs(float(geometry.affine[:3, 2] @ self._normal))
        self._step = float(gaps.min()) if len(gaps) else own
        self._to_index = np.linalg.pinv(axes)

    def find(self, points: NDArray[np.float64]) -> tuple[int | None, NDArray[np.float64]]:
        """Return the slice (None: between two, or across) and the polygon ``(i, j)``."""
        heights = points @ self._normal
        k = int(np.abs(self._along - heights.mean()).argmin())
        distance = np.abs(heights - self._along[k]).max()
        polygon: NDArray[Any] = (points - self._origins[k]) @ self._to_index.T
        if distance <= _FLAT * self._step:
            return k, polygon
        is_flat = np.ptp(heights) <= _FLAT * self._step
        beyond = heights.mean() < self._along.min() or heights.mean() > self._along.max()
        return (-1 if is_flat and beyond else None), polygon
