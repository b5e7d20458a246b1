from __future__ import annotations

from pathlib import Path

import pytest

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.put import put, put_item
from imgconv.ops.requirements import fill_required

DATE_TIME, METHOD, POSITION, POINTER = 0x0008002A, 0x00120063, 0x00200032, 0x00280009
RATIO, LOSSY_METHOD = 0x00282112, 0x00282114


def tree_with(syntax="1.2.840.10008.1.2.1", **values):
    tree = Tree(Path("x.dcm"), 0, b"", transfer_syntax=syntax)
    for number, (vr, value) in values.items():
        put(tree.dataset, int(number[1:], 16), vr, value)
    return tree


def fill(tree, tag):
    return fill_required(tree, tree.dataset, tag)


def test_fill_required_date_and_time_make_a_date_time():
    tree = tree_with(x00080022=("DA", "20240102"), x00080032=("TM", "101112.5"))

    assert fill(tree, DATE_TIME).name == "derived"
    assert tree.dataset.text(DATE_TIME) == "20240102101112.5"


@pytest.mark.parametrize(("date", "time"), [("20240102", ""), ("2024", "10"), ("20240102", "1")])
def test_fill_required_half_a_date_time_is_none(date, time):
    tree = tree_with(x00080022=("DA", date), x00080032=("TM", time))

    assert fill(tree, DATE_TIME) is None
    assert DATE_TIME not in tree.dataset.elements


def test_fill_required_method_of_de_identification_is_said_to_be_unknown():
    tree = tree_with()

    change = fill(tree, METHOD)

    assert change.name == "unknown-method"
    assert "unknown" in tree.dataset.text(METHOD)


@pytest.mark.parametrize("big_endian", [False, True])
def test_fill_required_frames_point_to_the_frame_time_that_is_there(big_endian):
    tree = tree_with(x00181063=("DS", "33.3"))
    tree.dataset.big_endian = big_endian

    fill(tree, POINTER)

    assert tree.dataset.elements[POINTER].values() == [0x00181063]
    assert fill(tree_with(), POINTER) is None


def grid(image_type="ORIGINAL\\PRIMARY\\M\\VFRAME", position="1\\2\\3.5 "):
    tree = tree_with(x00080008=("CS", image_type))
    put(tree.dataset, 0x00650010, "LO", "Image Private Header")
    for text in (position, "9\\9\\9"):
        put(put_item(tree.dataset, 0x00651051), POSITION, "DS", text)
    return tree


def test_fill_required_grid_has_the_position_of_its_first_tile():
    tree = grid()

    assert fill(tree, POSITION).is_done
    assert tree.dataset.numbers(POSITION) == (1.0, 2.0, 3.5)


@pytest.mark.parametrize("tree", [grid("ORIGINAL\\PRIMARY\\M"), grid(position="1\\2"), tree_with()])
def test_fill_required_position_is_not_guessed(tree):
    assert fill(tree, POSITION) is None


def compressed(syntax="1.2.840.10008.1.2.4.50"):
    tree = tree_with(
        syntax,
        x00280002=("US", 1), x00280010=("US", 10), x00280011=("US", 20), x00280100=("US", 8),
    )  # fmt: skip
    pixels = Element(tree.dataset, 0x7FE00010, "OB", b"", "OB")
    pixels.fragments = [(0, 0), (8, 40)]
    tree.dataset.elements[0x7FE00010] = pixels
    return tree


def test_fill_required_ratio_and_method_of_a_lossy_syntax():
    tree = compressed()

    assert fill(tree, RATIO).is_done
    assert fill(tree, LOSSY_METHOD).is_done
    assert tree.dataset.text(RATIO) == "5"
    assert tree.dataset.text(LOSSY_METHOD) == "ISO_10918_1"


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.1", ""])
def test_fill_required_ratio_is_not_measured_where_the_step_is_not_known(syntax):
    assert fill(compressed(syntax), RATIO) is None
    assert fill(compressed(syntax), LOSSY_METHOD) is None


def test_fill_required_other_attributes_are_not_invented():
    tree = tree_with()

    assert fill(tree, 0x00280030) is None
    assert fill_required(tree, Item(tree.dataset, 0x00081115), LOSSY_METHOD) is None
