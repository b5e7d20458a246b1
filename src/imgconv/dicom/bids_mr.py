"""The sidecar fields of magnetic resonance that are more than one attribute.

Source
------
BIDS specification 1.10, MRI; PS3.3 C.8.3.1 (MR image), C.8.13 (enhanced MR)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgconv.dicom.bids_view import View
from imgconv.dicom.diffusion import find_gradient
from imgconv.dicom.vendors.component import Component
from imgconv.dicom.vendors.facts import Facts
from imgconv.dicom.vendors.ge import Ge
from imgconv.dicom.vendors.identity import Vendor
from imgconv.dicom.vendors.philips import philips_readout
from imgconv.dicom.vendors.reconstruction import reconstruction_fields
from imgconv.dicom.vendors.siemens import Siemens
from imgconv.dicom.vendors.uih import uih_readout_time

__all__ = ["MR_SECTIONS"]


def _mr(view: View) -> dict[str, Any]:
    facts = view.facts
    fields: dict[str, Any] = {"RepetitionTime": view.repetition_time}
    if view.repetition_time != view.excitation_time:
        fields["RepetitionTimeExcitation"] = view.excitation_time
    if view.is_irregular:
        fields["FrameTimesStart"] = list(view.volume_times)
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


def _xa_types(view: View) -> tuple[str, ...]:
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


def _partial_fourier(view: View) -> dict[str, Any]:
    """Return Siemens' fraction from the echo train, for headers without a protocol."""
    facts = view.facts
    if view.vendor is not Vendor.SIEMENS or facts.text("PartialFourier") != "YES":
        return {}
    if "sKSpace.ucPhasePartialFourier" in view.siemens.protocol:
        return {}
    acceleration = view.siemens.in_plane_acceleration() or facts.number(
        "ParallelReductionFactorInPlane"
    )
    full = view.acquired_lines / max(acceleration or 1, 1)
    echoes = facts.number("EchoTrainLength") or 0
    if facts.text("MRAcquisitionType") == "3D" or not 1 < echoes < full:
        return {}
    return {"PartialFourier": echoes / full}


def _vendor(view: View) -> dict[str, Any]:
    return view.vendor_fields


def _echoes(view: View) -> dict[str, Any]:
    """Return echo time and number, two times for a field map in Hz."""
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
    elif view.component is Component.PHASE:
        fields["Units"] = "arbitrary"  # no vendor stores radians
    if milliseconds:
        fields["EchoTime"] = milliseconds / 1000
    number, count = _echo_number(view, milliseconds or 0)
    if number > 1 or (number == 1 and count > 1):
        fields["EchoNumber"] = number
    return fields


def _echo_number(view: View, milliseconds: float) -> tuple[int, int]:
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


def _sequence_type(view: View) -> dict[str, Any]:
    """Return a general description of the sequence.

    ``EP`` alone does not tell how the echo is formed: Echo Pulse Sequence,
    Siemens' name of the sequence, and the diffusion weighting, which needs a
    spin echo, decide; PS3.3 C.8.13.4.
    """
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


def _is_spin_echo(view: View, scanning: set[str]) -> bool:
    if "SE" in scanning or "GR" in scanning:
        return "SE" in scanning
    if view.facts.text("EchoPulseSequence"):
        return view.facts.text("EchoPulseSequence") == "SPIN"
    return "epse" in view.facts.text("SequenceName") or _weighted(view)


def _weighted(view: View) -> bool:
    gradient = find_gradient(view.acquisition.frames[-1][0])
    return gradient is not None and gradient.b_value > 0


def _vendor_text(view: View, name: str) -> str:
    if view.vendor is Vendor.SIEMENS:
        element = {"ScanningSequence": 0x5A, "SequenceVariant": 0x5B}[name]
        value = view.siemens.series(element, "CS")
        if value:
            return "\\".join(value) if isinstance(value, tuple) else str(value)
    return view.facts.text(name)


