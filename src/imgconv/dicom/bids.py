"""Derive the fields of a BIDS sidecar from the headers of one image.

Names and units are those of the BIDS specification (seconds, degrees, tesla);
fields that BIDS does not define keep the names under which dcm2niix made them
known. A field is there only if the header says so: nothing is guessed from
descriptions. ``docs/formats/bids.md`` lists every field with its source.

Source
------
BIDS specification 1.10; PS3.3 C.8.3.1 (MR image), C.8.13 (enhanced MR),
C.8.9 (PET), C.8.2 (CT)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imgconv.dicom.bids_tables import (
    COMMON_ROWS,
    CT_ROWS,
    MR_ROWS,
    Row,
    read_rows,
    tidy,
)
from imgconv.dicom.pet_fields import pet_fields
from imgconv.dicom.vendors.component import Component, find_component
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.ge import Ge, ge_fields, ge_slice_times
from imgconv.dicom.vendors.identity import Vendor, find_vendor
from imgconv.dicom.vendors.philips import philips_fields, philips_readout
from imgconv.dicom.vendors.siemens import Siemens, siemens_fields, siemens_slice_times
from imgconv.dicom.vendors.timing import seconds_of_day
from imgconv.dicom.vendors.uih import uih_fields, uih_readout_time, uih_slice_times, uih_start

__all__ = ["bids_fields"]

_NO_DEPARTMENT = "None"


def bids_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the sidecar of an image: BIDS field name -> JSON value.

    Parameters
    ----------
    acquisition
        The frames in the order of the array as DICOM stores it: direction
        letters and the order of ``SliceTiming`` refer to that array.

    Returns
    -------
    dict
        Strings, numbers, booleans and lists of them. Nothing that names the
        patient or dates the study.
    """
    view = _View(acquisition)
    fields: dict[str, Any] = {}
    for section in _SECTIONS:
        fields |= section(view)
    return {name: tidy(value) for name, value in fields.items() if value not in (None, "", [])}


@dataclass(frozen=True)
class _View:
    """An image with what several sections need to know about it."""

    acquisition: Acquisition

    @cached_property
    def facts(self) -> Facts:
        return self.acquisition.first

    @cached_property
    def vendor(self) -> Vendor:
        return find_vendor(self.facts)

    @cached_property
    def component(self) -> Component:
        return find_component(self.facts)

    @property
    def is_mr(self) -> bool:
        return self.facts.text("Modality") == "MR"

    @cached_property
    def siemens(self) -> Siemens:
        return Siemens(self.facts)

    @cached_property
    def repetition_time(self) -> float | None:
        """In seconds, with the pause that GE leaves out of Repetition Time."""
        milliseconds = self.facts.number("RepetitionTime")
        if not milliseconds:
            return None
        pause = Ge(self.facts).group_delay() if self.vendor is Vendor.GE else 0.0
        return milliseconds / 1000 + max(pause, 0.0)

    @cached_property
    def slice_times(self) -> tuple[float, ...] | None:
        if not self.is_mr or self.facts.text("MRAcquisitionType") == "3D":
            return None
        if self.acquisition.slice_count < 2:
            return None
        match self.vendor:
            case Vendor.SIEMENS:
                return siemens_slice_times(self.acquisition, self.repetition_time)
            case Vendor.GE:
                return ge_slice_times(self.acquisition)
            case Vendor.UIH:
                return uih_slice_times(self.acquisition, self.repetition_time)
        return None

    @cached_property
    def vendor_fields(self) -> dict[str, Any]:
        if not self.is_mr:
            return {}
        match self.vendor:
            case Vendor.SIEMENS:
                is_phase = self.component is Component.PHASE
                return siemens_fields(self.acquisition, self.slice_times, is_phase=is_phase)
            case Vendor.GE:
                return ge_fields(self.acquisition)
            case Vendor.PHILIPS:
                return philips_fields(self.acquisition)
            case Vendor.UIH:
                return uih_fields(self.acquisition)
        return {}

    @cached_property
    def phase_axis(self) -> str:
        """``"i"`` or ``"j"``, empty if unknown."""
        direction = self.facts.text("InPlanePhaseEncodingDirection")
        return {"ROW": "i", "COL": "j", "COLUMN": "j"}.get(direction, "")

    @cached_property
    def is_positive(self) -> bool | None:
        """Whether phase encoding runs with rising index; None if unknown."""
        if self.vendor is Vendor.SIEMENS:
            return self.siemens.is_positive_phase_encoding()
        if self.vendor is Vendor.GE:
            flipped = Ge(self.facts).is_flipped()
            return None if flipped is None else not flipped
        return None

    @cached_property
    def acquired_lines(self) -> int:
        """Phase encoding lines of the acquisition matrix, 0 if unknown."""
        matrix = self.facts.numbers("AcquisitionMatrix")
        lines = max(matrix[2:4]) if len(matrix) == 4 else 0
        if not lines:
            lines = self.facts.number("MRAcquisitionPhaseEncodingStepsInPlane") or 0
        if not lines and self.vendor is Vendor.SIEMENS:
            lines = self.siemens.protocol_number("sKSpace.lPhaseEncodingLines") or 0
        return int(lines)

    @cached_property
    def recon_lines(self) -> int:
        """The image's length in the phase encoding direction, 0 if unknown."""
        columns, rows, _slices = self.acquisition.size_ijk
        if columns == rows:
            return rows
        return {"i": columns, "j": rows}.get(self.phase_axis, self.acquired_lines)


