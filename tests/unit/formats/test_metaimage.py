import zlib
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from imgconv.core.image import Image, LazyArray
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, GeometryError, UnsupportedData
from imgconv.formats.metaimage import check, read, write

RNG = np.random.default_rng(11)
OPTIONS = ReadOptions()
HEAD = "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\n"


def only(path, options=OPTIONS):
    (image,) = read(path, options)
    return image


def oblique(samples):
    picture = sitk.GetImageFromArray(samples)
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    picture.SetDirection((turn * np.sign(np.linalg.det(turn))).ravel())
    picture.SetSpacing((0.7, 0.8, 2.5))
    picture.SetOrigin((1.5, -20.25, 3.0))
    return picture


def affine_of(picture):
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(picture.GetDirection(), (3, 3)) * picture.GetSpacing()
    affine[:3, 3] = picture.GetOrigin()
    return affine


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_read_and_write_agree_with_itk(tmp_path, name, compress, dtype):
    samples = RNG.integers(0, 100, (4, 5, 6)).astype(dtype)
    picture = oblique(samples)
    sitk.WriteImage(picture, tmp_path / name, compress)
    image = only(tmp_path / name)
    np.testing.assert_array_equal(image.array, samples)
    assert image.dtype == samples.dtype
    assert image.array.flags.writeable
    np.testing.assert_allclose(image.geometry.affine, affine_of(picture), atol=1e-12)

    target = tmp_path / "out" / name
    written = write(image, target, WriteOptions(compress=compress))
    assert written[-1] == target
    again = sitk.ReadImage(target)
    np.testing.assert_array_equal(sitk.GetArrayFromImage(again), samples)
    np.testing.assert_allclose(affine_of(again), affine_of(picture), atol=1e-9)


def test_read_and_write_colour(tmp_path):
    samples = RNG.integers(0, 255, (2, 3, 4, 3)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(samples, isVector=True), tmp_path / "a.mha")
    image = only(tmp_path / "a.mha")
    assert (image.axes, image.values.photometric) == ("kjic", "RGB")
    write(image, tmp_path / "b.mha", WriteOptions())
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / "b.mha")), samples
    )


def test_read_and_write_time(tmp_path):
    samples = RNG.integers(0, 255, (2, 3, 4, 5)).astype(np.int16)
    lazy = LazyArray(samples.shape, np.int16, lambda t: samples[t])
    write(Image(lazy, "tkji"), tmp_path / "a.mha", WriteOptions())
    image = only(tmp_path / "a.mha")
    assert image.axes == "tkji"
    np.testing.assert_array_equal(image.array, samples)


def test_write_applies_the_rescale(tmp_path):
    stored = np.array([[[0, 1024, 3000]]], np.uint16)
    image = Image(stored, "kji", values=ValueMap(rescale=Rescale(1.0, -1024.0)))
    write(image, tmp_path / "a.mha", WriteOptions())
    assert only(tmp_path / "a.mha").array.tolist() == [[[-1024, 0, 1976]]]


def test_read_two_dimensions_have_no_geometry(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((3, 4), np.uint8)), tmp_path / "a.mha")
    image = only(tmp_path / "a.mha")
    assert image.array.shape == (1, 3, 4)
    assert image.geometry is None


def test_read_list_of_files(tmp_path):
    (tmp_path / "1.raw").write_bytes(bytes([1, 2, 3, 4]))
    (tmp_path / "2.raw").write_bytes(bytes([5, 6, 7, 8]))
    (tmp_path / "a.mhd").write_text(HEAD + "ElementDataFile = LIST\n1.raw\n2.raw\n")
    assert only(tmp_path / "a.mhd").array.ravel().tolist() == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    "name", ["../secret.raw", "/etc/hostname", "sub/a.raw", "..\\a.raw", "link.raw", "none.raw"]
)
def test_read_data_file_outside_the_folder_is_refused(tmp_path, name):
    (tmp_path / "secret.raw").write_bytes(bytes(8))
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.raw").write_bytes(bytes(8))
    (folder / "link.raw").symlink_to(tmp_path / "secret.raw")
    (folder / "a.mhd").write_text(f"{HEAD}ElementDataFile = {name}\n")
    with pytest.raises(CorruptData, match="ElementDataFile"):
        only(folder / "a.mhd")


@pytest.mark.parametrize(
    ("head", "data"),
    [
        (HEAD, bytes(7)),
        (HEAD.replace("2 2 2", "65535 65535 65535"), bytes(8)),
        (HEAD + "CompressedData = True\n", b"no zlib"),
        (HEAD + "CompressedData = True\n", zlib.compress(bytes(7))),
        (HEAD.replace("2 2 2", "9999 9999 9999") + "CompressedData = True\n", zlib.compress(b"1")),
        (HEAD + "ElementSpacing = 1 1\n", bytes(8)),
        (HEAD + "ElementSpacing = 1 1 0\n", bytes(8)),
        (HEAD + "ElementSpacing = 1 1 nan\n", bytes(8)),
        (HEAD + "ElementSpacing = 1 1 1\nOffset = 1 inf 1\n", bytes(8)),
        (HEAD + "ElementSpacing = 1 1 1\nTransformMatrix = 1 0 0\n", bytes(8)),
    ],
)
def test_read_damaged_is_refused(tmp_path, head, data):
    path = tmp_path / "a.mha"
    path.write_bytes(f"{head}ElementDataFile = LOCAL\n".encode() + data)
    with pytest.raises(CorruptData) as caught:
        only(path)
    assert caught.value.path == path


def test_read_singular_axes_are_refused(tmp_path):
    path = tmp_path / "a.mha"
    geometry = "ElementSpacing = 1 1 1\nTransformMatrix = 1 0 0 1 0 0 0 0 1\n"
    path.write_bytes(f"{HEAD}{geometry}ElementDataFile = LOCAL\n".encode() + bytes(8))
    with pytest.raises(GeometryError):
        only(path)


def test_read_over_the_limit_is_refused(tmp_path):
    write(Image(np.zeros((2, 2, 2)), "kji"), tmp_path / "a.mha", WriteOptions())
    with pytest.raises(CorruptData, match="limit"):
        only(tmp_path / "a.mha", ReadOptions(max_bytes=10))


def test_check_names_the_losses():
    image = Image(np.zeros((1, 2, 2), np.uint8), "kji")
    assert [loss.name for loss in check(image, WriteOptions())] == ["no-geometry"]
    dark = replace(image, values=ValueMap(photometric="MONOCHROME1"))
    assert "photometric" in [loss.name for loss in check(dark, WriteOptions())]


def test_check_type_without_a_name_is_unsupported():
    with pytest.raises(UnsupportedData):
        check(Image(np.zeros((1, 2, 2), np.float16), "kji"), WriteOptions())
