import pytest
from tests.unit.rules import objects

from imgconv.dicom.elements import Element, Item
from imgconv.rules.likeness import describe
from imgconv.rules.modules import check_modules


def described(dataset, folder):
    return describe(objects.make_instance(dataset, folder).dataset)


def test_slices_of_a_series_are_alike(tmp_path):
    first, second = objects.stack(2)
    assert described(first, tmp_path) == described(second, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"PatientSex": "Z"},
        {"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]},
        {"PatientName": ""},
        {"ProcedureCodeSequence": []},
        {"ProcedureCodeSequence": [objects.code()]},
        {"ProcedureCodeSequence": [objects.code(), objects.code()]},
        {"ProcedureCodeSequence": [objects.code(meaning="")]},
    ],
)
def test_what_the_tables_can_see_tells_data_sets_apart(change, tmp_path):
    assert described(objects.ct() | change, tmp_path) != described(objects.ct(), tmp_path)


def test_a_large_data_set_is_not_described(tmp_path):
    codes = [objects.code() for _ in range(500)]
    assert described(objects.ct() | {"ProcedureCodeSequence": codes}, tmp_path) is None


def test_check_modules_twice_finds_the_same(tmp_path):
    dataset = objects.ct() | {"PatientSex": "Z"}
    instance = objects.make_instance(dataset, tmp_path)
    first, second = list(check_modules(instance)), list(check_modules(instance))
    assert first == second
    assert [hit.rule for hit in first if hit.rule == "M008"] == ["M008"]


def test_an_empty_sequence_is_not_like_a_value():
    """False is 0 and True is 1: neither may stand for a number of items."""
    descriptions = set()
    for items in (None, [], [Item()]):
        item = Item()
        element = Element(item, 0x300C0002, "UN" if items is None else "SQ", b"x")
        element.items = items
        item.elements[element.tag] = element
        descriptions.add(describe(item))
    assert len(descriptions) == 3
