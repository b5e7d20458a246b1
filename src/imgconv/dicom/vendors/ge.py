"""GE: private attributes, the compressed protocol block, the raw header record.

Slice times are not in the header: they follow from the order, the number of
excitations and the repetition time. They are given for echo-planar series
only, where every slice is excited once per repetition.

Source
------
GE's DICOM conformance statements for the private attributes; the release
notes on slice order of GE's EPI sequences collected with the public data set
``neurolabusc/dcm_qa_ge``; the layout of the raw header record (``rdbm.h``).
"""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from imgconv.dicom.vendors.facts import Acquisition, Facts

__all__ = [
    "Ge",
    "GeRelease",
    "ge_fields",
    "ge_slice_times",
    "parse_protocol_block",
    "parse_release",
]

_ACQUISITION = "GEMS_ACQU_01"
_PARAMETERS = "GEMS_PARM_01"
_IMAGE = "GEMS_IMAG_01"
_SERIES = "GEMS_SERS_01"

_GZIP_MAGIC = b"\x1f\x8b\x08"
# The block is text of a few kB; the limit stops a hostile one.
_MAX_BLOCK_BYTES = 1 << 20
_BLOCK_LINE = re.compile(r'^(?:set )?(\w+) "([^"]*)"', re.MULTILINE)
_RELEASE = re.compile(r"(?:[A-Z]{2})?(\d{2})\.(\d)_(?:R(\d{2})|EA)")

# Image Type (0043,102F)
_COMPONENTS = {0: "MAGNITUDE", 1: "PHASE", 2: "REAL", 3: "IMAGINARY"}
# Words of (0043,10A3), else of (0043,10A4)
_ASL_TYPES = (
    ("PSEUDOCONTINUOUS", "PCASL"),
    ("PULSED CONTINUOUS", "PCASL"),
    ("CONTINUOUS", "CASL"),
    ("PULSED", "PASL"),
)


class GeRelease(NamedTuple):
    """A release of the scanner's software: 29, 1 and 0 (none named) for ``MR29.1_EA``."""

    major: int
    minor: int
    revision: int


def parse_release(software_versions: str) -> GeRelease | None:
    r"""Return the release out of Software Versions; None if it has another form.

    Examples
    --------
    >>> parse_release("27\\LX\\MR Software release:RX27.0_R02_1831.a")
    GeRelease(major=27, minor=0, revision=2)
    """
    found = _RELEASE.search(software_versions)
    if found is None:
        return None
    return GeRelease(int(found[1]), int(found[2]), int(found[3] or 0))


def parse_protocol_block(blob: bytes) -> Mapping[str, str]:
    """Return the entries of the protocol block (0025,101B); empty if it cannot be read.

    Parameters
    ----------
    blob
        A length, then gzip data with lines of the form ``NAME "value"``.
    """
    start = blob.find(_GZIP_MAGIC, 0, 64)
    if start < 0:
        return MappingProxyType({})
    engine = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        text = engine.decompress(blob[start:], _MAX_BLOCK_BYTES).decode("latin-1")
    except zlib.error:
        return MappingProxyType({})
    return MappingProxyType(dict(_BLOCK_LINE.findall(text)))


