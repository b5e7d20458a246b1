import gzip
import struct

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image, LazyArray, Segment, Source
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, Sidecar, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, InputError, UnsupportedData, UsageError
from imgconv.formats.nifti import check, read, write

TYPES = [
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
]
AFFINE = np.array([[-1.5, 0.2, 0, 10], [0.2, 2, 0.1, -20], [0, 0.1, 3, 30], [0, 0, 0, 1.0]])
TURNED = np.array([[0, 0, 3, 1], [-2, 0, 0, 2], [0, 1.5, 0, 3], [0, 0, 0, 1.0]])


def make(shape=(3, 4, 5), dtype="int16", affine=TURNED, **more):
    axes = more.pop("axes", "tkji"[-len(shape) :])
    array = (np.arange(np.prod(shape)) % 120).astype(dtype).reshape(shape)
    geometry = None if affine is None else Geometry(affine)
    return Image(more.pop("array", array), axes, more.pop("geometry", geometry), **more)


def names(losses):
    return {loss.name for loss in losses}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (1, 4, 5)])
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_write_is_read_by_nibabel_and_by_us(tmp_path, dtype, shape, extension):
    image = make(shape, dtype, values=ValueMap(rescale=Rescale(2.0, -3.0)))
    path = tmp_path / f"x{extension}"
    write(image, path, WriteOptions(sidecar=Sidecar.OFF))
    theirs = nibabel.load(path)
    assert theirs.get_data_dtype() == np.dtype(dtype)
    assert np.array_equal(np.asarray(theirs.dataobj.get_unscaled()).T, image.array)
    assert np.allclose(theirs.affine, LPS_TO_RAS @ TURNED)
    assert np.allclose(theirs.header.get_qform(), theirs.affine, atol=1e-6)
    assert (theirs.header["qform_code"], theirs.header["sform_code"]) == (1, 1)
    (ours,) = read(path, ReadOptions())
    assert np.array_equal(np.asarray(ours.array), image.array)
    assert ours.dtype == image.dtype
    assert ours.values.rescale == Rescale(2.0, -3.0)
    assert np.allclose(ours.geometry.affine, TURNED)


@pytest.mark.parametrize("samples", [3, 4])
def test_write_of_colour_is_rgb(tmp_path, samples):
    image = make((2, 3, 4, samples), "uint8", axes="kjic")
    write(image, tmp_path / "x.nii.gz", WriteOptions())
    theirs = nibabel.load(tmp_path / "x.nii.gz")
    assert theirs.header["datatype"] == {3: 128, 4: 2304}[samples]
    (ours,) = read(tmp_path / "x.nii.gz", ReadOptions())
    assert ours.axes == "kjic"
    assert np.array_equal(ours.array, image.array)


def test_write_of_a_lazy_array_loads_one_volume_at_a_time(tmp_path):
    order = []

    def load(t):
        order.append(t)
        return np.full((2, 3, 4), t, np.int16)

    image = make(array=LazyArray((5, 2, 3, 4), np.int16, load), axes="tkji")
    write(image, tmp_path / "x.nii.gz", WriteOptions())
    assert order == [0, 1, 2, 3, 4]
    assert np.asarray(nibabel.load(tmp_path / "x.nii.gz").dataobj)[0, 0, 0].tolist() == order


@pytest.mark.parametrize(
    ("bits", "top", "expected"),
    [(12, 4095, "int16"), (15, 32767, "int16"), (12, 40000, "uint16"), (16, 100, "uint16")],
)
@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
def test_write_of_uint16_from_dicom_is_int16_if_all_fits(tmp_path, bits, top, expected, extension):
    array = np.zeros((2, 3, 4), np.uint16)
    array[1, 2, 3] = top
    values = ValueMap(bits_stored=bits)
    image = make(array=array, values=values, sources=(Source("x", sop_instance_uid="1.2"),))
    write(image, tmp_path / f"x{extension}", WriteOptions())
    theirs = nibabel.load(tmp_path / f"x{extension}")
    assert theirs.get_data_dtype() == expected
    assert np.asarray(theirs.dataobj).max() == top


def test_write_of_a_sheared_affine_has_no_qform(tmp_path):
    sheared = TURNED.copy()
    sheared[:3, 2] += [0, 0, 0.7]
    write(make(affine=sheared), tmp_path / "x.nii", WriteOptions())
    header = nibabel.load(tmp_path / "x.nii").header
    assert (header["qform_code"], header["sform_code"]) == (0, 1)
    assert np.allclose(header.get_sform(), LPS_TO_RAS @ sheared)
    assert names(check(make(affine=sheared), WriteOptions())) == {"qform"}


