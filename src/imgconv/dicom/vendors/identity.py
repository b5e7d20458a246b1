"""Tell the vendor of a data set."""

from __future__ import annotations

from enum import StrEnum

from imgconv.dicom.vendors.facts import Facts

__all__ = ["Vendor", "find_vendor"]


class Vendor(StrEnum):
    """Vendors with private attributes that are known here; the value is the usual short name."""

    SIEMENS = "Siemens"
    GE = "GE"
    PHILIPS = "Philips"
    CANON = "Canon"
    TOSHIBA = "Toshiba"
    UIH = "UIH"
    BRUKER = "Bruker"
    HITACHI = "Hitachi"
    MEDISO = "Mediso"
    MR_SOLUTIONS = "MRSolutions"
    HYPERFINE = "Hyperfine"
    OTHER = ""


# Beginning of Manufacturer (0008,0070), upper case -> vendor
_PREFIXES = (
    ("SIEMENS", Vendor.SIEMENS),
    ("GE ", Vendor.GE),
    ("GE_", Vendor.GE),
    ("GEMS", Vendor.GE),
    ("GENERAL ELECTRIC", Vendor.GE),
    ("PHILIPS", Vendor.PHILIPS),
    ("CANON", Vendor.CANON),
    ("TOSHIBA", Vendor.TOSHIBA),
    ("UIH", Vendor.UIH),
    ("UNITED IMAGING", Vendor.UIH),
    ("BRUKER", Vendor.BRUKER),
    ("HITACHI", Vendor.HITACHI),
    ("MEDISO", Vendor.MEDISO),
    ("MR SOLUTIONS", Vendor.MR_SOLUTIONS),
    ("HYPERFINE", Vendor.HYPERFINE),
)


def find_vendor(facts: Facts) -> Vendor:
    """Return the vendor that made the object; ``OTHER`` if it is missing or not known here."""
    name = facts.text("Manufacturer").upper()
    if name == "GE":
        return Vendor.GE
    return next((vendor for prefix, vendor in _PREFIXES if name.startswith(prefix)), Vendor.OTHER)
