"""Siemens V releases: arterial spin labelling, out of the sequences' own parameters.

The protocol keeps them in numbered slots whose meaning is the sequence's. A
sequence is known by its file name. XA releases have standard attributes.

Source
------
The protocol printouts of the sequences: ``ep2d_pcasl`` and ``tgse_pcasl`` of
D.J.J. Wang's laboratory, Siemens' ``ep2d_pasl`` and ``tgse_pasl``,
``ep2d_fairest`` (PubMed 11746944), the ``VEPCASL`` sequences of Oxford
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from imgconv.dicom.vendors.csa import AsciiValue

__all__ = ["siemens_asl_fields"]

_MICROSECONDS = 1e-6
_MILLISECONDS = 1e-3
_AL = "sWipMemBlock.alFree"
_AD = "sWipMemBlock.adFree"
# Duration of one block of labelling pulses of ep2d_pcasl, in s
_RF_BLOCK_SECONDS = 0.0184


class _Slot(NamedTuple):
    field: str
    key: str
    factor: float = 1.0


class _Sequence(NamedTuple):
    """A sequence: its kind of labelling, and where its parameters are."""

    name: str
    constants: Mapping[str, str]
    slots: tuple[_Slot, ...]
    delays: range = range(0)


_PCASL = {"ArterialSpinLabelingType": "PCASL"}
_BOLUS = (
    _Slot("BolusDuration", "alTI[0]", _MICROSECONDS),
    _Slot("InversionTime", "alTI[2]", _MICROSECONDS),
    # BIDS: of pulsed labelling, the time from the middle of the labelling pulse
    _Slot("PostLabelingDelay", "alTI[2]", _MICROSECONDS),
)
_WANG = (
    _Slot("NumRFBlocks", f"{_AD}[3]"),
    _Slot("RFGap", f"{_AD}[4]", _MICROSECONDS),
    _Slot("MeanGzx10", f"{_AD}[10]"),
)
_SEQUENCES = (
    _Sequence(
        "to_ep2d_VEPCASL",
        _PCASL,
        (
            *_BOLUS,
            _Slot("TagRFFlipAngle", f"{_AL}[4]"),
            _Slot("TagRFDuration", f"{_AL}[5]", _MICROSECONDS),
            _Slot("TagRFSeparation", f"{_AL}[6]", _MICROSECONDS),
            _Slot("LabelingPulseAverageGradient", f"{_AD}[0]"),
            _Slot("LabelingPulseMaximumGradient", f"{_AD}[1]"),
            _Slot("LabelingDuration", f"{_AL}[9]", _MILLISECONDS),
            _Slot("MaximumT1Opt", f"{_AL}[10]", _MILLISECONDS),
        ),
        range(11, 31),
    ),
    _Sequence(
        "jw_tgse_VEPCASL",
        _PCASL,
        (
            _Slot("TagRFFlipAngle", f"{_AL}[6]"),
            _Slot("TagRFDuration", f"{_AL}[7]", _MICROSECONDS),
            _Slot("TagRFSeparation", f"{_AL}[8]", _MICROSECONDS),
            _Slot("MaximumT1Opt", f"{_AL}[9]", _MILLISECONDS),
            *(_Slot(f"Tag{n}", f"{_AL}[{n + 10}]", _MILLISECONDS) for n in range(4)),
        ),
        range(30, 38),
    ),
    _Sequence(
        "ep2d_pcasl",
        _PCASL,
        (
            _Slot("LabelingDistance", f"{_AD}[1]"),
            _Slot("PostLabelingDelay", f"{_AD}[2]", _MICROSECONDS),
            _Slot("LabelingDuration", f"{_AD}[3]", _RF_BLOCK_SECONDS),
            *_WANG,
            _Slot("PhiAdjust", f"{_AD}[11]"),
        ),
    ),
    _Sequence(
        "tgse_pcasl",
        _PCASL,
        (
            _Slot("LabelingDuration", f"{_AD}[2]", _MICROSECONDS),
            *_WANG,
            _Slot("T1", f"{_AD}[12]", _MICROSECONDS),
        ),
    ),
    _Sequence("ep2d_pasl", {"ArterialSpinLabelingType": "PASL", "PASLType": "PICORE"}, _BOLUS),
    _Sequence("tgse_pasl", {"ArterialSpinLabelingType": "PASL", "PASLType": "FAIR QII"}, _BOLUS),
    _Sequence(
        "ep2d_fairest",
        {"ArterialSpinLabelingType": "PASL", "PASLType": "FAIR"},
        (
            _Slot("PostInversionDelay", f"{_AD}[2]", _MILLISECONDS),
            _Slot("PostLabelingDelay", f"{_AD}[4]", _MILLISECONDS),
        ),
    ),
)


def siemens_asl_fields(protocol: Mapping[str, AsciiValue]) -> dict[str, Any]:
    """Return the labelling parameters of a known sequence; empty for another one."""
    file_name = str(protocol.get("tSequenceFileName", ""))
    sequence = next((each for each in _SEQUENCES if each.name in file_name), None)
    if sequence is None:
        return {}
    fields: dict[str, Any] = dict(sequence.constants)
    for slot in sequence.slots:
        number = protocol.get(slot.key)
        if isinstance(number, int | float):
            fields[slot.field] = number * slot.factor
    delays = []
    for place in sequence.delays:
        number = protocol.get(f"{_AL}[{place}]")
        if not isinstance(number, int | float) or number <= 0:
            break  # delays behind a gap were not acquired
        delays.append(number * _MILLISECONDS)
    if delays:
        fields["PostLabelingDelay"] = delays
    repetition = protocol.get("alTR[0]")
    is_pcasl = fields["ArterialSpinLabelingType"] == "PCASL"
    if is_pcasl and isinstance(repetition, int | float):
        fields["RepetitionTimePreparation"] = repetition * _MICROSECONDS
    return fields
