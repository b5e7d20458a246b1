"""Siemens: CSA headers (syngo A to E), private functional groups (XA), text protocol.

Source
------
Siemens' DICOM conformance statements for the private attributes' names;
NiBabel's description of the CSA header. The values of ``sPat.ucPATMode`` and
``sKSpace.ucPhasePartialFourier`` are bit masks of the sequence development
environment's ``SeqDefines.h``: 1 none, 2 GRAPPA, 4 SENSE; 1 4/8, 2 5/8,
4 6/8, 8 7/8, 16 off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from imgconv.dicom.header import Header
from imgconv.dicom.vendors.csa import (
    AsciiValue,
    CsaHeader,
    csa_float,
    csa_floats,
    csa_int,
    csa_text,
    mosaic_slice_times,
    parse_ascconv,
    parse_csa,
    protocol_text,
)
from imgconv.dicom.vendors.facts import Acquisition, Facts, private_items
from imgconv.dicom.vendors.siemens_asl import siemens_asl_fields
from imgconv.dicom.vendors.timing import (
    acquisition_seconds,
    first_plausible,
    multiband_factor,
    slice_times,
)
from imgconv.errors import CorruptData

__all__ = ["Siemens", "siemens_fields", "siemens_slice_times"]

_CSA = "SIEMENS CSA HEADER"
_MR = "SIEMENS MR HEADER"
_SERIES = "SIEMENS MR SDS 01"  # shared by all frames, XA
_IMAGE = "SIEMENS MR SDI 02"  # per frame, XA
_ITEM = 0xFE

_PARTIAL_FOURIER = {1: 0.5, 2: 0.625, 4: 0.75, 8: 0.875}
_PAT_MODES = {2: "GRAPPA", 4: "SENSE"}
_COIL_COMBINATION = {1: "Sum of Squares", 2: "Adaptive Combine"}
_DIFFUSION_SCHEMES = {1: "Bipolar", 2: "Monopolar"}
_MICROSECONDS = 1e-6
# PAT mode text (0051,1011): p2, p2s4, p2x2
_PAT_TEXT = re.compile(r"p(\d+)")

# BIDS field -> (protocol keys, first that is there; factor), for numbers above zero
_PROTOCOL_NUMBERS: dict[str, tuple[tuple[str, ...], float]] = {
    "BaseResolution": (("sKSpace.lBaseResolution",), 1),
    "DelayTime": (("lDelayTimeInTR",), _MICROSECONDS),
    "PhaseResolution": (("sKSpace.dPhaseResolution",), 1),
    "PhaseOversampling": (("sKSpace.dPhaseOversamplingForDialog",), 1),
    "VendorReportedEchoSpacing": (("sFastImaging.lEchoSpacing",), _MICROSECONDS),
    "TxRefAmp": (
        (
            "sTXSPEC.asNucleusInfo[0].flReferenceAmplitude",
            "sTXSPEC.lReferenceAmplitude",
        ),
        1,
    ),
    "RefLinesPE": (("sPat.lRefLinesPE",), 1),
}
_PROTOCOL_TEXTS: dict[str, tuple[str, ...]] = {
    "PulseSequenceDetails": ("tSequenceFileName",),
    "WipMemBlock": ("sWipMemBlock.tFree", "sWiPMemBlock.tFree"),
    "ConsistencyInfo": (
        "sProtConsistencyInfo.tMeasuredBaselineString",
        "sProtConsistencyInfo.tBaselineString",
        "sProtConsistencyInfo.ulConvFromVersion",
    ),
    "ReceiveCoilActiveElements": ("sCoilSelectMeas.sCoilStringForConversion",),
    "ReceiveCoilName": (
        "sCoilSelectMeas.aRxCoilSelectData[0].asList[0].sCoilElementID.tCoilID",
        "asCoilSelectMeas[0].asList[0].sCoilElementID.tCoilID",
        "sCOIL_SELECT_MEAS.asList[0].sCoilElementID.tCoilID",
    ),
}
_SHIMS = (
    *((f"sGRADSPEC.asGPAData[0].lOffset{axis}", f"sGRADSPEC.lOffset{axis}") for axis in "XYZ"),
    *((f"sGRADSPEC.alShimCurrent[{number}]",) for number in range(5)),
)


class Siemens:
    """What Siemens tells about one frame, from whichever header it has."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    @cached_property
    def image_header(self) -> CsaHeader:
        """The CSA image header, empty if there is none."""
        return self._csa(0x10)

    @cached_property
    def series_header(self) -> CsaHeader:
        """The CSA series header, empty if there is none."""
        return self._csa(0x20)

    def _csa(self, element: int) -> CsaHeader:
        blob = self.facts.private(0x29, _CSA, element, "OB")
        if not isinstance(blob, bytes):
            return {}
        try:
            return parse_csa(blob)
        except CorruptData:
            return {}  # the reader of the pixels refuses what it needs; the rest is optional

    @cached_property
    def protocol(self) -> Mapping[str, AsciiValue]:
        """The text protocol, empty if there is none."""
        text = protocol_text(self.series_header)
        if not text:
            raw = self.series(0x19, "OB")
            text = raw.decode("latin-1") if isinstance(raw, bytes) else ""
        return parse_ascconv(text)

    @cached_property
    def is_xa(self) -> bool:
        """Whether the object has the private groups of the XA releases."""
        return bool(self._items(_SERIES) or self._items(_IMAGE))

    def series(self, element: int, vr: str) -> Any:
        """Return a private value of (0021,10xx), which is the same for all frames; XA."""
        return self._value(_SERIES, element, vr)

    def image(self, element: int, vr: str) -> Any:
        """Return a private value of (0021,11xx), which is the frame's; XA and some E11."""
        return self._value(_IMAGE, element, vr)

    def _items(self, creator: str) -> tuple[Header, ...]:
        for holder in (*self.facts.groups, self.facts.header):
            items = private_items(holder, 0x21, creator, _ITEM)
            if items:
                return items
        return ()

    def _value(self, creator: str, element: int, vr: str) -> Any:
        for holder in (*self._items(creator), self.facts.header):
            value = holder.private(0x21, creator, element, vr=vr)
            if value is not None:
                return value
        return None

    def number(self, csa: str, classic: tuple[int, str], xa: tuple[int, str]) -> float | None:
        """Return a number: from the image's CSA header, (0019,10xx), or (0021,11xx)."""
        value = csa_float(self.image_header, csa)
        if value is None and classic[0]:
            value = self.facts.private_number(0x19, _MR, *classic)
        if value is None and xa[0]:
            found = self.image(*xa)
            value = float(found) if isinstance(found, int | float) else None
        return value

    def protocol_number(self, *keys: str) -> float | None:
        """Return the first of these protocol entries that is a number."""
        for key in keys:
            value = self.protocol.get(key)
            if isinstance(value, int | float):
                return value
        return None

    def is_positive_phase_encoding(self) -> bool | None:
        """Say if phase encoding runs with rising row or column index; None if unknown."""
        value = self.number("PhaseEncodingDirectionPositive", (0, ""), (0x1C, "IS"))
        return None if value is None else bool(value)

    def bandwidth_per_pixel(self) -> float | None:
        """Return the bandwidth per pixel in the phase encoding direction, in Hz."""
        return self.number("BandwidthPerPixelPhaseEncode", (0x28, "FD"), (0x53, "FD"))

    def in_plane_acceleration(self) -> float | None:
        """Return the factor of parallel imaging along the phase encoding direction."""
        stated = self.protocol_number("sPat.lAccelFactPE")
        if stated is not None:
            return stated
        found = _PAT_TEXT.match(self.facts.private_text(0x51, _MR, 0x11))
        return None if found is None else float(found[1])

    def diffusion_b_value(self) -> float | None:
        """Return the b-value in s/mm2."""
        value = self.facts.private_number(0x19, _MR, 0x0C, "IS")
        return value if value is not None else csa_float(self.image_header, "B_value")

    def diffusion_direction(self) -> tuple[float, ...]:
        """Return the gradient's unit vector in patient axes; empty if there is none."""
        vector = self.facts.private_numbers(0x19, _MR, 0x0E, "FD")
        return vector or csa_floats(self.image_header, "DiffusionGradientDirection")