def test_write_without_geometry_has_codes_zero_and_spacing(tmp_path):
    metadata = Metadata(shared={"PixelSpacing": (2.0, 1.5), "SpacingBetweenSlices": 4.0})
    write(make(affine=None, metadata=metadata), tmp_path / "x.nii", WriteOptions())
    header = nibabel.load(tmp_path / "x.nii").header
    assert (header["qform_code"], header["sform_code"]) == (0, 0)
    assert header.get_zooms() == (1.5, 2.0, 4.0)
    (ours,) = read(tmp_path / "x.nii", ReadOptions())
    assert ours.geometry is None
    assert ours.metadata.shared["PixelSpacing"] == (2.0, 1.5)


def test_write_gives_the_same_bytes_each_time(tmp_path):
    for name in ("a.nii.gz", "b.nii.gz"):
        write(make((2, 30, 40, 50)), tmp_path / name, WriteOptions())
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()


def test_write_leaves_its_input_as_it_was(tmp_path):
    image = make()
    before = image.array.copy()
    image.array.setflags(write=False)
    write(image, tmp_path / "x.nii.gz", WriteOptions(extra={"nifti": {"storage": "ras"}}))
    assert np.array_equal(image.array, before)


def test_write_of_unknown_storage_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="unknown storage `x`; known: auto"):
        write(make(), tmp_path / "x.nii", WriteOptions(extra={"nifti": {"storage": "x"}}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["float16", "complex64", "bool"])
def test_check_of_a_type_that_nifti_has_not_is_refused(dtype):
    with pytest.raises(UnsupportedData, match="no data type"):
        check(make(dtype=dtype), WriteOptions())


def test_check_of_16_bit_colour_is_refused():
    with pytest.raises(UnsupportedData, match="`3` samples of `uint16`"):
        check(make((2, 3, 4, 3), "uint16", axes="kjic"), WriteOptions())


def test_check_names_what_is_lost():
    image = make(
        affine=None,
        values=ValueMap(photometric="MONOCHROME1", padding=(0, 0), rescale=Rescale(1e-300)),
        segments=(Segment(1, "a"),),
    )
    losses = check(image, WriteOptions())
    assert names(losses) == {"no-geometry", "photometric", "padding", "segments", "rescale"}
    assert {loss.name for loss in losses if loss.harmful} == {"rescale"}


@pytest.mark.parametrize(("sidecar", "harmful"), [(Sidecar.OFF, True), (Sidecar.ANONYMISED, False)])
def test_check_of_uneven_slices_is_harmful_without_a_sidecar(sidecar, harmful):
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 5.0]])
    image = make(geometry=Geometry(np.eye(4), slice_positions=positions))
    (loss,) = check(image, WriteOptions(sidecar=sidecar))
    assert (loss.name, loss.harmful) == ("uneven-slice-spacing", harmful)


def test_uneven_slices_come_back_from_the_sidecar(tmp_path):
    positions = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 5.0]])
    image = make(geometry=Geometry(np.eye(4), slice_positions=positions))
    write(image, tmp_path / "x.nii", WriteOptions())
    (back,) = read(tmp_path / "x.nii", ReadOptions())
    assert np.array_equal(back.geometry.slice_positions, positions)


# --- reading what others wrote --------------------------------------------------------------------


def save(path, array, affine=AFFINE, kind=nibabel.Nifti1Image, **fields):
    image = kind(array, affine)
    for name, value in fields.items():
        image.header[name] = value
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("name", ["x.nii", "x.nii.gz", "x.img"])
def test_read_of_nibabel_files(tmp_path, kind, name):
    pair = {nibabel.Nifti1Image: nibabel.Nifti1Pair, nibabel.Nifti2Image: nibabel.Nifti2Pair}
    array = np.arange(60, dtype=np.int16).reshape(5, 4, 3)
    path = save(tmp_path / name, array, kind=pair[kind] if name == "x.img" else kind)
    (image,) = read(path, ReadOptions())
    assert np.array_equal(image.array, array.T)
    assert np.allclose(image.geometry.affine, LPS_TO_RAS @ AFFINE)
    assert image.array.flags.writeable
    assert len(image.sources) == (2 if name == "x.img" else 1)


def test_read_of_big_endian_is_native(tmp_path):
    array = np.arange(60, dtype=">i2").reshape(5, 4, 3)
    image = nibabel.Nifti1Image(array, AFFINE, nibabel.Nifti1Header(endianness=">"))
    image.set_data_dtype(">i2")
    nibabel.save(image, tmp_path / "x.nii")
    (ours,) = read(tmp_path / "x.nii", ReadOptions())
    assert ours.array.dtype == np.dtype("=i2")
    assert np.array_equal(ours.array, array.T)


