from __future__ import annotations

import pytest
from builders import element, tree_of

from imgconv.dicom.elements import Element
from imgconv.dicom.repair.uids import mend_missing_uids, mend_uids

STUDY, SERIES, INSTANCE, FRAME = 0x0020000D, 0x0020000E, 0x00080018, 0x00200052


def test_mend_uids_malformed_uid_gets_the_same_new_one_each_time():
    first = tree_of(element(STUDY, "UI", b"1.2.abc\0"))
    second = tree_of(element(STUDY, "UI", b"1.2.abc\0"))

    (change,) = mend_uids(first)
    mend_uids(second)

    assert change.original == b"1.2.abc\0"
    assert first.dataset.text(STUDY) == second.dataset.text(STUDY)
    assert first.dataset.text(STUDY).startswith("2.25.")


def test_mend_uids_frame_of_reference_shared_with_the_study_is_renamed():
    tree = tree_of(element(STUDY, "UI", b"1.2.3\0"), element(FRAME, "UI", b"1.2.3\0"))

    mend_uids(tree)

    assert tree.dataset.text(STUDY) == "1.2.3"
    assert tree.dataset.text(FRAME) != "1.2.3"


def test_mend_uids_right_uids_are_left_alone():
    tree = tree_of(element(STUDY, "UI", b"1.2.3\0"), element(SERIES, "UI", b"2.25.4"))

    assert mend_uids(tree) == []


def test_mend_missing_uids_files_of_one_study_get_one_study():
    patient = element(0x00100020, "LO", b"p1")
    first, second = tree_of(patient), tree_of(patient)

    mend_missing_uids(first, "a")
    mend_missing_uids(second, "b")

    assert first.dataset.text(STUDY) == second.dataset.text(STUDY)
    assert first.dataset.text(SERIES) == second.dataset.text(SERIES)
    assert first.dataset.text(INSTANCE) != second.dataset.text(INSTANCE)


def test_mend_uids_creator_of_private_meta_information_gets_a_root_that_exists():
    tree = tree_of(element(STUDY, "UI", b"1.2.3\0"))
    tree.meta.elements[0x00020100] = Element(tree.meta, 0x00020100, "UI", b"1.9.3\0", "UI")

    (change,) = mend_uids(tree)

    assert (change.tag, change.original) == ("(0002,0100)", None)
    assert tree.meta.text(0x00020100).startswith("2.25.")


@pytest.mark.parametrize("text", [b".1.2.840.10008.5.1.4.1.1.2", b"1.2.840.10008.5.1.4.1.1.2."])
def test_mend_uids_sop_class_keeps_its_meaning(text):
    tree = tree_of(element(0x00080016, "UI", text))

    (change,) = mend_uids(tree)

    assert change.after == "the class that it names"
    assert tree.dataset.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.2"


def test_mend_uids_sop_class_comes_from_the_meta_information_or_stays():
    tree = tree_of(element(0x00080016, "UI", b"1.2.x\0"))
    (change,) = mend_uids(tree)
    assert not change.is_done

    name = b"1.2.840.10008.5.1.4.1.1.4\0"
    tree.meta.elements[0x00020002] = Element(tree.meta, 0x00020002, "UI", name, "UI")
    (change,) = mend_uids(tree)
    assert change.after == "as in the file meta"
    assert tree.dataset.text(0x00080016) == "1.2.840.10008.5.1.4.1.1.4"
