import numpy as np
import pytest

from imgconv.core.display import SliceDisplay, Table, Window
from imgconv.core.image import Image
from imgconv.core.render import auto_window, composite, full_window, render_slice
from imgconv.core.values import Rescale, ValueMap

PLAIN = SliceDisplay()


def shown(real, window=None, display=PLAIN, **values):
    plane = np.array([real])
    return render_slice(plane, ValueMap(**values), display, window)[0].tolist()


def test_render_slice_linear_window_is_the_standards():
    # PS3.3 C.11.2.1.2.1: with c = 2048 and w = 4096 the whole range of 12 bits is shown.
    assert shown([0.0, 4095.0, 2047.5], Window(2048, 4096)) == [0, 255, 128]
    assert shown([-1.0, 5000.0], Window(2048, 4096)) == [0, 255]


def test_render_slice_linear_window_of_width_one_is_a_threshold():
    assert shown([99.0, 100.0], Window(100, 1)) == [0, 255]


def test_render_slice_linear_exact_window():
    assert shown([0.0, 50.0, 100.0], Window(50, 100, "LINEAR_EXACT")) == [0, 128, 255]


def test_render_slice_sigmoid_window():
    low, middle, high = shown([-1e9, 50.0, 1e9], Window(50, 100, "SIGMOID"))
    assert (low, high) == (0, 255)
    assert middle in (127, 128)


def test_render_slice_applies_the_rescale_first():
    window = Window(50, 100, "LINEAR_EXACT")
    assert shown([1050], window, rescale=Rescale(1, -1000)) == [128]


def test_render_slice_headers_window_serves_unless_another_is_given():
    display = SliceDisplay(windows=(Window(5, 10, "LINEAR_EXACT"), Window(500, 1000)))
    assert shown([10.0], display=display) == [255]
    assert shown([10.0], Window(10, 100, "LINEAR_EXACT"), display) == [128]


def test_render_slice_table():
    table = Table(10, 10, np.array([0, 512, 1023], np.uint16))
    display = SliceDisplay(tables=(table,))
    assert shown([0, 10, 11, 12, 99], display=display) == [0, 0, 128, 255, 255]


@pytest.mark.parametrize(
    ("photometric", "inverse", "expected"),
    [
        ("MONOCHROME2", False, 0),
        ("MONOCHROME1", False, 255),
        ("MONOCHROME2", True, 255),
        ("MONOCHROME1", True, 0),
    ],
)
def test_render_slice_polarity(photometric, inverse, expected):
    display = SliceDisplay(inverse=inverse)
    assert shown([0], Window(50, 100), display, photometric=photometric) == [expected]


def test_render_slice_nan_is_dark():
    assert shown([np.nan], Window(50, 100)) == [0]


def test_render_slice_draws_overlays_on_request():
    mask = np.array([[True, False]])
    display = SliceDisplay(overlays=(mask,))
    plane = np.zeros((1, 2), np.uint8)
    assert render_slice(plane, ValueMap(), display, None).tolist() == [[0, 0]]
    assert render_slice(plane, ValueMap(), display, None, overlays=True).tolist() == [[255, 0]]


def test_render_slice_leaves_colour_and_input_unchanged():
    plane = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    result = render_slice(plane, ValueMap(photometric="RGB", bits_stored=8), PLAIN, None)
    np.testing.assert_array_equal(result, plane)
    result[:] = 9
    assert plane[0, 0, 0] == 0


def test_full_window_shows_all_stored_values():
    values = ValueMap(bits_stored=12, rescale=Rescale(1, -1024))
    window = full_window(values, np.dtype(np.uint16))
    assert shown([0, 4095], window, rescale=values.rescale) == [0, 255]


def test_auto_window_leaves_outliers_and_padding_out():
    samples = np.full(100_000, 100, np.int16)
    samples[:50_000] = 0
    samples[:100] = 30_000
    samples[100:20_000] = -2000
    image = Image(samples.reshape(10, 100, 100), "kji", values=ValueMap(padding=(-2000, -2000)))
    window = auto_window(image)
    assert (window.center, window.width) == (50, 100)


@pytest.mark.parametrize("samples", [np.full((1, 2, 2), np.nan), np.full((1, 2, 2), 7.0)])
def test_auto_window_of_nothing_to_tell_apart_is_valid(samples):
    assert auto_window(Image(samples, "kji")).width > 0


def test_composite_mixes_with_the_background():
    samples = np.array([[0, 0, 0, 255], [0, 0, 0, 0], [100, 0, 0, 51]], np.uint8)
    assert composite(samples, 255).tolist() == [[0, 0, 0], [255, 255, 255], [224, 204, 204]]
