from dataclasses import replace

import numpy as np

from imgconv.core.display import Display, SliceDisplay, Window
from imgconv.core.image import Image


def test_display_is_looked_up_for_its_own_array_only():
    array = np.zeros((2, 3, 4))
    shown = SliceDisplay(windows=(Window(1, 2),))
    image = Image(array, "kji", display=Display(array, lambda _, k: shown if k else SliceDisplay()))
    assert image.shown_as(0, 1).windows == (Window(1, 2),)
    assert image.shown_as(0, 0).windows == ()
    assert replace(image, array=array[::-1]).shown_as(0, 1).windows == ()
    assert Image(array, "kji").shown_as(0, 0).windows == ()
