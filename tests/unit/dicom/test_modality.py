import pytest

from imgconv.dicom.bids import bids_fields
from imgconv.dicom.modality import modality_of
from imgconv.dicom.vendors.facts import Acquisition


@pytest.mark.parametrize(
    ("attributes", "modality"),
    [
        ({"Modality": "OT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "OT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4"}, "MR"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128"}, "PT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, ""),  # a capture may be of anything
        ({}, ""),
    ],
)
def test_the_sop_class_tells_what_modality_does_not(facts_of, attributes, modality):
    assert modality_of(facts_of(attributes).header) == modality


def test_a_sidecar_of_mr_without_modality_has_its_fields(facts_of):
    facts = facts_of({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "EchoTime": 30})
    fields = bids_fields(Acquisition(((facts,),), (64, 64, 1)))
    assert fields["Modality"] == "MR"
    assert fields["EchoTime"] == 0.03
