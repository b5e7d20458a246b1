"""Codes of PS3.16: DICOM's own, members of a few context groups, names of coding schemes.

Source
------
PS3.16 annex B (context groups), annex D (DICOM controlled terminology), chapter 8 (coding
schemes)
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from imgconv.resources import read_resource

__all__ = ["find_group", "find_members", "is_known_scheme", "is_own_code"]

# PS3.16 table 8-1, former names included.
_SCHEMES = frozenset({
    "ACR", "ASTM-sigpurpose", "BARI", "BI", "C4", "C5", "CD2", "CTV", "DC", "DCM", "DCMR",
    "DCMUID", "DOCLINC", "FMA", "GBIF", "HCPCS", "HPC", "I10", "I10P", "I11", "I9", "I9C",
    "IBSI", "IETF4646", "IMAGENET", "ISO_OID", "ISO3166_1", "ISO3166_2", "ISO639_1", "ISO639_2",
    "ITIS_TSN", "JC8", "JJ1017", "LN", "MA", "MAYOASRG", "MDC", "MDNS", "MGI", "MGI_STRAIN",
    "MSH", "MVX", "NCDR", "NCIt", "NDC", "NEU", "NICIP", "NYUMCCG", "PATHLEX", "POS",
    "PUBCHEM_CID", "RADELEMENT", "RADLEX", "RADPED", "RFC3066", "RFC5646", "RO", "RXNORM",
    "SBSRTM", "SCPECG", "SCT", "SDM", "SNM3", "SRT", "UBERON", "UCUM", "UMLS", "UNS", "UPC",
    "URN", "V3", "X12DE1270",
})  # fmt: skip
_LAST_BLOCK = "139999"  # where the terms of editions to come are numbered
_SNOMED_RT = frozenset({"SRT", "SNM3", "99SDM", "SDM"})


@cache
def _load() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(read_resource("imgconv.standard", "_generated/codes.json"))
    return tables


@cache
def _own_codes() -> frozenset[str]:
    return frozenset(_load()["DCM"].split())


def is_own_code(value: str) -> bool:
    """Whether the scheme DCM has this code value, or may have got it since."""
    codes = _own_codes()
    if value in codes:
        return True
    return value.isdigit() and max(filter(str.isdigit, codes)) < value <= _LAST_BLOCK


def is_known_scheme(designator: str) -> bool:
    """Whether a coding scheme designator is registered, private (99...) or local (L)."""
    return designator in _SCHEMES or designator.startswith(("99", "L"))


@cache
def find_members(group: int) -> frozenset[tuple[str, str]]:
    """Return (scheme, value) of the members of a context group; SNOMED RT under all its names."""
    members: set[tuple[str, str]] = set()
    for member in _load()["groups"][str(group)]:
        scheme, _, value = member.partition(":")
        names = _SNOMED_RT if scheme == "SRT" else {scheme}
        members.update((name, value) for name in names)
    return frozenset(members)


@cache
def find_group(number: int) -> frozenset[tuple[str, str]]:
    """Return (scheme, value) of the members of any context group; empty if there is none.

    Loads pydicom's tables of all groups; `find_members` has the few that rules ask for.
    """
    from pydicom.sr.codedict import codes

    try:
        found = getattr(codes, f"cid{number}")
    except AttributeError:
        return frozenset()
    return frozenset((code.scheme_designator, code.value) for code in found.concepts.values())
