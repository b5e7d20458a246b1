import pytest

from imgconv.dicom.vendors.identity import Vendor, find_vendor


@pytest.mark.parametrize(
    ("name", "vendor"),
    [
        ("SIEMENS", Vendor.SIEMENS),
        ("Siemens Healthineers", Vendor.SIEMENS),
        ("GE MEDICAL SYSTEMS", Vendor.GE),
        ("GE", Vendor.GE),
        ("Genesis", Vendor.OTHER),
        ("Philips Medical Systems", Vendor.PHILIPS),
        ("Canon Medical Systems", Vendor.CANON),
        ("TOSHIBA_MEC", Vendor.TOSHIBA),
        ("UIH", Vendor.UIH),
        ("Bruker BioSpin MRI GmbH", Vendor.BRUKER),
        ("Hitachi Medical Corporation", Vendor.HITACHI),
        ("", Vendor.OTHER),
    ],
)
def test_find_vendor(facts_of, name, vendor):
    assert find_vendor(facts_of({"Manufacturer": name})) is vendor
