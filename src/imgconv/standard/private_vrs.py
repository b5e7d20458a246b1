"""VRs of private elements that pydicom's dictionary does not have, or has wrong.

They are what these makers' scanners themselves write in files of explicit VR. An
element that is written with more than one VR, or as UN, is left out.

Source
------
Files of Siemens XA, Philips, GE, Canon and United Imaging scanners; PS3.5 7.8 (private blocks)
"""

from __future__ import annotations

from functools import cache

__all__ = ["find_private_vr"]

# (private creator, group) -> VR -> low bytes of the element numbers
_VRS: dict[tuple[str, int], dict[str, str]] = {
    ("CANON_MEC_MR3", 0x700D): {
        "CS": "0C",
        "DS": "05",
    },
    ("GEMS_GENIE_1", 0x0009): {
        "LO": "40",
    },
    ("GEMS_GENIE_1", 0x0013): {
        "FD": "1C 1D",
        "SL": "12",
    },
    ("GEMS_PARM_01", 0x0043): {
        "DS": "6D A8 B3 B8 BA C0 C6 C7",
        "IS": "BC C9",
        "LO": "AA B2 B6 B7 BB C1 C2 C3 C4 C5",
        "UL": "C8",
    },
    ("GEMS_STDY_01", 0x0023): {
        "SQ": "80",
    },
    ("Image Private Header", 0x0065): {
        "DS": "14 25 50",
        "FD": "09 0A 13 37 38",
        "FL": "2F",
        "IS": "2C",
        "LO": "02 03 17 18 23 2E 40",
        "LT": "2B 41",
        "OB": "07 36",
        "SH": "04 05 0D 11 31 32 33 39",
        "SQ": "51",
        "ST": "2D",
        "UL": "00 16",
    },
    ("Philips Imaging DD 001", 0x2001): {
        "LO": "C8",
    },
    ("Philips Imaging DD 002", 0x2001): {
        "LO": "6B",
    },
    ("Philips MR Imaging DD 002", 0x2005): {
        "LT": "34",
    },
    ("Philips MR Imaging DD 004", 0x2005): {
        "ST": "95",
    },
    ("Philips MR Imaging DD 005", 0x2005): {
        "CS": "29",
        "FD": "55",
        "FL": "92",
        "SS": "04",
    },
    ("Philips MR Imaging DD 006", 0x2005): {
        "CS": "57 63 64 65 66 78 79 81 95 97",
        "DS": "74 75 85 87",
        "FL": "53 54 55 56 58 59 61 72",
        "IS": "60 67 68 71 73 82 96",
        "LT": "62 76 83 86",
        "SL": "99",
    },
    ("Philips MR Imaging DD 007", 0x2005): {
        "CS": "00",
        "FL": "01 02 03",
    },
    ("Philips US Imaging DD 109", 0x200D): {
        "CS": "14",
        "US": "13",
    },
    ("Philips US Imaging DD 113", 0x200D): {
        "UL": "22 24 25 26 27 28 31",
    },
    ("SIEMENS MR HEADER", 0x0051): {
        "LO": "0A 0B 0C 0E",
    },
    ("SIEMENS MR SDI 02", 0x0021): {
        "CS": "75 78 79",
        "DS": "03 04 88",
        "FD": "53 5B 65 89",
        "IS": "1C 24 33 42 48 49 4E 59 5E 8A",
        "LO": "06 4F 56 76 77",
        "SH": "1A 41 58 8B",
        "SL": "45",
        "SQ": "FE",
        "ST": "67 8E",
        "UL": "51",
        "UT": "71",
    },
    ("SIEMENS MR SDR 01", 0x0021): {
        "LO": "01 02",
    },
    ("SIEMENS MR SDS 01", 0x0021): {
        "CS": "3D 45 47 48 49 53 55 5A 5B 5C",
        "DS": "04 0A 0F 11 13 16 17 1B 1C 2C 2D 2F 30 34 35 36 38 3B 44 46",
        "DT": "60",
        "FD": "12",
        "FL": "62",
        "IS": "01 05 10 14 1D 23 26 2A 2E 31",
        "LO": "06 09 5E",
        "OB": "19",
        "SH": "08 0C 18 22 33 37 5F 61",
        "SL": "25 5D",
        "SQ": "FE",
        "SS": "32",
        "ST": "2B",
        "US": "0D 27 50 51",
        "UT": "43",
    },
    ("SIEMENS SYNGO INDEX SERVICE", 0x0009): {
        "LO": "8C",
    },
}


def find_private_vr(tag: int, creator: str) -> str:
    """Return the VR of a private element, empty if it is not known here."""
    return _block(creator, tag >> 16).get(tag & 0xFF, "")


@cache
def _block(creator: str, group: int) -> dict[int, str]:
    rows = _VRS.get((creator, group), {})
    return {int(low, 16): vr for vr, lows in rows.items() for low in lows.split()}
