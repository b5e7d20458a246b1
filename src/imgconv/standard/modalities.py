"""Which modalities the IOD of a SOP class allows, where it allows few.

Source
------
PS3.3 annex A and C.8
"""

from __future__ import annotations

__all__ = ["MODALITIES", "find_modality"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."

# SOP class -> the modalities that its IOD allows.
MODALITIES = {
    _STORAGE + suffix: frozenset(modalities.split())
    for suffix, modalities in {
        "1": "CR", "1.1": "DX", "1.1.1": "DX", "1.2": "MG", "1.2.1": "MG", "1.3": "IO",
        "1.3.1": "IO", "2": "CT", "2.1": "CT", "2.2": "CT", "3.1": "US IVUS", "4": "MR",
        "4.1": "MR", "4.2": "MR", "4.3": "MR", "4.4": "MR", "6.1": "US IVUS", "6.2": "US",
        "12.1": "XA", "12.1.1": "XA", "12.2": "RF", "12.2.1": "RF", "13.1.1": "XA RF CT DX",
        "13.1.3": "MG", "20": "NM", "66.4": "SEG", "66.7": "SEG",
        "67": "RWV", "66.1": "REG", "66.3": "REG", "66.2": "FID", "88.11": "SR", "88.22": "SR",
        "88.33": "SR", "88.34": "SR", "88.35": "SR", "88.50": "SR", "88.65": "SR", "88.67": "SR",
        "88.59": "KO", "104.1": "DOC", "104.2": "DOC", "11.1": "PR", "11.2": "PR", "11.3": "PR",
        "128": "PT", "128.1": "PT", "130": "PT", "481.1": "RTIMAGE", "481.2": "RTDOSE",
        "481.3": "RTSTRUCT", "481.4": "RTRECORD", "481.5": "RTPLAN", "481.6": "RTRECORD",
        "481.7": "RTRECORD", "481.8": "RTPLAN", "481.9": "RTRECORD", "77.1.1": "ES",
        "77.1.2": "GM", "77.1.3": "SM", "77.1.6": "SM", "77.1.5.1": "OP", "77.1.5.2": "OP",
        "77.1.5.4": "OPT", "77.1.1.1": "ES", "77.1.2.1": "GM", "77.1.4": "XC", "77.1.4.1": "XC",
        "77.1.7": "DMS", "104.3": "M3D", "104.4": "M3D", "104.5": "M3D", "91.1": "ANN", "6.3": "PA",
        "9.1.1": "ECG", "9.1.2": "ECG", "9.1.3": "ECG", "9.4.1": "AU",
    }.items()
}  # fmt: skip


def find_modality(sop_class_uid: str) -> str:
    """Return the one modality of a SOP class; empty if there are several, or it is not known."""
    allowed = MODALITIES.get(sop_class_uid, frozenset())
    return next(iter(allowed)) if len(allowed) == 1 else ""
