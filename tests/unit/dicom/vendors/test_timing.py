import pytest

from imgconv.dicom.vendors.timing import (
    acquisition_seconds,
    first_plausible,
    multiband_factor,
    relative_times,
    seconds_of_day,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("000000", 0.0),
        ("133742.724", 49062.724),
        ("20220711121421.857500", 44061.8575),
        ("20220711121421.8575+0200", 44061.8575),
        ("13:37:42", 49062.0),
        ("2400", None),
        ("256000", None),
        ("", None),
        ("abcdef", None),
        ("1337421.x", None),
    ],
)
def test_seconds_of_day(text, expected):
    assert seconds_of_day(text) == (None if expected is None else pytest.approx(expected))


def test_acquisition_seconds_prefers_the_frame(facts_of, dataset_of):
    content = dataset_of({"FrameAcquisitionDateTime": "20200101000010.5"})
    group = dataset_of({"FrameContentSequence": [content]})
    facts = facts_of({"AcquisitionTime": "1200", "PerFrameFunctionalGroupsSequence": [group]})
    assert acquisition_seconds(facts) == 10.5


def test_relative_times_cross_midnight():
    assert relative_times((86399.0, 1.0)) == (0.0, 2.0)
    assert relative_times(()) == ()


def test_first_plausible_skips_times_beyond_one_repetition():
    assert first_plausible([(0.0, 3.0), (5.0, 6.0)], 2, 2.0) == (0.0, 1.0)


def test_first_plausible_prefers_the_second_of_different_spread():
    assert first_plausible([(0.0, 1.0), (0.0, 1.5)], 2, 2.0) == (0.0, 1.5)
    assert first_plausible([(0.0, 1.0), (1.0, 0.0)], 2, 2.0) == (0.0, 1.0)


@pytest.mark.parametrize("candidates", [[], [()], [(0.0,)], [(1.0, 1.0)], [(0.0, 9.0)]])
def test_first_plausible_refuses(candidates):
    assert first_plausible(candidates, 2, 2.0) is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ((0.0, 0.5, 0.0, 0.5), 2),
        ((0.0, 0.5, 1.0, 1.5), 1),
        ((0.0, 0.0, 0.5), 1),  # no equal groups
        ((), 1),
    ],
)
def test_multiband_factor(times, expected):
    assert multiband_factor(times) == expected