def _common(view: _View) -> dict[str, Any]:
    facts = view.facts
    fields = read_rows(facts, COMMON_ROWS)
    if view.vendor is not Vendor.OTHER:
        fields["Manufacturer"] = str(view.vendor)
    # dcm2niix's habit: the RECOMMENDED key is there to be filled in.
    fields.setdefault("InstitutionalDepartmentName", _NO_DEPARTMENT)
    types = list(facts.texts("ImageType"))
    if types and view.component and view.component not in types:
        types.append(str(view.component))
    fields["ImageType"] = types
    if types[:1] == ["DERIVED"]:
        fields["RawImage"] = False
    text = facts.text("AcquisitionDateTime", "AcquisitionTime")
    if not facts.groups:
        text = facts.text("AcquisitionTime", "AcquisitionDateTime")
    seconds = seconds_of_day(text)
    if seconds is None and view.vendor is Vendor.UIH:
        seconds = uih_start(facts)
    fields["AcquisitionTime"] = _clock(seconds)
    codes = facts.header.items("DeidentificationMethodCodeSequence")
    fields["DeidentificationMethod"] = [
        *facts.texts("DeidentificationMethod"),
        *(text for code in codes if (text := Facts(code).text("CodeMeaning"))),
    ]
    orientation = facts.numbers("ImageOrientationPatient")
    if len(orientation) == 6:
        fields["ImageOrientationPatientDICOM"] = list(orientation)
    return fields


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds * 1e6), 60_000_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1_000_000:02d}.{rest % 1_000_000:06d}"


def _modality_rows(view: _View) -> dict[str, Any]:
    rows: dict[str, tuple[Row, ...]] = {"MR": MR_ROWS, "CT": CT_ROWS}
    return read_rows(view.facts, rows.get(view.facts.text("Modality"), ()))


def _pet(view: _View) -> dict[str, Any]:
    return pet_fields(view.acquisition) if view.facts.text("Modality") == "PT" else {}


