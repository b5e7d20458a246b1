"""The table of all rules of imgconv: what `imgconv rules` lists.

Ids are never reused; a rule that goes leaves its number free for ever.
"""

from __future__ import annotations

from imgconv.rules.catalog.encoding import ENCODING_RULES
from imgconv.rules.catalog.geometry import GEOMETRY_RULES
from imgconv.rules.catalog.modules import MODULE_RULES
from imgconv.rules.catalog.other_files import OTHER_FILE_RULES
from imgconv.rules.catalog.pixels import PIXEL_RULES
from imgconv.rules.catalog.privacy import PRIVACY_RULES
from imgconv.rules.catalog.relations import RELATION_RULES
from imgconv.rules.catalog.values import VALUE_RULES
from imgconv.spec import RuleSpec

__all__ = ["FAMILIES", "RULES"]

# First letter of an id -> what the family is about.
FAMILIES = {
    "F": "file and meta information",
    "V": "values and value representations",
    "M": "modules, types, conditions and value sets",
    "P": "pixel data",
    "G": "geometry",
    "X": "consistency of series, studies and sets",
    "D": "de-identification",
    "B": "NIfTI, NRRD, sidecars and BIDS",
}

RULES: tuple[RuleSpec, ...] = (
    *ENCODING_RULES,
    *VALUE_RULES,
    *MODULE_RULES,
    *PIXEL_RULES,
    *GEOMETRY_RULES,
    *RELATION_RULES,
    *PRIVACY_RULES,
    *OTHER_FILE_RULES,
)
