import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.errors import CorruptData
from imgconv.formats.nrrd_gradients import format_gradients, has_gradients, parse_gradients
from imgconv.formats.nrrd_header import format_header, parse_header

B_VALUES = (0.0, 500.0, 1000.0)
DIRECTIONS = (None, (0.6, 0.0, 0.8), (0.0, -1.0, 0.0))


def make(**per_volume):
    return Image(np.zeros((3, 1, 2, 2), np.int16), "tkji", metadata=Metadata(per_volume=per_volume))


def header_of(pairs, **fields):
    return parse_header(format_header(fields, {"modality": "DWMRI", **pairs}))


def test_format_then_parse_gives_the_gradients_back():
    image = make(DiffusionBValue=B_VALUES, DiffusionGradientOrientation=DIRECTIONS)
    found = parse_gradients(header_of(format_gradients(image)), np.eye(3), 3)
    assert found["DiffusionBValue"] == pytest.approx(B_VALUES)
    first, second, third = found["DiffusionGradientOrientation"]
    assert first is None
    assert second == pytest.approx(DIRECTIONS[1])
    assert third == pytest.approx(DIRECTIONS[2])


def test_parse_turns_by_measurement_frame_and_space():
    pairs = {"DWMRI_b-value": "1000", "DWMRI_gradient_0000": "1 0 0"}
    header = header_of(pairs, **{"measurement frame": "(0,1,0) (1,0,0) (0,0,1)"})
    found = parse_gradients(header, np.diag([-1.0, -1.0, 1.0]), 1)
    assert found["DiffusionGradientOrientation"] == (pytest.approx((0, -1, 0)),)


def test_parse_repeats_a_gradient_as_often_as_it_was_taken():
    pairs = {"DWMRI_b-value": "9", "DWMRI_gradient_0000": "0 0 0", "DWMRI_NEX_0000": "2"}
    assert len(parse_gradients(header_of(pairs), np.eye(3), 2)["DiffusionBValue"]) == 2


def test_parse_without_gradients_finds_none():
    assert parse_gradients(parse_header(format_header({}, {})), np.eye(3), 3) == {}
    assert not has_gradients(make())
    assert format_gradients(make()) == {}


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"DWMRI_gradient_0000": "1 0 0"},
        {"DWMRI_gradient_0000": "1 0", "DWMRI_b-value": "1"},
        {"DWMRI_gradient_0000": "1 0 x", "DWMRI_b-value": "1"},
        {"DWMRI_gradient_0000": "1 0 nan", "DWMRI_b-value": "1"},
        {"DWMRI_gradient_0000": "1 0 0", "DWMRI_b-value": "x"},
    ],
)
def test_parse_of_gradients_that_do_not_fit_is_refused(pairs):
    with pytest.raises(CorruptData):
        parse_gradients(header_of(pairs), np.eye(3), 1)


def test_parse_of_a_bad_measurement_frame_is_refused():
    pairs = {"DWMRI_b-value": "1000", "DWMRI_gradient_0000": "1 0 0"}
    with pytest.raises(CorruptData, match="measurement frame"):
        parse_gradients(header_of(pairs, **{"measurement frame": "(1,0) (0,1)"}), np.eye(3), 1)
