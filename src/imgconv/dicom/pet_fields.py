"""The sidecar fields of PET: tracer, activity, corrections, time frames.

Times are in seconds after the beginning of the first frame, which BIDS calls
time zero here.

Source
------
BIDS specification 1.10, PET; PS3.3 C.8.9.1 to C.8.9.4
"""

from __future__ import annotations

import re
from typing import Any

from imgconv.dicom.bids_tables import Row, read_rows
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.timing import relative_times, seconds_of_day

__all__ = ["pet_fields"]

_ROWS = (
    Row("DoseCalibrationFactor", ("DoseCalibrationFactor",), 1.0),
    Row("DecayCorrection", ("DecayCorrection",)),
    Row("AttenuationCorrectionMethod", ("AttenuationCorrectionMethod",)),
    Row("RandomsCorrectionMethod", ("RandomsCorrectionMethod",)),
    Row("ScatterCorrectionMethod", ("ScatterCorrectionMethod",)),
    Row("ReconstructionMethod", ("ReconstructionMethod",)),
)
_ISOTOPE_ROWS = (
    Row("TracerName", ("Radiopharmaceutical",)),
    Row("RadionuclidePositronFraction", ("RadionuclidePositronFraction",), 1.0),
    Row("InjectedRadioactivity", ("RadionuclideTotalDose",), 1e-6),  # Bq to MBq
    Row("RadionuclideHalfLife", ("RadionuclideHalfLife",), 1.0),
)
# Units (0054,1001) -> BIDS' spelling
_UNITS = {"BQML": "Bq/mL"}
# Abbreviations in Reconstruction Method -> words, in the order in which they are written
_METHODS = (
    ("PSF", "Point-Spread Function modelling"),
    ("TRUEX", "Point-Spread Function modelling"),
    ("OP", "Ordinary Poisson"),
    ("TOF", "Time Of Flight"),
    ("OSEM", "Ordered Subset Expectation Maximization"),
    ("FBP", "Filtered Back Projection"),
)
# 3i21s or 4i5s: iterations and subsets
_ITERATIONS = re.compile(r"(\d+)\s*i\s*(\d+)\s*s\b", re.IGNORECASE)
_WORDS = re.compile(r"[A-Z]+")
_FILTER = re.compile(r"(.*?)\s*(\d+(?:\.\d+)?)\s*(?:mm)?$")


def pet_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the fields of a PET image; empty for another modality's attributes."""
    facts = acquisition.first
    fields = _tracer(facts) | read_rows(facts, _ROWS)
    units = facts.text("Units")
    fields["Units"] = _UNITS.get(units, units)
    attenuation = facts.text("AttenuationCorrectionMethod")
    fields["AttenuationCorrection"] = attenuation.split(",")[0].strip()
    fields |= _reconstruction(facts)
    frames = [volume[0] for volume in acquisition.frames if volume]
    starts = [seconds_of_day(frame.text("AcquisitionTime")) for frame in frames]
    known = [start for start in starts if start is not None]
    if len(known) == len(frames):
        fields["FrameTimesStart"] = list(relative_times(known))
        fields["ScanStart"] = 0
    for name, keyword, factor in (
        ("FrameDuration", "ActualFrameDuration", 1e-3),
        ("FrameReferenceTime", "FrameReferenceTime", 1e-3),
        ("DecayCorrectionFactor", "DecayFactor", 1.0),
        ("DecayFactor", "DecayFactor", 1.0),  # dcm2niix's name
        ("ScatterFraction", "ScatterFractionFactor", 1.0),
    ):
        fields[name] = _per_frame(frames, keyword, factor)
    return fields | _decay(facts, min(known, default=None))


def _per_frame(frames: list[Facts], keyword: str, factor: float) -> list[float]:
    numbers = [frame.number(keyword) for frame in frames]
    known = [number * factor for number in numbers if number is not None]
    return known if len(known) == len(frames) else []


def _tracer(facts: Facts) -> dict[str, Any]:
    items = facts.header.items("RadiopharmaceuticalInformationSequence")
    if not items:
        return {}
    item = Facts(items[0])
    fields = read_rows(item, _ISOTOPE_ROWS)
    if "InjectedRadioactivity" in fields:
        fields["InjectedRadioactivityUnits"] = "MBq"
    for code in items[0].items("RadionuclideCodeSequence")[:1]:
        # Carets mark superscripts in the meaning of the code.
        fields["TracerRadionuclide"] = Facts(code).text("CodeMeaning").replace("^", "")
    return fields


def _reconstruction(facts: Facts) -> dict[str, Any]:
    method = facts.text("ReconstructionMethod")
    fields: dict[str, Any] = {}
    if method:
        words = set(_WORDS.findall(method.upper().replace("3D", " ")))
        names = [name for short, name in _METHODS if short in words]
        fields["ReconMethodName"] = " ".join(dict.fromkeys(names)) or method
    found = _ITERATIONS.search(method)
    if found is not None:
        fields["ReconMethodParameterLabels"] = ["subsets", "iterations"]
        fields["ReconMethodParameterValues"] = [int(found[2]), int(found[1])]
    kernel = _FILTER.fullmatch(facts.text("ConvolutionKernel"))
    if kernel is not None and kernel[1]:
        fields["ReconFilterType"] = kernel[1]
        fields["ReconFilterSize"] = float(kernel[2])
    return fields


def _decay(facts: Facts, start: float | None) -> dict[str, Any]:
    """Return to which time the image was corrected; PS3.3 C.8.9.1.1.4."""
    correction = facts.text("DecayCorrection")
    if correction == "NONE":
        return {"ImageDecayCorrected": False}
    if correction not in ("START", "ADMIN"):
        return {}
    fields: dict[str, Any] = {"ImageDecayCorrected": True}
    if correction == "START":
        fields["ImageDecayCorrectionTime"] = 0
        return fields
    items = facts.header.items("RadiopharmaceuticalInformationSequence")
    text = Facts(items[0]).text("RadiopharmaceuticalStartTime") if items else ""
    injection = seconds_of_day(text)
    if injection is not None and start is not None:
        fields["ImageDecayCorrectionTime"] = injection - start
    return fields
