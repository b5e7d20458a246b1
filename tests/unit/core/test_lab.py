import itertools

import pytest

from imgconv.core.lab import lab_to_rgb, rgb_to_lab


def test_rgb_to_lab_and_back_is_exact():
    for colour in itertools.product(range(0, 256, 17), repeat=3):
        assert lab_to_rgb(rgb_to_lab(colour)) == colour


@pytest.mark.parametrize(
    ("colour", "lab"), [((0, 0, 0), (0, 32896, 32896)), ((255, 255, 255), (65535, 32896, 32896))]
)
def test_rgb_to_lab_black_and_white_have_no_hue(colour, lab):
    assert all(abs(a - b) <= 2 for a, b in zip(rgb_to_lab(colour), lab, strict=True))


def test_rgb_to_lab_red_is_as_published():
    # CIELab of sRGB red relative to D50: 54.29, 80.81, 69.89 (Lindbloom's calculator).
    lightness, a, b = rgb_to_lab((255, 0, 0))
    assert lightness * 100 / 65535 == pytest.approx(54.29, abs=0.02)
    assert a * 255 / 65535 - 128 == pytest.approx(80.81, abs=0.05)
    assert b * 255 / 65535 - 128 == pytest.approx(69.89, abs=0.05)
