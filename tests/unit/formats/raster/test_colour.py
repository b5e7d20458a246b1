import numpy as np
from PIL import ImageCms

from imgconv.formats.raster.colour import cmyk_to_rgb


def test_cmyk_to_rgb_without_profile_multiplies_inks():
    inks = np.array([[[0, 0, 0, 0], [255, 0, 0, 0], [0, 0, 0, 255], [128, 0, 0, 128]]], np.uint8)
    rgb, loss = cmyk_to_rgb(inks, b"")
    assert rgb.tolist() == [[[255, 255, 255], [0, 255, 255], [0, 0, 0], [63, 127, 127]]]
    assert loss.harmful


def test_cmyk_to_rgb_with_a_profile_of_another_space_says_approximated():
    rgb_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _, loss = cmyk_to_rgb(np.zeros((2, 2, 4), np.uint8), rgb_profile)
    assert loss.name == "cmyk-approximated"