class Ge:
    """What GE tells about one frame."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts

    def acquisition(self, element: int, vr: str) -> float | None:
        """Return a number of (0019,10xx)."""
        return self.facts.private_number(0x19, _ACQUISITION, element, vr)

    def parameter(self, element: int, vr: str) -> tuple[float, ...]:
        """Return the numbers of (0043,10xx)."""
        return self.facts.private_numbers(0x43, _PARAMETERS, element, vr)

    @cached_property
    def protocol(self) -> Mapping[str, str]:
        """The protocol block's entries, empty if there is none."""
        blob = self.facts.private(0x25, _SERIES, 0x1B, "OB")
        return parse_protocol_block(blob) if isinstance(blob, bytes) else MappingProxyType({})

    @property
    def pulse_sequence(self) -> str:
        """The pulse sequence's name, ``epi``, ``epiRT``, ``epi2``."""
        return self.facts.private_text(0x19, _ACQUISITION, 0x9C)

    @property
    def internal_name(self) -> str:
        """The sequence's internal name, ``EPI``, ``EPI2``, ``B0map``."""
        return self.facts.private_text(0x19, _ACQUISITION, 0x9E)

    @property
    def is_epi(self) -> bool:
        """Whether the sequence is echo planar."""
        return "EP" in self.facts.texts("ScanningSequence") or "EPI_GEMS" in self.facts.texts(
            "ScanOptions"
        )

    @property
    def component(self) -> str:
        """``MAGNITUDE``, ``PHASE``, ``REAL``, ``IMAGINARY``, or empty if unknown."""
        coded = self.parameter(0x2F, "SS")
        return _COMPONENTS.get(int(coded[0]), "") if coded else ""

    @property
    def is_field_map(self) -> bool:
        """Whether this is the frequency in Hz that the B0 mapping sequence computes.

        The sequence sends magnitude and map as one series; only the map has
        a vascular collapse flag of zero.
        """
        flag = self.parameter(0x30, "SS")
        names = (self.pulse_sequence, self.internal_name)
        return any(name.upper().startswith("B0") for name in names) and flag[:1] == (0,)

    def is_flipped(self) -> bool | None:
        """Say if phase encoding runs against its usual direction; None if unknown.

        Rectilinear Phase Encode Reordering tells since release 27. Before, the
        raw header record has two flags, of which an odd number reverses it.
        """
        order = self.facts.text("RectilinearPhaseEncodeReordering")
        if order in ("LINEAR", "REVERSE_LINEAR") and self.is_epi:
            return order == "LINEAR"
        blob = self.facts.private(0x43, _PARAMETERS, 0x2A, "OB")
        return _flipped_by_record(blob) if isinstance(blob, bytes) else None

    def multiband(self) -> int:
        """Return how many slices are excited at once, at least 1."""
        value = self.facts.private_text(0x43, _PARAMETERS, 0xB6).split("\\")[0].strip()
        return max(int(value), 1) if value.isdecimal() else 1

    def group_delay(self) -> float:
        """Return the pause behind each volume in seconds; negative if it varies."""
        delay = self.parameter(0x7C, "FL")
        return delay[0] if delay else 0.0

    def diffusion_b_value(self) -> float | None:
        """Return the b-value in s/mm2, without the flag that GE may add to it."""
        values = self.parameter(0x39, "IS")
        if not values:
            return None
        # 10^9 is added where the series has several b-values.
        return math.fmod(values[0], 100000) if values[0] >= 0 else None

    def diffusion_direction(self) -> tuple[float, ...]:
        """Return the gradient in frequency, phase and slice axes; empty if there is none."""
        vector = [self.acquisition(element, "DS") for element in (0xBB, 0xBC, 0xBD)]
        found = tuple(value for value in vector if value is not None)
        return found if len(found) == 3 else ()


def _flipped_by_record(blob: bytes) -> bool | None:
    """Read the polarity out of User Defined Data (0043,102A), a dump of the raw header."""
    try:
        (start,) = struct.unpack_from("<H", blob, 24)
        (revision,) = struct.unpack_from("<f", blob, start)
        if not 5 <= revision <= 40:
            return None
        ky_offset = 0x394
        if revision >= 25.002:  # the record's header grew, a block behind it shrank
            start += 0x4C
            ky_offset -= 0x8C
        (control,) = struct.unpack_from("<H", blob, start + 0x30)
        (kind,) = struct.unpack_from("<H", blob, start + 0x3A)
        (ky_direction,) = struct.unpack_from("<H", blob, start + ky_offset)
    except struct.error:
        return None
    if not kind & 0x800:  # not echo planar
        return None
    is_reversed = bool(control & 0x4)
    is_bottom_up = bool(ky_direction == 2)
    return is_reversed != is_bottom_up


def ge_slice_times(acquisition: Acquisition) -> tuple[float, ...] | None:
    """Return when each slice starts, in s after the first, in array order; None if unknown."""
    ge = Ge(acquisition.first)
    repetition_ms = ge.facts.number("RepetitionTime")
    if (
        not ge.is_epi
        or ge.facts.text("MRAcquisitionType") == "3D"
        or not repetition_ms
        or repetition_ms < 0
        or acquisition.slice_count < 2
        or acquisition.is_tiled
    ):
        return None
    release = parse_release(ge.facts.text("SoftwareVersions"))
    interleaved = _is_interleaved(ge)
    multiband = ge.multiband()
    if interleaved is None or ge.group_delay() < 0:
        return None
    if release is None or release.major < 26:
        if multiband > 1:  # the order of early releases is not known
            return None
        release = GeRelease(0, 0, 0)
    in_order = _times_in_order(
        acquisition.slice_count,
        repetition_ms / 1000,
        multiband,
        interleaved=interleaved,
        even_supported=release >= GeRelease(27, 0, 3) and not _is_diffusion(ge),
    )
    return _by_instance(acquisition, in_order)


def _is_diffusion(ge: Ge) -> bool:
    return "DIFF" in ge.protocol.get("IOPT", "") or ge.pulse_sequence == "epi2"


def _is_interleaved(ge: Ge) -> bool | None:
    """Say if odd slices come before even ones; None if the header does not tell."""
    if _is_diffusion(ge):
        return True
    order = ge.protocol.get("SLICEORDER", "")
    if order:
        return order != "0"
    options = ge.protocol.get("IOPT", "")
    return True if "MPH" in options or "FMRI" in options else None


