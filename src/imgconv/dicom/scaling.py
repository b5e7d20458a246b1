"""Find out what stored samples mean: rescale, unit, padding; and where it differs by slice.

Source
------
PS3.3 C.7.6.16.2.9 (pixel value transformation), C.7.5.1.1.2 (padding),
C.8.9.1.1.3 (PET units); Chenevert et al., Transl Oncol 7:65 (2014) for
Philips' precise value (SV * RS + RI) / (RS * SS)
"""

from __future__ import annotations

from collections.abc import Iterable

from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.header import Header
from imgconv.dicom.modality import modality_of
from imgconv.dicom.slices import Slice

__all__ = ["rescale_of", "uniform_rescale", "value_map"]

# PET Units (0054,1001) -> UCUM
_PET_UNITS = {
    "BQML": "Bq/ml",
    "CNTS": "{counts}",
    "GML": "g/ml",
    "PROPCPS": "{propcps}",
    "PROPCNTS": "{propcounts}",
    "PCNT": "%",
    "CM2ML": "cm2/ml",
    "1CM": "/cm",
    "UMOLML": "umol/ml",
    "MLMINML": "ml/min/ml",
    "MLML": "ml/ml",
    "NONE": "1",
}
_RESCALE_TYPES = {"HU": "[hnsf'U]", "US": "", "PCT": "%", "MGML": "mg/ml", "OD": "10*-3{OD}"}
_IDENTITY = Rescale()


def rescale_of(item: Slice) -> Rescale:
    """Return the map from stored samples to values; for Philips MR the precise one."""
    slope, intercept = item.rescale
    if item.scale_slope is None:
        return Rescale(slope, intercept)
    return Rescale(1.0 / item.scale_slope, intercept / (slope * item.scale_slope))


def uniform_rescale(slices: Iterable[Slice]) -> Rescale | None:
    """Return the map that all slices share, None if they differ."""
    found = {(item.rescale, item.scale_slope): item for item in slices}
    if len(found) != 1:
        return None
    return rescale_of(next(iter(found.values())))


def value_map(slices: Iterable[Slice], photometric: str) -> ValueMap:
    """Return the meaning of an image's samples.

    Where the rescale differs by slice it is the identity: the reader applies
    each slice's own.
    """
    slices = tuple(slices)
    first = slices[0]
    if photometric == "RGB":
        samples, _allocated, bits, *_ = first.pixels
        return ValueMap(photometric="RGB", bits_stored=bits if samples == 3 else None)
    rescale = uniform_rescale(slices)
    is_real = rescale is None
    alternatives: tuple[tuple[str, Rescale], ...] = ()
    if not is_real and first.scale_slope is not None:
        alternatives = (("display", Rescale(*first.rescale)),)
    bits = first.pixels[2]
    is_float = first.pixels[4] != 0x7FE00010
    return ValueMap(
        rescale=rescale or _IDENTITY,
        unit=_unit(first.header, first.facts.text("RescaleType")),
        bits_stored=None if is_real or is_float else bits if isinstance(bits, int) else None,
        photometric=photometric,
        padding=None if is_real else _padding(first.header),
        alternatives=alternatives,
    )


def _unit(header: Header, rescale_type: str) -> str:
    if modality_of(header) == "PT":
        return _PET_UNITS.get(str(header.get("Units", "")), "")
    if header.get("DoseUnits") == "GY":
        return "Gy"
    if modality_of(header) == "CT" and rescale_type in ("", "US"):
        return _RESCALE_TYPES["HU"] if rescale_type == "" else ""
    return _RESCALE_TYPES.get(rescale_type, "")


def _padding(header: Header) -> tuple[float, float] | None:
    value, limit = header.get("PixelPaddingValue"), header.get("PixelPaddingRangeLimit")
    if not isinstance(value, int | float):
        return None
    other = limit if isinstance(limit, int | float) else value
    return float(min(value, other)), float(max(value, other))
