"""Slope and intercept against the place that an object has."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.sops.rescale import check_rescale
from imgconv.errors import UnsupportedData


def _image(slope, intercept=0.0) -> Image:
    values = ValueMap(rescale=Rescale(slope, intercept))
    return Image(np.zeros((1, 1, 1), np.int16), "kji", values=values)


@pytest.mark.parametrize("slope", [1.0, 0.25, 118362.2421875, float(np.float32(0.1)), 1e-5])
def test_check_rescale_of_what_a_decimal_string_holds_is_no_loss(slope):
    assert check_rescale(_image(slope, -1024.0), "CT Image") == ()


def test_check_rescale_of_a_longer_number_is_a_harmless_loss():
    (loss,) = check_rescale(_image(1 / 3), "CT Image")
    assert (loss.name, loss.harmful) == ("rescale-precision", False)


@pytest.mark.parametrize(
    ("title", "slope", "intercept", "way"),
    [("MR Image", 2.0, 0.0, "enhanced-mr"), ("PET Image", 1.0, 5.0, "parametric-map")],
)
def test_check_rescale_without_a_place_names_the_object_that_has_one(title, slope, intercept, way):
    with pytest.raises(UnsupportedData) as caught:
        check_rescale(_image(slope, intercept), title, title != "MR Image", intercept=False)
    assert way in caught.value.hint
