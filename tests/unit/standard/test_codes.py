import pytest

from imgconv.standard.codes import find_group, find_members, is_known_scheme, is_own_code


@pytest.mark.parametrize(
    ("value", "known"),
    [("113100", True), ("CT", True), ("119999", False), ("999999", False), ("139998", True)],
)
def test_codes_of_dicom_are_known_as_far_as_the_edition_goes(value, known):
    assert is_own_code(value) is known


@pytest.mark.parametrize("designator", ["SCT", "99ACME", "LOCAL", "UCUM"])
def test_registered_private_and_local_schemes_are_known(designator):
    assert is_known_scheme(designator)


def test_other_schemes_are_not_known():
    assert not is_known_scheme("DICOM")


def test_members_of_a_group_have_their_former_codes_too():
    members = find_members(19)
    assert {("SCT", "102538003"), ("SRT", "F-10450"), ("SNM3", "F-10450")} <= members
    assert ("SCT", "39607008") not in members


def test_any_context_group_can_be_found():
    assert ("SCT", "102538003") in find_group(19)
    assert find_group(99999) == frozenset()
