from __future__ import annotations

from builders import element, tree_of
from test_hollow import sequence

from imgconv.dicom.repair.classes import mend_classes

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