def _times_in_order(
    slice_count: int,
    repetition_time: float,
    multiband: int,
    *,
    interleaved: bool,
    even_supported: bool,
) -> tuple[float, ...]:
    """Return the slices' times in the order of their numbers.

    Releases before 27.0_R03 add an excitation to make their number odd.
    Later ones exchange the last two even slices instead.
    """
    excitations = math.ceil(slice_count / multiband)
    if multiband > 1 and not even_supported and excitations % 2 == 0:
        excitations += 1
    order = list(range(excitations))
    if interleaved:
        order = [*order[::2], *order[1::2]]
        if multiband > 1 and even_supported and excitations > 2 and excitations % 2 == 0:
            order[-2:] = reversed(order[-2:])
    step = repetition_time / excitations
    return tuple(order.index(number % excitations) * step for number in range(slice_count))


def _by_instance(acquisition: Acquisition, in_order: tuple[float, ...]) -> tuple[float, ...] | None:
    """Give the times to the slices: GE numbers the slices as they were prescribed."""
    volume = acquisition.frames[0]
    numbers = [facts.number("InstanceNumber") for facts in volume]
    known = [number for number in numbers if number is not None]
    if len(set(known)) != len(in_order):
        return None
    ranks = {number: rank for rank, number in enumerate(sorted(known))}
    return tuple(in_order[ranks[number]] for number in known)


def ge_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the sidecar fields that only GE's private attributes hold."""
    ge = Ge(acquisition.first)
    facts = ge.facts
    fields: dict[str, Any] = {}
    texts = {
        "SequenceName": ge.pulse_sequence,
        "InternalPulseSequenceName": ge.internal_name,
        "PrescanReuseString": facts.private_text(0x43, _PARAMETERS, 0x95),
    }
    fields |= {name: text for name, text in texts.items() if text}
    shims = [ge.parameter(element, "SS") for element in (0x02, 0x03, 0x04)]
    if all(shims):
        fields["ShimSetting"] = [shim[0] for shim in shims]
    flipped = ge.is_flipped()
    if flipped is not None:
        fields["PhaseEncodingPolarityGE"] = "Flipped" if flipped else "Unflipped"
    factors = ge.parameter(0x83, "DS")
    if len(factors) == 2 and all(0 < factor <= 1 for factor in factors):
        fields["ParallelReductionFactorInPlane"] = round(1 / factors[0], 3)
        fields["ParallelReductionFactorOutOfPlane"] = round(1 / factors[1], 3)
    if ge.multiband() > 1:
        fields["MultibandAccelerationFactor"] = ge.multiband()
    table = facts.private_text(0x43, _PARAMETERS, 0xB2).split("\\")
    along = _to_number(table[2]) if len(table) > 2 else None
    if along is not None:
        fields["TablePosition"] = [0, 0, along]
    duration = ge.acquisition(0x5A, "FL")
    if duration:
        fields["AcquisitionDuration"] = duration * 1e-6
    return fields | _diffusion_fields(ge) | _asl_fields(ge)


def _to_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _diffusion_fields(ge: Ge) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, element in (("NumberOfDiffusionDirectionGE", 0xE0), ("NumberOfDiffusionT2GE", 0xDF)):
        number = ge.acquisition(element, "DS")
        if number and _is_diffusion(ge):
            fields[name] = int(number)
    return fields


def _asl_fields(ge: Ge) -> dict[str, Any]:
    contrast = ge.facts.private_text(0x43, _PARAMETERS, 0xA3)
    technique = ge.facts.private_text(0x43, _PARAMETERS, 0xA4)
    if not contrast and not technique:
        return {}
    fields: dict[str, Any] = {}
    words = (contrast or technique).upper()
    kind = next((value for word, value in _ASL_TYPES if word in words), "")
    if kind:
        fields["ArterialSpinLabelingType"] = kind
    if contrast:
        fields["ASLContrastTechnique"] = contrast
    if technique:
        fields["ASLLabelingTechnique"] = technique
    duration = ge.parameter(0xA5, "IS")
    if duration:
        fields["LabelingDuration"] = duration[0] / 1000
        delay = ge.facts.number("InversionTime")
        if delay:  # GE keeps the delay behind labelling in Inversion Time
            fields["PostLabelingDelay"] = delay / 1000
    for name, element in (
        ("NumberOfPointsPerArm", 0x60),
        ("NumberOfArms", 0x61),
        ("NumberOfExcitations", 0x62),
    ):
        number = ge.facts.private_number(0x27, _IMAGE, element, "FL")
        if number:
            fields[name] = number
    return fields
