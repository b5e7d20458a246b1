"""Coded anatomic regions for the terms of Body Part Examined.

Source: PS3.16 Annex L, table L-1 (SNOMED CT).
"""

from __future__ import annotations

from pydicom.dataset import Dataset

from imgconv.dicom.context import Context
from imgconv.standard.anatomic_regions import find_region

__all__ = ["anatomic_region"]

# Where nothing is known: true of any region. CID 4031.
_WHOLE_BODY = ("38266002", "Entire body")


def anatomic_region(context: Context) -> Dataset:
    """Return the item of Anatomic Region Sequence: the given one, else from Body Part Examined."""
    given = context.dataset.get("AnatomicRegionSequence")
    if given:
        found: Dataset = given[0]
        return found
    value, meaning = find_region(context.text("BodyPartExamined")) or _WHOLE_BODY
    region = Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = value, "SCT", meaning
    return region
