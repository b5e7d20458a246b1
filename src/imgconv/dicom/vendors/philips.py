"""Philips: private attributes of classic and enhanced objects.

Slice times and the polarity of phase encoding are in no Philips header; the
echo spacing can only be estimated from the water-fat shift.

Source
------
Philips' DICOM conformance statements; the precise value of a pixel after
Chenevert et al., Errors in quantitative image analysis due to
platform-dependent image scaling, Transl Oncol 7:65 (2014)
"""

from __future__ import annotations

from typing import Any

from imgconv.dicom.header import Header
from imgconv.dicom.vendors.facts import Acquisition, Facts

__all__ = [
    "philips_b_value",
    "philips_direction",
    "philips_fields",
    "philips_readout",
]

_IMAGING = "Philips Imaging DD 001"
_MR = "Philips MR Imaging DD 001"
_MR_5 = "Philips MR Imaging DD 005"

# Chemical shift between water and fat, in ppm
_WATER_FAT_PPM = 3.4
# Philips writes numbers this large for "not used".
_UNUSED = 1e30


def philips_b_value(facts: Facts) -> float | None:
    """Return the b-value in s/mm2 of the private attributes."""
    return facts.private_number(0x2001, _IMAGING, 0x03, "FL")


def philips_direction(facts: Facts) -> tuple[float, ...]:
    """Return the gradient's vector in patient axes of the private attributes; empty if none."""
    vector = [facts.private_number(0x2005, _MR, element, "FL") for element in (0xB0, 0xB1, 0xB2)]
    found = tuple(value for value in vector if value is not None)
    return found if len(found) == 3 else ()


def philips_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the sidecar fields that only Philips' private attributes hold."""
    facts = acquisition.first
    fields: dict[str, Any] = {}
    shift = facts.private_number(0x2001, _IMAGING, 0x22, "FL")
    if shift:
        fields["WaterFatShift"] = shift
    name = facts.private_text(0x2001, _IMAGING, 0x20)
    if name and not facts.text("PulseSequenceName", "SequenceName"):
        fields["SequenceName"] = name
    position = _table_position(facts)
    if position:
        fields["TablePosition"] = list(position)
    fields |= _scaling_fields(acquisition)
    world = facts.number("RealWorldValueSlope")
    if world:
        fields["PhilipsRWVSlope"] = world
        fields["PhilipsRWVIntercept"] = facts.number("RealWorldValueIntercept") or 0
    if facts.text("PartialFourier") == "YES":
        fields["PartialFourierEnabled"] = "YES"
    return fields


def _table_position(facts: Facts) -> tuple[float, ...]:
    """Return the table's place; a stack has it along the bore only, and reversed."""
    stacks = facts.private(0x2001, _IMAGING, 0x5F, "SQ")
    if not isinstance(stacks, tuple) or not stacks or not isinstance(stacks[0], Header):
        return ()
    along = Facts(stacks[0]).private_number(0x2005, _MR_5, 0x3C, "FL")
    return (0, 0, 0.0 - along) if along is not None and abs(along) < _UNUSED else ()


def _scaling_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return both scalings, so that either value of a pixel can be recovered.

    Left out where they differ between frames: the image then holds the values.
    """
    if acquisition.is_scaled_alike is False:
        return {}
    frames = (acquisition.first,) if acquisition.is_scaled_alike else acquisition.iter_frames()
    triples = {
        (
            facts.number("RescaleSlope"),
            facts.number("RescaleIntercept"),
            facts.private_number(0x2005, _MR, 0x0E, "FL"),
        )
        for facts in frames
    }
    if len(triples) != 1:
        return {}
    slope, intercept, scale = next(iter(triples))
    fields: dict[str, Any] = {}
    if slope is not None and scale:
        fields["PhilipsRescaleSlope"] = slope
        fields["PhilipsRescaleIntercept"] = intercept or 0
        fields["PhilipsScaleSlope"] = scale
        fields["UsePhilipsFloatNotDisplayScaling"] = 1
    return fields


def philips_readout(facts: Facts, recon_matrix_pe: int) -> tuple[float, float] | None:
    """Return estimates of effective echo spacing and total readout time, in s.

    Parameters
    ----------
    facts
        A frame.
    recon_matrix_pe
        The image's length in the phase encoding direction.
    """
    shift = facts.private_number(0x2001, _IMAGING, 0x22, "FL")
    frequency_mhz = facts.number("TransmitterFrequency", "ImagingFrequency")
    echoes = facts.number("EchoTrainLength") or 0
    if not shift or not frequency_mhz or echoes < 1 or recon_matrix_pe < 2:
        return None
    spacing = shift / (frequency_mhz * _WATER_FAT_PPM * (echoes + 1))
    readout = spacing * echoes
    return readout / (recon_matrix_pe - 1), readout
