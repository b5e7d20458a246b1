import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.errors import UnknownFormat
from imgconv.formats.metaimage import write as write_metaimage
from imgconv.formats.numpy_file import write_npz
from imgconv.ops.layers import read_layers


def test_read_layers_of_several_formats(tmp_path):
    image = Image(np.ones((2, 3, 4), np.uint8), "kji")
    write_metaimage(image, tmp_path / "a.mha", WriteOptions())
    write_npz(image, tmp_path / "b.npz", WriteOptions())
    (stacked,) = read_layers([tmp_path / "a.mha", tmp_path / "b.npz"], ReadOptions())
    assert stacked.array.shape == (2, 2, 3, 4)


def test_read_layers_of_no_image_is_refused(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("hello")
    with pytest.raises(UnknownFormat) as caught:
        list(read_layers([path], ReadOptions()))
    assert caught.value.path == path