def _phase_encoding(view: View) -> dict[str, Any]:
    """Return axis and polarity, left out for 3D without a train of gradient echoes.

    There two axes are phase encoded, and neither is distorted.
    """
    fields: dict[str, Any] = {}
    if view.acquired_lines:
        fields["AcquisitionMatrixPE"] = view.acquired_lines
    if view.recon_lines:
        fields["ReconMatrixPE"] = view.recon_lines
    if view.phase_axis:
        fields["InPlanePhaseEncodingDirectionDICOM"] = {"i": "ROW", "j": "COL"}[view.phase_axis]
        is_3d = view.facts.text("MRAcquisitionType") == "3D"
        if not is_3d or _has_gradient_echo_train(view):
            if view.is_positive is None:
                fields["PhaseEncodingAxis"] = view.phase_axis
            else:
                sign = "" if view.is_positive else "-"
                fields["PhaseEncodingDirection"] = view.phase_axis + sign
    return fields


def _has_gradient_echo_train(view: View) -> bool:
    if "SE" in _vendor_text(view, "ScanningSequence").split("\\"):
        return False
    # Siemens counts the echoes of an echo planar image elsewhere.
    is_planar = view.vendor is Vendor.SIEMENS and bool(view.siemens.bandwidth_per_pixel())
    return is_planar or (view.facts.number("EchoTrainLength") or 0) > 1


def _steps(view: View) -> dict[str, Any]:
    facts = view.facts
    keywords = ("NumberOfPhaseEncodingSteps", "MRAcquisitionPhaseEncodingStepsInPlane")
    steps = facts.number(*(reversed(keywords) if facts.groups else keywords))
    if not steps:
        return {}
    partial = view.vendor is Vendor.PHILIPS and facts.text("PartialFourier") == "YES"
    return {"PhaseEncodingSteps" + "NoPartialFourier" * partial: int(steps)}


def _readout(view: View) -> dict[str, Any]:
    """Return the effective echo spacing and total readout time of the reconstructed matrix.

    FSL's and BIDS' definition: from the centre of the first echo to that of
    the last, as if every line of the image had been acquired.
    """
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
    acceleration = siemens.in_plane_acceleration() or 1
    oversampling = siemens.protocol_number("sKSpace.dPhaseOversamplingForDialog") or 0
    return max(acceleration, 1) / (1 + max(oversampling, 0))


def _ge_spacing(view: View) -> float:
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


def _asl(view: View) -> dict[str, Any]:
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
    if duration:
        fields["LabelingDuration"] = duration / 1000
    if view.vendor is Vendor.SIEMENS:
        fields["PostLabelingDelay"] = _labeling_delay(view)
    crushing = facts.text("ASLCrusherFlag")
    if crushing:
        fields["VascularCrushing"] = crushing == "YES"
    cutoff = facts.text("ASLBolusCutoffFlag")
    if cutoff:
        fields["BolusCutOffFlag"] = cutoff == "YES"
    delay = facts.number("ASLBolusCutoffDelayTime")
    if cutoff == "YES" and delay:
        fields["BolusCutOffDelayTime"] = delay / 1000
        fields["BolusCutOffTechnique"] = facts.text("ASLBolusCutoffTechnique").replace(" ", "")
    return fields


def _labeling_delay(view: View) -> float | list[float] | None:
    """Return Siemens XA's delay in s, one a volume if they differ."""
    delays = []
    for volume in view.acquisition.frames:
        delay = Siemens(volume[0]).image(0x89, "FD")  # in ms
        delays.append(delay / 1000 if isinstance(delay, float) and delay > 0 else 0.0)
    if not any(delays):
        return None
    return delays[0] if len(set(delays)) == 1 else delays


def _reconstruction(view: View) -> dict[str, Any]:
    return reconstruction_fields(view.facts)


def _slice_timing(view: View) -> dict[str, Any]:
    return {"SliceTiming": list(view.slice_times)} if view.slice_times else {}


# In the order in which the fields stand in a sidecar; later sections win.
MR_SECTIONS: tuple[Callable[[View], dict[str, Any]], ...] = (
    _mr,
    _echoes,
    _asl,
    _partial_fourier,
    _vendor,
    _sequence_type,
    _steps,
    _phase_encoding,
    _reconstruction,
    _readout,
    _slice_timing,
)
