"""Say with what an object was acquired, also where a de-identifier removed Modality.

Source
------
PS3.3 C.7.3.1.1.1 (Modality), PS3.4 B.5 (SOP classes)
"""

from __future__ import annotations

from imgconv.dicom.header import Header

__all__ = ["modality_of"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# SOP class behind the common root -> the only modality that it is used with
_BY_CLASS = {
    _STORAGE + suffix: modality
    for modality, suffixes in {
        "CT": ("2", "2.1", "2.2"),
        "MR": ("4", "4.1", "4.3", "4.4"),
        "PT": ("128", "130", "128.1"),
        "NM": ("20",),
        "US": ("3.1", "6.1", "6.2"),
        "XA": ("12.1", "12.1.1", "13.1.1"),
        "RF": ("12.2",),
    }.items()
    for suffix in suffixes
}


def modality_of(header: Header) -> str:
    """Return Modality (0008,0060), else what the SOP class implies; empty if neither is there."""
    stated = header.get("Modality")
    if stated:
        return str(stated)
    return _BY_CLASS.get(str(header.get("SOPClassUID", "")), "")
