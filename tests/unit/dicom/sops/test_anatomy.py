"""Regions for Body Part Examined."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from imgconv.dicom.context import Context
from imgconv.dicom.sops.anatomy import anatomic_region


@pytest.mark.parametrize(
    ("part", "code"),
    [("BRAIN", "12738006"), ("brain", "12738006"), ("", "38266002"), ("X", "38266002")],
)
def test_anatomic_region_of_a_body_part(part, code):
    dataset = Dataset()
    dataset.BodyPartExamined = part.upper()
    region = anatomic_region(Context(dataset))
    assert (region.CodeValue, region.CodingSchemeDesignator) == (code, "SCT")


def test_anatomic_region_that_was_given_wins():
    dataset, given = Dataset(), Dataset()
    given.CodeValue = "1"
    dataset.BodyPartExamined = "BRAIN"
    dataset.AnatomicRegionSequence = [given]
    assert anatomic_region(Context(dataset)).CodeValue == "1"