def siemens_slice_times(
    acquisition: Acquisition, repetition_time: float | None
) -> tuple[float, ...] | None:
    """Return when each slice starts, in s after the first, in array order; None if unknown.

    Mosaics list the times of their tiles; other objects have one time per
    frame. Where the times of a volume do not fit into one repetition, those
    of the next volumes are tried, then the protocol's order.
    """
    if acquisition.is_tiled:
        candidates = (
            acquisition.in_array_order(_tile_times(volume[0])) for volume in acquisition.frames
        )
        times = first_plausible(candidates, acquisition.slice_count, repetition_time)
    else:
        times = slice_times(acquisition, repetition_time, _start_of)
    return times or _times_by_order(Siemens(acquisition.first), acquisition, repetition_time)


def _start_of(facts: Facts) -> float | None:
    """Return when a frame was acquired: relative times survive de-identification."""
    after_start = Siemens(facts).image(0x04, "DS")
    if isinstance(after_start, int | float):
        return float(after_start)
    seconds = acquisition_seconds(facts)
    return facts.private_number(0x19, _MR, 0x16, "DS") if seconds is None else seconds


def _tile_times(facts: Facts) -> tuple[float, ...]:
    milliseconds = mosaic_slice_times(Siemens(facts).image_header) or facts.private_numbers(
        0x19, _MR, 0x29, "FD"
    )
    return tuple(time / 1000 for time in milliseconds)