def test_read_of_five_dimensions_is_one_image_per_last_index(tmp_path):
    array = np.arange(120, dtype=np.int16).reshape(2, 3, 4, 5, 1).repeat(2, axis=4)
    array[..., 1] += 1000
    images = list(read(save(tmp_path / "x.nii.gz", array), ReadOptions()))
    assert [image.name for image in images] == ["x", "x_2"]
    for n, image in enumerate(images):
        assert image.axes == "tkji"
        assert np.array_equal(np.asarray(image.array), array[..., n].T)


def test_read_of_a_vector_image_tells_that_its_axis_changes_meaning(tmp_path):
    array = np.zeros((2, 3, 4, 1, 3), np.float32)
    (image,) = read(save(tmp_path / "x.nii", array, intent_code=1006), ReadOptions())
    assert image.array.shape == (3, 4, 3, 2)
    assert ("vector-axis", True) in {(loss.name, loss.harmful) for loss in image.losses}


def test_read_prefers_the_sform_and_tells_if_the_qform_differs(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), None)
    image.set_qform(np.eye(4), 1)
    image.set_sform(np.diag([2.0, 2, 2, 1]), 4)
    nibabel.save(image, tmp_path / "x.nii")
    (ours,) = read(tmp_path / "x.nii", ReadOptions())
    assert np.allclose(ours.geometry.spacing, 2)
    assert names(ours.losses) == {"qform"}


def test_read_tells_of_extensions(tmp_path):
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), AFFINE)
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"hello"))
    nibabel.save(image, tmp_path / "x.nii")
    (ours,) = read(tmp_path / "x.nii", ReadOptions())
    assert names(ours.losses) == {"nifti-extensions"}
    assert not np.asarray(ours.array).any()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 2, 2), np.complex64), "complex"),
        (np.zeros((2, 2, 2, 2, 2, 2), np.int16), "`6` dimensions"),
    ],
)
def test_read_of_what_is_not_supported_is_refused(tmp_path, array, message):
    with pytest.raises(UnsupportedData, match=message) as caught:
        list(read(save(tmp_path / "x.nii", array), ReadOptions()))
    assert caught.value.path == tmp_path / "x.nii"


def test_read_of_a_pair_without_its_data_says_so(tmp_path):
    save(tmp_path / "x.img", np.zeros((2, 2, 2), np.int16), kind=nibabel.Nifti1Pair)
    (tmp_path / "x.img").unlink()
    with pytest.raises(CorruptData, match=r"`\.img` file is missing"):
        list(read(tmp_path / "x.hdr", ReadOptions()))


@pytest.mark.parametrize("extension", [".nii", ".nii.gz"])
@pytest.mark.parametrize("keep", [0, 10, 100, 350, 380, -1])
def test_read_of_a_truncated_file_is_corrupt(tmp_path, extension, keep):
    rng = np.random.default_rng(0)
    path = save(tmp_path / f"x{extension}", rng.integers(0, 99, (5, 6, 7)).astype(np.int16))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CorruptData):
        [np.asarray(image.array) for image in read(path, ReadOptions())]


@pytest.mark.parametrize("packed", [False, True])
def test_read_of_a_bomb_allocates_nothing(tmp_path, packed):
    head = bytearray(nibabel.Nifti1Header().binaryblock)
    struct.pack_into("<8h", head, 40, 4, 30000, 30000, 30000, 30000, 1, 1, 1)
    struct.pack_into("<hh", head, 70, 4, 16)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    data = bytes(head) + bytes(400)
    (tmp_path / "x.nii").write_bytes(gzip.compress(data) if packed else data)
    with pytest.raises(CorruptData, match="promises"):
        list(read(tmp_path / "x.nii", ReadOptions()))


def test_read_beyond_the_memory_limit_is_refused(tmp_path):
    path = save(tmp_path / "x.nii", np.zeros((50, 50, 50), np.int16))
    with pytest.raises(UnsupportedData, match="the limit is 1000"):
        list(read(path, ReadOptions(max_bytes=1000)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_read_of_a_damaged_file_raises_our_errors_only(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("x")
    array = np.arange(60, dtype=np.int16).reshape(5, 4, 3)
    packed = data.draw(st.booleans())
    path = save(folder / ("x.nii.gz" if packed else "x.nii"), array)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    try:
        for image in read(path, ReadOptions()):
            np.asarray(image.array)
    except InputError:
        pass
