"""Compressed sensing and deep learning in the reconstruction of MR images.

BIDS has no fields for them; the names are those that dcm2niix made known.

Source
------
The public data set ``neurolabusc/dcm_qa_cs_dl`` and its notes; GE's DICOM
conformance statements for (0043,10B7) and (0043,10CA); PS3.3 C.8.13.5.3 for
Parallel Acquisition Technique
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgconv.dicom.vendors.facts import Facts
from imgconv.dicom.vendors.identity import Vendor, find_vendor
from imgconv.dicom.vendors.siemens import Siemens

__all__ = ["reconstruction_fields"]

_GE_PARAMETERS = "GEMS_PARM_01"
# Deep Resolve Boost, Gain and Sharp among Siemens XA's image types
_DEEP_RESOLVE = frozenset({"DRB", "DRG", "DRS"})


def reconstruction_fields(facts: Facts) -> dict[str, Any]:
    """Return ``CompressedSensingFactor``, ``DeepLearning`` and ``DeepLearningDetails``."""
    find = _VENDORS.get(find_vendor(facts))
    if find is None:
        return {}
    factor, details = find(facts)
    fields: dict[str, Any] = {}
    if factor > 1:
        fields["CompressedSensingFactor"] = factor
    if details:
        fields["DeepLearning"] = True
        fields["DeepLearningDetails"] = details
    return fields


def _ge(facts: Facts) -> tuple[float, str]:
    factors = facts.private_text(0x43, _GE_PARAMETERS, 0xB7).split("\\")
    details = facts.private_text(0x43, _GE_PARAMETERS, 0xCA)
    strength = _to_number(details.split("\\")[0])
    return _to_number(factors[0]), details if strength > 0 else ""


def _siemens(facts: Facts) -> tuple[float, str]:
    siemens = Siemens(facts)
    total = siemens.protocol_number("sPat.dTotalAccelFact") or 0
    parallel = siemens.protocol_number("sPat.lAccelFactPE") or 1
    parallel *= siemens.protocol_number("sPat.lAccelFact3D") or 1
    # Parallel imaging explains the product of its factors; the rest is compressed sensing.
    factor = total if total > 1.01 * max(parallel, 1) else 0
    types = siemens.image(0x75, "CS")
    tokens = {*facts.texts("ImageType"), *(types if isinstance(types, tuple) else ())}
    steps = siemens.image(0x76, "LO")
    details = "\\".join(steps) if isinstance(steps, tuple) else str(steps or "")
    return factor, (details or "Deep Resolve") if tokens & _DEEP_RESOLVE else ""


def _philips(facts: Facts) -> tuple[float, str]:
    if facts.text("ParallelAcquisitionTechnique") != "CSENSE":
        return 0, ""
    return facts.number("ParallelReductionFactorInPlane") or 0, ""


def _to_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


_VENDORS: dict[Vendor, Callable[[Facts], tuple[float, str]]] = {
    Vendor.GE: _ge,
    Vendor.SIEMENS: _siemens,
    Vendor.PHILIPS: _philips,
}
