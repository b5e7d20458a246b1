from __future__ import annotations

import pytest

from imgconv.dicom.elements import Element, Item
from imgconv.dicom.frame_order import find_order

AXIAL, SAGITTAL = "1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1"
POSITION, ORIENTATION, NUMBER, ECHO = 0x00200032, 0x00200037, 0x00200013, 0x00180081


def image(position: str = "", number: int = 0, orientation: str = AXIAL, echo: str = "") -> Item:
    root = Item()
    values = {POSITION: position, ORIENTATION: orientation, NUMBER: str(number), ECHO: echo}
    for tag, text in values.items():
        if text:
            root.elements[tag] = Element(root, tag, "DS", text.encode(), "DS")
    return root


def test_find_order_of_a_volume_follows_the_normal():
    order = find_order([image("0\\0\\6", 1), image("0\\0\\0", 2), image("0\\0\\3", 3)])

    assert order.order == (1, 2, 0)
    assert order.places == (1, 2, 3)
    assert order.stacks == (1, 1, 1)
    assert order.is_volume
    assert order.telltale == 0


def test_find_order_uneven_steps_are_no_volume():
    order = find_order([image("0\\0\\0"), image("0\\0\\3"), image("0\\0\\7")])

    assert not order.is_volume
    assert order.is_parallel
    assert order.is_indexed


def test_find_order_images_at_one_place_are_told_apart_by_what_differs():
    places = ("0\\0\\0", "0\\0\\3")
    images = [
        image(place, 2 * n, echo=str(echo)) for echo in (30, 12) for n, place in enumerate(places)
    ]

    order = find_order(images)

    assert order.telltale == ECHO
    assert order.order == (2, 3, 0, 1)
    assert order.ranks == (1, 1, 2, 2)
    assert order.places == (1, 2, 1, 2)
    assert order.is_indexed


def test_find_order_orientations_are_stacks_of_their_own():
    order = find_order([image("0\\0\\0"), image("0\\0\\3"), image("5\\0\\0", orientation=SAGITTAL)])

    assert order.stacks == (1, 1, 2)
    assert not order.is_parallel


def test_find_order_without_positions_is_the_instance_number():
    order = find_order([image(number=2, orientation=""), image(number=1, orientation="")])

    assert order.order == (1, 0)
    assert order.stacks == ()
    assert order.telltale == NUMBER


def test_find_order_equal_images_are_not_indexed():
    order = find_order([image("0\\0\\0", 1), image("0\\0\\0", 1)])

    assert not order.is_indexed


@pytest.mark.parametrize(
    ("orientation", "far"),
    [
        (SAGITTAL, "-9\\4\\4"),  # the normal is -x, -y or oblique
        ("1\\0\\0\\0\\0\\-1", "4\\9\\4"),
        ("0.6\\0.8\\0\\0\\0\\1", "7.2\\-5.4\\4"),
    ],
)
def test_find_order_counts_along_the_normal_of_any_orientation(orientation, far):
    order = find_order([image(far, 1, orientation), image("0\\0\\0", 2, orientation)])

    assert order.order == (1, 0)
    assert order.places == (1, 2)
