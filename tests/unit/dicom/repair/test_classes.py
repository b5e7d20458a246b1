from __future__ import annotations

import pytest
from builders import element, tree_of
from test_hollow import sequence

from imgconv.dicom.repair.classes import derive_class, mend_classes

OLD, NEW = b"1.2.840.10008.5.1.4.1.1.6\0", "1.2.840.10008.5.1.4.1.1.6.1"


def test_mend_classes_retired_class_and_references_to_it_get_the_successor():
    reference = sequence(0x00082112, element(0x00081150, "UI", OLD))
    tree = tree_of(element(0x00080016, "UI", OLD), reference)

    changes = mend_classes(tree)

    assert [change.name for change in changes] == ["retired-class"] * 2
    assert tree.dataset.text(0x00080016) == NEW
    assert tree.dataset.items_of(0x00082112)[0].text(0x00081150) == NEW


def test_mend_classes_retired_class_without_a_like_successor_stays():
    nuclear = b"1.2.840.10008.5.1.4.1.1.5\0"
    tree = tree_of(element(0x00080016, "UI", nuclear))

    assert mend_classes(tree) == []
    assert tree.dataset.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.5"


def ct_image(*, without: int = 0, modality: bytes = b"CT", extra: bytes = b""):
    values = {
        0x00080060: ("CS", modality), 0x00200032: ("DS", b"1\\2\\3 "),
        0x00200037: ("DS", b"1\\0\\0\\0\\1\\0 "),
        0x00280030: ("DS", b"1\\1 "), 0x00281052: ("DS", b"0 "), 0x00281053: ("DS", b"1 "),
        0x7FE00010: ("OW", b"\0\0"),
    }  # fmt: skip
    parts = [element(tag, *value) for tag, value in values.items() if tag != without]
    return tree_of(*parts[:-1], extra, parts[-1])


def test_derive_class_image_that_can_be_nothing_else_gets_its_class():
    tree = ct_image()

    assert [change.name for change in derive_class(tree)] == ["derived"]
    assert tree.dataset.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.2"
    assert derive_class(tree) == []


@pytest.mark.parametrize(
    "tree",
    [
        ct_image(without=0x00281053),
        ct_image(without=0x7FE00010),
        ct_image(modality=b"OT"),
        ct_image(extra=element(0x52009229, "SQ", b"")),
    ],
)
def test_derive_class_is_not_guessed(tree):
    assert derive_class(tree) == []
