import numpy as np
import pytest
from PIL import Image as PillowImage

from imgconv.core.options import ReadOptions
from imgconv.errors import CorruptData
from imgconv.formats.raster.pillow import read_bmp, read_webp

RNG = np.random.default_rng(9)
RGB = RNG.integers(0, 255, (6, 9, 3)).astype(np.uint8)


def only(read, path):
    (image,) = read(path, ReadOptions())
    return image


@pytest.mark.parametrize("samples", [RGB, RGB[..., 0]])
def test_read_bmp_is_exact(tmp_path, samples):
    path = tmp_path / "a.bmp"
    PillowImage.fromarray(samples).save(path)
    np.testing.assert_array_equal(np.squeeze(only(read_bmp, path).array), np.squeeze(samples))


def test_read_webp_is_exact(tmp_path):
    path = tmp_path / "a.webp"
    PillowImage.fromarray(RGB).save(path, lossless=True)
    np.testing.assert_array_equal(only(read_webp, path).array[0], RGB)


def test_read_webp_animation_becomes_slices(tmp_path):
    path = tmp_path / "a.webp"
    frames = [PillowImage.fromarray(RGB), PillowImage.fromarray(255 - RGB)]
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert only(read_webp, path).array.shape == (2, 6, 9, 3)


@pytest.mark.parametrize(("read", "name"), [(read_bmp, "a.bmp"), (read_webp, "a.webp")])
def test_read_truncated_is_refused(tmp_path, read, name):
    path = tmp_path / name
    PillowImage.fromarray(RGB).save(path)
    whole = path.read_bytes()
    for length in range(0, len(whole) - 8, 13):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptData) as caught:
            list(read(path, ReadOptions()))
        assert caught.value.path == path