def _mr(view: _View) -> dict[str, Any]:
    if not view.is_mr:
        return {}
    facts = view.facts
    fields: dict[str, Any] = {"RepetitionTime": view.repetition_time}
    averages = facts.number("NumberOfAverages") or 0
    if averages > 1:
        fields["NumberOfAverages"] = averages
    frequency = facts.number("TransmitterFrequency", "ImagingFrequency")
    if frequency is not None:
        # UIH writes Hz, the standard says MHz.
        fields["ImagingFrequency"] = frequency / 1e6 if frequency > 1e4 else frequency
    fields |= _states(facts)
    length = facts.number("EchoTrainLength", "GradientEchoTrainLength") or 0
    if length > 1:
        fields["EchoTrainLength"] = int(length)
    coil = facts.text("ReceiveCoilName")
    fields["ReceiveCoilName"] = coil
    fields["CoilString"] = coil
    tokens = {*facts.texts("ImageType"), *_xa_types(view)}
    if tokens & {"DIS2D", "DIS3D", "GDC"}:
        fields["NonlinearGradientCorrection"] = True
    elif "ND" in tokens:
        fields["NonlinearGradientCorrection"] = False
    return fields


def _xa_types(view: _View) -> tuple[str, ...]:
    if view.vendor is not Vendor.SIEMENS:
        return ()
    types = view.siemens.image(0x75, "CS")
    return types if isinstance(types, tuple) else ()


def _states(facts: Facts) -> dict[str, Any]:
    """Return spoiling and magnetization transfer; PS3.3 C.8.13.5.2 and C.8.3.1.1.3."""
    fields: dict[str, Any] = {}
    variants = facts.texts("SequenceVariant")
    spoiling = facts.text("Spoiling")
    if spoiling == "NONE":
        fields["SpoilingState"] = False
    elif spoiling:
        fields["SpoilingState"] = True
        kind = {"RF": "RF", "GRADIENT": "GRADIENT", "RF_AND_GRADIENT": "COMBINED"}.get(spoiling)
        fields["SpoilingType"] = kind
    elif "SP" in variants:
        fields["SpoilingState"] = True
    transfer = facts.text("MagnetizationTransfer")
    if transfer:
        fields["MTState"] = transfer != "NONE"
    elif "MTC" in variants:
        fields["MTState"] = True
    return fields


def _vendor(view: _View) -> dict[str, Any]:
    return view.vendor_fields


def _echoes(view: _View) -> dict[str, Any]:
    """Return echo time and number, two times for a field map in Hz."""
    if not view.is_mr:
        return {}
    facts = view.facts
    milliseconds = facts.number("EffectiveEchoTime", "EchoTime")
    fields: dict[str, Any] = {}
    if view.component is Component.FIELD_MAP_HZ:
        fields["Units"] = "Hz"
        spacing = Ge(facts).parameter(0x2C, "SS") if view.vendor is Vendor.GE else ()
        if milliseconds and spacing:
            fields["EchoTime1"] = milliseconds / 1000
            fields["EchoTime2"] = milliseconds / 1000 + spacing[0] * 1e-6
            return fields
    if milliseconds:
        fields["EchoTime"] = milliseconds / 1000
    number, count = _echo_number(view, milliseconds or 0)
    if number > 1 or (number == 1 and count > 1):
        fields["EchoNumber"] = number
    return fields


def _echo_number(view: _View, milliseconds: float) -> tuple[int, int]:
    """Return which echo this is, from 1, and how many the protocol has; 0 if unknown."""
    facts = view.facts
    number = int(facts.number("EchoNumbers") or 0)
    count = 0
    if view.vendor is Vendor.SIEMENS:
        count = int(view.siemens.protocol_number("lContrasts") or 0)
        times = [view.siemens.protocol_number(f"alTE[{echo}]") for echo in range(count)]
        if not number and len(times) > 1:
            near = [abs((time or 0) / 1000 - milliseconds) for time in times]
            number = near.index(min(near)) + 1
    elif view.vendor is Vendor.PHILIPS:
        count = int(facts.private_number(0x2001, "Philips Imaging DD 001", 0x14, "SL") or 0)
    elif view.vendor is Vendor.GE:
        count = int(Ge(facts).acquisition(0x7E, "SS") or 0)
    return number, count


