import math
import random

import pytest
from tests.unit.rules.test_stacks import image

from imgconv.rules.records import SeriesRecords
from imgconv.rules.stack_trends import check_locations, find_drift


def turned(angle):
    """An axial orientation turned in its plane, six decimals as writers use."""
    row, column = (math.cos(angle), math.sin(angle), 0.0), (-math.sin(angle), math.cos(angle), 0.0)
    return tuple(round(value, 6) for value in (*row, *column))


def stack(angles, places=None):
    places = places or range(len(angles))
    return [image(z, orientation=turned(angle)) for z, angle in zip(places, angles, strict=True)]


@pytest.mark.parametrize("step", [0.001, 0.004, 0.01])
def test_many_small_turns_are_a_drift(step):
    assert find_drift(stack([step * n for n in range(20)])) is not None


def test_the_order_of_the_files_does_not_matter():
    records = stack([0.004 * n for n in range(20)])
    random.Random(1).shuffle(records)
    assert find_drift(records) is not None


@pytest.mark.parametrize(
    "angles",
    [
        [0.0] * 20,
        [0.0002 * n for n in range(20)],  # 4 mrad in all
        [0.1 * n for n in range(4)],  # a radial scan
        [0.0] * 5 + [0.04] * 5 + [0.08] * 5,  # blocks, each of one orientation
        [0.003 * (-1) ** n for n in range(20)],  # to and fro, as motion correction does
        [0.04 * n for n in range(40)],  # around something
    ],
)
def test_what_turns_otherwise_is_no_drift(angles):
    assert find_drift(stack(angles)) is None


def locate(locations, **more):
    records = [image(2 * n, location=at, **more) for n, at in enumerate(locations)]
    return [hit.path for hit in check_locations(SeriesRecords("1", records))]


@pytest.mark.parametrize(
    "locations",
    [
        [0.0, 2.0, 4.0, 6.0],
        [96.0, 94.0, 92.0, 90.0],  # the other way
        [1.6 * n for n in range(50)],  # an oblique stack along an axis of the patient
        [round(2.0 * n, 1) + 0.04 * (-1) ** n for n in range(50)],  # rounded
        [5.0],
        [None, 2.0, 4.0],
    ],
)
def test_locations_that_follow_the_positions_are_sound(locations):
    assert locate(locations) == []


def test_one_wrong_location_is_found_wherever_it_stands():
    for number in range(5):
        locations = [2.0 * n for n in range(5)]
        locations[number] += 9
        assert locate(locations) == [f"{2 * number}-.dcm"]


def test_steps_of_another_length_are_found():
    assert locate([5.0 * n for n in range(5)]) == ["0-.dcm"]
    assert locate([0.0] * 5) == ["0-.dcm"]
