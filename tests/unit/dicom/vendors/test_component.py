import pytest

from imgconv.dicom.vendors.component import Component, find_component

PARM = "GEMS_PARM_01"


@pytest.mark.parametrize(
    ("attributes", "component"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]}, Component.MAGNITUDE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, Component.PHASE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "R_FFE"]}, Component.REAL),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "PHASE MAP"]}, Component.PHASE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "B0 MAP", "B0"]}, Component.FIELD_MAP_HZ),
        ({"ImageType": ["P", "M", "AXIAL"]}, Component.UNKNOWN),
        ({"ComplexImageComponent": "IMAGINARY"}, Component.IMAGINARY),
        (
            {"ComplexImageComponent": "MIXED", "ImageType": ["ORIGINAL", "PRIMARY", "M"]},
            Component.MAGNITUDE,
        ),
        ({}, Component.UNKNOWN),
    ],
)
def test_find_component(facts_of, attributes, component):
    assert find_component(facts_of(attributes)) is component


@pytest.mark.parametrize(
    ("coded", "component"), [(0, Component.MAGNITUDE), (2, Component.REAL), (9, Component.UNKNOWN)]
)
def test_find_component_of_ge(facts_of, coded, component):
    facts = facts_of({"Manufacturer": "GE MEDICAL SYSTEMS"}, {(0x43, PARM, 0x2F, "SS"): coded})
    assert find_component(facts) is component


def test_find_component_of_ges_field_map(facts_of):
    private = {(0x19, "GEMS_ACQU_01", 0x9C, "LO"): "B0rf", (0x43, PARM, 0x30, "SS"): 0}
    facts = facts_of({"Manufacturer": "GE MEDICAL SYSTEMS"}, private)
    assert find_component(facts) is Component.FIELD_MAP_HZ