def _sequence_type(view: _View) -> dict[str, Any]:
    """Return a general description of the sequence.

    ``EP`` alone does not tell how the echo is formed: Echo Pulse Sequence,
    Siemens' name of the sequence, and the diffusion weighting, which needs a
    spin echo, decide; PS3.3 C.8.13.4.
    """
    if not view.is_mr:
        return {}
    scanning = set(_vendor_text(view, "ScanningSequence").split("\\"))
    variants = set(_vendor_text(view, "SequenceVariant").split("\\"))
    inverted = "IR" in scanning
    if "EP" in scanning:
        name = "Spin Echo EPI" if _is_spin_echo(view, scanning) else "Gradient Echo EPI"
        if view.vendor_fields.get("MultibandAccelerationFactor", 1) > 1:
            name = f"Multiband {name}"
    elif "GR" in scanning:
        name = "Spoiled Gradient Echo" if "SP" in variants else "Gradient Echo"
        if inverted and "MP" in variants:  # magnetization prepared
            name = "MPRAGE"
    elif "SE" in scanning:
        name = "Inversion Recovery Spin Echo" if inverted else "Spin Echo"
    else:
        return {}
    return {"PulseSequenceType": name}


def _is_spin_echo(view: _View, scanning: set[str]) -> bool:
    if "SE" in scanning or "GR" in scanning:
        return "SE" in scanning
    if view.facts.text("EchoPulseSequence"):
        return view.facts.text("EchoPulseSequence") == "SPIN"
    return "epse" in view.facts.text("SequenceName") or _weighted(view)


def _weighted(view: _View) -> bool:
    from imgconv.dicom.diffusion import find_gradient

    gradient = find_gradient(view.acquisition.frames[-1][0])
    return gradient is not None and gradient.b_value > 0


def _vendor_text(view: _View, name: str) -> str:
    if view.vendor is Vendor.SIEMENS and view.siemens.is_xa:
        element = {"ScanningSequence": 0x5A, "SequenceVariant": 0x5B}[name]
        value = view.siemens.series(element, "CS")
        if value:
            return "\\".join(value) if isinstance(value, tuple) else str(value)
    return view.facts.text(name)


def _phase_encoding(view: _View) -> dict[str, Any]:
    """Return axis and polarity, left out for 3D without an echo train: both are phase encoded."""
    if not view.is_mr:
        return {}
    fields: dict[str, Any] = {}
    if view.acquired_lines:
        fields["AcquisitionMatrixPE"] = view.acquired_lines
    if view.recon_lines:
        fields["ReconMatrixPE"] = view.recon_lines
    if view.phase_axis:
        fields["InPlanePhaseEncodingDirectionDICOM"] = {"i": "ROW", "j": "COL"}[view.phase_axis]
        is_3d = view.facts.text("MRAcquisitionType") == "3D"
        if not is_3d or (view.facts.number("EchoTrainLength") or 0) > 1:
            if view.is_positive is None:
                fields["PhaseEncodingAxis"] = view.phase_axis
            else:
                sign = "" if view.is_positive else "-"
                fields["PhaseEncodingDirection"] = view.phase_axis + sign
    return fields


def _steps(view: _View) -> dict[str, Any]:
    facts = view.facts
    keywords = ("NumberOfPhaseEncodingSteps", "MRAcquisitionPhaseEncodingStepsInPlane")
    steps = facts.number(*(reversed(keywords) if facts.groups else keywords))
    if not steps or not view.is_mr:
        return {}
    partial = view.vendor is Vendor.PHILIPS and facts.text("PartialFourier") == "YES"
    return {"PhaseEncodingSteps" + "NoPartialFourier" * partial: int(steps)}


