import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, UnsupportedData, UsageError
from imgconv.formats.numpy_file import check_npy, check_npz, read, write_npy, write_npz

AFFINE = np.array([[1, 0, 0, -5.5], [0, 2, 0.25, 7], [0, 0, 3, 9], [0, 0, 0, 1.0]])


def only(path, **extra):
    (image,) = read(path, ReadOptions(extra={"numpy": extra}))
    return image


def saved(tmp_path, array):
    np.save(tmp_path / "a.npy", array, allow_pickle=array.dtype.kind == "O")
    return tmp_path / "a.npy"


@pytest.mark.parametrize("dtype", ["u1", "i1", "<u2", ">i2", "u4", ">i4", "u8", "i8", "f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_read_npy_keeps_every_sample(tmp_path, dtype, order):
    samples = np.asarray(np.arange(24).reshape(2, 3, 4), dtype, order)
    image = only(saved(tmp_path, samples))
    assert image.dtype == np.dtype(dtype).newbyteorder("=")
    assert image.array.flags.writeable
    assert image.geometry is None
    np.testing.assert_array_equal(image.array, samples)


@pytest.mark.parametrize(
    ("shape", "dtype", "axes"),
    [
        ((4, 5), "u2", "kji"),
        ((8, 9, 3), "u1", "kjic"),
        ((8, 9, 3), "u2", "kji"),
        ((8, 5, 3), "u1", "kji"),
        ((2, 8, 9, 4), "u1", "kjic"),
        ((2, 8, 9, 6), "u1", "tkji"),
        ((2, 3, 8, 9, 3), "u1", "tkjic"),
    ],
)
def test_read_npy_axes_are_told_by_shape_and_type(tmp_path, shape, dtype, axes):
    image = only(saved(tmp_path, np.zeros(shape, dtype)))
    assert image.axes == axes
    assert image.array.shape[-len(shape) :] == shape


def test_read_npy_named_axes_are_put_in_order(tmp_path):
    samples = np.arange(24).reshape(2, 3, 4)
    image = only(saved(tmp_path, samples), axes="ijk")
    np.testing.assert_array_equal(image.array, samples.transpose(2, 1, 0))


@pytest.mark.parametrize("axes", ["ji", "kjj", "xyz", "kjit"])
def test_read_npy_axes_that_do_not_fit_are_usage_errors(tmp_path, axes):
    with pytest.raises(UsageError):
        only(saved(tmp_path, np.zeros((2, 3, 4))), axes=axes)


def test_read_npy_booleans_become_labels(tmp_path):
    image = only(saved(tmp_path, np.array([[True, False]])))
    assert image.dtype == np.uint8
    assert image.array.tolist() == [[[1, 0]]]


@pytest.mark.parametrize(
    "array",
    [
        np.array([{"a": 1}], object),
        np.zeros((2, 2), "c8"),
        np.zeros((2, 2), "U3"),
        np.zeros((2, 2), [("a", "u1")]),
        np.zeros((2, 2), "f2").astype("g"),
        np.zeros(5),
        np.zeros((1, 1, 1, 1, 1, 1)),
    ],
)
def test_read_npy_what_is_no_image_is_unsupported(tmp_path, array):
    with pytest.raises(UnsupportedData):
        only(saved(tmp_path, array))


def test_read_npy_every_truncation_is_one_clean_error(tmp_path):
    path = saved(tmp_path, np.zeros((5, 5)))
    whole = path.read_bytes()
    for length in range(0, len(whole), 17):
        path.write_bytes(whole[:length])
        with pytest.raises(CorruptData) as caught:
            only(path)
        assert caught.value.path == path


@pytest.mark.parametrize("shape", ["(99999999, 99999999)", "(-1, 5)", "(0, 3)"])
def test_read_npy_hostile_shape_is_refused(tmp_path, shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path = tmp_path / "a.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode())
    with pytest.raises(CorruptData):
        only(path)


def test_npz_keeps_geometry_and_meaning(tmp_path):
    image = Image(
        np.arange(24, dtype=np.int16).reshape(2, 3, 4),
        "kji",
        geometry=Geometry(AFFINE),
        values=ValueMap(rescale=Rescale(0.1, -1024), unit="[hnsf'U]", photometric="MONOCHROME1"),
    )
    write_npz(image, tmp_path / "a.npz", WriteOptions(compress=True))
    again = only(tmp_path / "a.npz")
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_array_equal(again.geometry.affine, AFFINE)
    assert again.values.rescale == image.values.rescale
    assert (again.values.unit, again.values.photometric) == ("[hnsf'U]", "MONOCHROME1")
    with np.load(tmp_path / "a.npz") as archive:
        np.testing.assert_array_equal(archive["array"], image.array)


def test_write_npz_twice_gives_the_same_bytes(tmp_path):
    image = Image(np.zeros((1, 2, 2)), "kji")
    for name in ("a.npz", "b.npz"):
        write_npz(image, tmp_path / name, WriteOptions())
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_read_npz_of_several_arrays_needs_a_key(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, one=np.zeros((2, 2)), two=np.ones((2, 2)))
    with pytest.raises(UnsupportedData, match="2 arrays"):
        only(path)
    assert only(path, key="two").array.max() == 1
    with pytest.raises(UsageError):
        only(path, key="three")


def test_read_npz_bomb_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("array.npy", bytes(1 << 22))
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02") + 24
    data[at : at + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(bytes(data))
    with pytest.raises(CorruptData):
        only(path)


@pytest.mark.parametrize("name", ["affine", "slope", "axes", "photometric"])
def test_read_npz_contradictory_field_is_refused(tmp_path, name):
    path = tmp_path / "a.npz"
    np.savez(path, array=np.zeros((2, 2)), **{name: np.zeros(3)})
    with pytest.raises(CorruptData):
        only(path)


def test_read_npz_damaged_is_refused(tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, np.zeros((5, 5)))
    path = tmp_path / "a.npz"
    for length in range(4, len(buffer.getvalue()), 31):
        path.write_bytes(buffer.getvalue()[:length])
        with pytest.raises(CorruptData):
            only(path)


def test_write_npy_keeps_the_stored_samples(tmp_path):
    samples = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    write_npy(Image(samples, "kji"), tmp_path / "a.npy", WriteOptions())
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), samples)


def test_check_npy_rescale_is_a_harmful_loss_that_npz_has_not():
    image = Image(np.zeros((1, 2, 2), np.int16), "kji", geometry=Geometry(AFFINE))
    scaled = replace(image, values=ValueMap(rescale=Rescale(2, 0)))
    assert [loss.name for loss in check_npy(scaled, WriteOptions()) if loss.harmful] == ["rescale"]
    assert [loss.name for loss in check_npy(image, WriteOptions())] == ["geometry"]
    assert check_npz(scaled, WriteOptions()) == ()