def _times_by_order(
    siemens: Siemens, acquisition: Acquisition, repetition_time: float | None
) -> tuple[float, ...] | None:
    """Spread the slices over the repetition as ``sSliceArray.ucMode`` says."""
    mode = siemens.protocol_number("sSliceArray.ucMode")
    count = acquisition.slice_count
    if mode not in (1, 2, 4) or repetition_time is None or not acquisition.is_tiled:
        return None
    ascending = range(count)
    if mode == 4:  # interleaved: odd slices first if their number is odd, else even ones
        first = 0 if count % 2 else 1
        order = [*ascending[first::2], *ascending[1 - first :: 2]]
    else:
        order = list(ascending if mode == 1 else reversed(ascending))
    delay = (siemens.protocol_number("lDelayTimeInTR") or 0) * _MICROSECONDS
    step = (repetition_time - delay) / count
    return acquisition.in_array_order(tuple(order.index(k) * step for k in ascending))


def siemens_fields(
    acquisition: Acquisition, times: tuple[float, ...] | None, *, is_phase: bool
) -> dict[str, Any]:
    """Return the sidecar fields that only Siemens' private headers hold.

    Parameters
    ----------
    acquisition
        The image.
    times
        Slice times in seconds, as `siemens_slice_times` gives them.
    is_phase
        Whether the pixels are phase: a field map then has both echo times.
    """
    siemens = Siemens(acquisition.first)
    fields = _protocol_fields(siemens)
    if not siemens.is_xa:
        fields |= siemens_asl_fields(siemens.protocol)
    fields |= _header_fields(siemens)
    echoes = [siemens.protocol_number(f"alTE[{number}]") for number in (0, 1)]
    if is_phase and siemens.protocol_number("lContrasts") != 1 and all(echoes):
        fields["EchoTime1"] = (echoes[0] or 0) * _MICROSECONDS
        fields["EchoTime2"] = (echoes[1] or 0) * _MICROSECONDS
    multiband = siemens.protocol_number("sSliceAcceleration.lMultiBandFactor") or 1
    multiband = max(multiband, multiband_factor(times) if times else 1)
    if multiband > 1:
        fields["MultibandAccelerationFactor"] = int(multiband)
    return fields