def _readout(view: _View) -> dict[str, Any]:
    """Return the effective echo spacing and total readout time of the reconstructed matrix.

    FSL's and BIDS' definition: from the centre of the first echo to that of
    the last, as if every line of the image had been acquired.
    """
    if not view.is_mr:
        return {}
    lines = view.recon_lines
    fields: dict[str, Any] = {}
    spacing = 0.0
    if view.vendor is Vendor.SIEMENS:
        bandwidth = view.siemens.bandwidth_per_pixel() or 0
        if bandwidth > 0 and lines:
            fields["BandwidthPerPixelPhaseEncode"] = bandwidth
            spacing = 1 / (bandwidth * lines)
            fields["DerivedVendorReportedEchoSpacing"] = spacing * _true_factor(view.siemens)
    elif view.vendor is Vendor.GE:
        spacing = _ge_spacing(view)
    elif view.vendor is Vendor.PHILIPS:
        estimate = philips_readout(view.facts, lines)
        if estimate is not None:
            names = ("EstimatedEffectiveEchoSpacing", "EstimatedTotalReadoutTime")
            fields |= dict(zip(names, estimate, strict=True))
    if spacing > 0 and lines > 1:
        fields["EffectiveEchoSpacing"] = spacing
        fields["TotalReadoutTime"] = spacing * (lines - 1)
    elif view.vendor is Vendor.UIH:
        fields["TotalReadoutTime"] = uih_readout_time(view.facts)
    return fields


def _true_factor(siemens: Siemens) -> float:
    acceleration = siemens.protocol_number("sPat.lAccelFactPE") or 1
    oversampling = siemens.protocol_number("sKSpace.dPhaseOversamplingForDialog") or 0
    return max(acceleration, 1) / (1 + max(oversampling, 0))


def _ge_spacing(view: _View) -> float:
    """Return GE's effective echo spacing in s, 0 if unknown.

    GE rounds the number of acquired lines up to a multiple of 2, of 4 with
    partial Fourier. Zero filling leaves the spacing as it is.
    """
    ge = Ge(view.facts)
    microseconds = ge.parameter(0x2C, "SS")
    lines = view.acquired_lines
    if not microseconds or microseconds[0] <= 0 or lines < 2:
        return 0.0
    factors = ge.parameter(0x83, "DS")
    acceleration = 1 / factors[0] if factors and 0 < factors[0] <= 1 else 1.0
    step = 4 if "PFF" in view.facts.texts("ScanOptions") else 2
    echoes = _ceil(lines / acceleration / step) * step
    return (echoes - 1) * microseconds[0] * 1e-6 / (lines - 1)


def _ceil(number: float) -> int:
    whole = round(number)
    return whole if abs(number - whole) < 1e-3 else int(number) + 1


def _asl(view: _View) -> dict[str, Any]:
    """Return arterial spin labelling as the standard's own attributes have it.

    Source: PS3.3 C.8.13.5.14
    """
    facts = view.facts
    kinds = {"PSEUDOCONTINUOUS": "PCASL", "CONTINUOUS": "CASL", "PULSED": "PASL"}
    kind = kinds.get(facts.text("ArterialSpinLabelingContrast"))
    if kind is None:
        return {}
    fields: dict[str, Any] = {"ArterialSpinLabelingType": kind}
    duration = facts.number("ASLPulseTrainDuration")
    if duration and kind != "PASL":
        fields["LabelingDuration"] = duration / 1000
    if view.vendor is Vendor.SIEMENS and kind != "PASL":
        delay = view.siemens.image(0x89, "FD")  # in ms
        if isinstance(delay, float) and delay > 0:
            fields["PostLabelingDelay"] = delay / 1000
    return fields


def _slice_timing(view: _View) -> dict[str, Any]:
    return {"SliceTiming": list(view.slice_times)} if view.slice_times else {}


_SECTIONS: tuple[Callable[[_View], dict[str, Any]], ...] = (
    _common,
    _modality_rows,
    _pet,
    _mr,
    _echoes,
    _asl,
    _vendor,
    _sequence_type,
    _steps,
    _phase_encoding,
    _readout,
    _slice_timing,
)