def _protocol_fields(siemens: Siemens) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, (keys, factor) in _PROTOCOL_NUMBERS.items():
        number = siemens.protocol_number(*keys)
        if number is not None and number > 0:
            fields[name] = number * factor
    for name, keys in _PROTOCOL_TEXTS.items():
        text = next((siemens.protocol[key] for key in keys if key in siemens.protocol), "")
        if text not in ("", 0):
            fields[name] = str(text)
    fields |= _acceleration_fields(siemens)
    shims = [siemens.protocol_number(*keys) for keys in _SHIMS]
    if shims[0] is not None:
        fields["ShimSetting"] = [shim or 0 for shim in shims]
    averages = siemens.protocol_number("dAveragesDouble")
    if averages is not None and averages > 1:
        fields["AveragesDouble"] = averages
    if siemens.protocol_number("sKSpace.uc2DInterpolation", "sKSpace.ucInterpolation"):
        fields["Interpolation2D"] = True
    coded = (
        ("PartialFourier", "sKSpace.ucPhasePartialFourier", _PARTIAL_FOURIER),
        ("CoilCombinationMethod", "ucCoilCombineMode", _COIL_COMBINATION),
    )
    for name, key, meanings in coded:
        meaning = meanings.get(int(siemens.protocol_number(key) or 0))
        if meaning is not None:
            fields[name] = meaning
    if siemens.diffusion_b_value() is not None or siemens.facts.numbers("DiffusionBValue"):
        scheme = _DIFFUSION_SCHEMES.get(int(siemens.protocol_number("sDiffusion.dsScheme") or 0))
        if scheme is not None:
            fields["DiffusionScheme"] = scheme
    return fields


def _acceleration_fields(siemens: Siemens) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    in_plane = siemens.in_plane_acceleration()
    out_of_plane = siemens.protocol_number("sPat.lAccelFact3D")
    if in_plane is not None:
        fields["ParallelReductionFactorInPlane"] = in_plane
    if out_of_plane is not None:
        fields["ParallelReductionFactorOutOfPlane"] = out_of_plane
    technique = _PAT_MODES.get(int(siemens.protocol_number("sPat.ucPATMode") or 0))
    if technique is not None:
        fields["ParallelAcquisitionTechnique"] = technique
    if siemens.protocol:
        fields["MatrixCoilMode"] = technique or "None"
    if siemens.protocol_number("sPrepPulses.ucMTC") == 1:
        fields["MTState"] = True
    return fields


def _header_fields(siemens: Siemens) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    dwell = siemens.number("RealDwellTime", (0x18, "IS"), (0x42, "IS"))
    if dwell:
        fields["DwellTime"] = dwell * 1e-9
    coil_string = siemens.facts.private_text(0x51, _MR, 0x0F)
    elements = siemens.image(0x4F, "LO") or csa_text(siemens.image_header, "ImaCoilString")
    if elements and siemens.is_xa:
        fields["ReceiveCoilActiveElements"] = str(elements)
    if coil_string:
        fields["CoilString"] = coil_string
    orientation = siemens.facts.private_text(0x51, _MR, 0x0E)
    if orientation:
        fields["ImageOrientationText"] = orientation
    position = _table_position(siemens)
    if position:
        fields["TablePosition"] = list(position)
    types = siemens.image(0x75, "CS")
    if isinstance(types, tuple):
        fields["ImageTypeText"] = list(types)
    for name, element in (
        ("ScanningSequence", 0x5A),
        ("SequenceVariant", 0x5B),
        ("ScanOptions", 0x5C),
    ):
        value = siemens.series(element, "CS")
        if value:
            fields[name] = "\\".join(value) if isinstance(value, tuple) else value
    return fields


def _table_position(siemens: Siemens) -> tuple[float, ...]:
    relative = siemens.facts.private_numbers(0x19, _MR, 0x14, "IS")
    if not relative:
        value = siemens.image(0x59, "IS") or siemens.series(0x05, "IS")
        relative = tuple(value) if isinstance(value, tuple) else ()
    if not relative and csa_int(siemens.image_header, "ImaRelTablePosition") is not None:
        relative = csa_floats(siemens.image_header, "ImaRelTablePosition")
    return relative if len(relative) == 3 else ()
