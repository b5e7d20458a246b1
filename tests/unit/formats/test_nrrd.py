import contextlib
import gzip

import numpy as np
import pytest
import SimpleITK
from hypothesis import given, settings
from hypothesis import strategies as st

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Segment
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, InputError, UnsupportedData
from imgconv.formats.nrrd import check, read, write

TYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"]
TYPES += ["float32", "float64"]
TURNED = np.array([[0, 0, 3, 1], [-2, 0, 0, 2], [0, 1.5, 0, 3], [0, 0, 0, 1.0]])
BASE = {
    "type": "short",
    "dimension": "3",
    "sizes": "5 4 3",
    "endian": "little",
    "encoding": "raw",
    "space": "left-posterior-superior",
    "space directions": "(1,0,0) (0,2,0) (0,0,3)",
    "space origin": "(1,2,3)",
}
ARRAY = np.arange(60, dtype="<i2").reshape(3, 4, 5)


def make(shape=(3, 4, 5), dtype="int16", **more):
    axes = more.pop("axes", "tkji"[-len(shape) :])
    array = (np.arange(np.prod(shape)) % 120).astype(dtype).reshape(shape)
    return Image(array, axes, more.pop("geometry", Geometry(TURNED)), **more)


def save(path, data=None, **changes):
    fields = {**BASE, **{name.replace("_", " "): value for name, value in changes.items()}}
    lines = [f"{name}: {value}" for name, value in fields.items() if value is not None]
    data = ARRAY.tobytes() if data is None else data
    path.write_bytes(("\n".join(["NRRD0004", *lines]) + "\n\n").encode() + data)
    return path


def read_one(path, **options):
    (image,) = read(path, ReadOptions(**options))
    return image


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("axes", ["kji", "tkji", "kjic"])
@pytest.mark.parametrize("compress", [True, False])
def test_write_is_read_back(tmp_path, dtype, axes, compress):
    shape = {"kji": (3, 4, 5), "tkji": (2, 3, 4, 5), "kjic": (3, 4, 5, 3)}[axes]
    image = make(shape, dtype, axes=axes)
    write(image, tmp_path / "x.nrrd", WriteOptions(compress=compress))
    back = read_one(tmp_path / "x.nrrd")
    assert back.axes == axes
    assert back.dtype == image.dtype
    assert np.array_equal(np.asarray(back.array), image.array)
    assert np.array_equal(back.geometry.affine, TURNED)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("compress", [True, False])
def test_write_is_read_by_itk_and_the_other_way_round(tmp_path, dtype, compress):
    image = make(dtype=dtype)
    write(image, tmp_path / "x.nrrd", WriteOptions(compress=compress))
    theirs = SimpleITK.ReadImage(str(tmp_path / "x.nrrd"))
    assert np.array_equal(SimpleITK.GetArrayFromImage(theirs), image.array)
    assert theirs.GetSpacing() == pytest.approx((2, 1.5, 3))
    assert theirs.GetOrigin() == (1, 2, 3)
    assert np.allclose(np.reshape(theirs.GetDirection(), (3, 3)), Geometry(TURNED).directions)
    for name in ("y.nrrd", "y.nhdr"):
        SimpleITK.WriteImage(theirs, str(tmp_path / name), compress)
        back = read_one(tmp_path / name)
        assert np.array_equal(back.array, image.array)
        assert np.allclose(back.geometry.affine, TURNED)
        assert back.array.flags.writeable


def test_write_applies_the_rescale_and_says_so(tmp_path):
    image = make(values=ValueMap(rescale=Rescale(1, -1024)))
    write(image, tmp_path / "x.nrrd", WriteOptions())
    assert read_one(tmp_path / "x.nrrd").array.min() == -1024
    assert {loss.name for loss in check(image, WriteOptions())} == {"rescale"}


def test_gradients_and_segments_are_kept(tmp_path):
    directions = (None, (0.6, 0.0, 0.8))
    metadata = Metadata(
        per_volume={"DiffusionBValue": (0.0, 900.0), "DiffusionGradientOrientation": directions}
    )
    segments = (Segment(1, "Liver", colour=(255, 0, 51)),)
    write(make((2, 3, 4, 5), metadata=metadata), tmp_path / "x.nrrd", WriteOptions())
    write(make(segments=segments), tmp_path / "y.nrrd", WriteOptions())
    per_volume = read_one(tmp_path / "x.nrrd").metadata.per_volume
    assert per_volume["DiffusionBValue"] == (0.0, 900.0)
    assert per_volume["DiffusionGradientOrientation"][1] == pytest.approx((0.6, 0.0, 0.8))
    (segment,) = read_one(tmp_path / "y.nrrd").segments
    assert (segment.number, segment.label, segment.colour) == (1, "Liver", (255, 0, 51))


@pytest.mark.parametrize("dtype", ["float16", "complex64", "bool"])
def test_check_of_a_type_that_nrrd_has_not_is_refused(dtype):
    with pytest.raises(UnsupportedData):
        check(make(dtype=dtype), WriteOptions())


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        ("left-posterior-superior", [1, 2, 3]),
        ("RAS", [-1, -2, 3]),
        ("left-anterior-superior", [1, -2, 3]),
    ],
)
def test_read_turns_every_space_of_a_patient_to_lps(tmp_path, space, expected):
    geometry = read_one(save(tmp_path / "x.nrrd", space=space)).geometry
    assert np.diag(geometry.affine)[:3].tolist() == expected
    assert geometry.origin.tolist() == expected


def test_read_of_another_space_has_no_geometry_and_says_so(tmp_path):
    image = read_one(save(tmp_path / "x.nrrd", space="scanner-xyz"))
    assert image.geometry is None
    assert {loss.name for loss in image.losses} == {"space"}


def test_read_without_space_keeps_the_spacing(tmp_path):
    changes = {"space": None, "space_directions": None, "space_origin": None}
    image = read_one(save(tmp_path / "x.nrrd", spacings="1.5 2 nan", **changes))
    assert image.geometry is None
    assert dict(image.metadata.shared) == {"PixelSpacing": (2.0, 1.5)}


def test_read_takes_centimetres_for_what_they_are(tmp_path):
    image = read_one(save(tmp_path / "x.nrrd", space_units='"cm" "cm" "cm"'))
    assert image.geometry.spacing == (10, 20, 30)


def test_read_moves_volumes_that_are_the_fastest_axis(tmp_path):
    interleaved = np.stack([ARRAY, ARRAY + 100], axis=-1)
    image = read_one(
        save(
            tmp_path / "x.nrrd",
            interleaved.tobytes(),
            dimension="4",
            sizes="2 5 4 3",
            kinds="list domain domain domain",
            space_directions="none (1,0,0) (0,2,0) (0,0,3)",
        )
    )
    assert image.axes == "tkji"
    assert np.array_equal(image.array[1], ARRAY + 100)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"encoding": "zrl"}, UnsupportedData, "encoding `zrl`"),
        ({"encoding": None}, UnsupportedData, "encoding"),
        ({"dimension": "1", "sizes": "60"}, CorruptData, "one entry per axis"),
        ({"space directions": "(1,0) (0,1) (1,1)"}, CorruptData, "vectors of three"),
        ({"space directions": "(0,0,0) (0,2,0) (0,0,3)"}, InputError, "span"),
        ({"space units": '"furlong" "mm" "mm"'}, UnsupportedData, "space units"),
        ({"sizes": "50000 50000 50000"}, CorruptData, "promises"),
        ({"data file": "../y.raw"}, CorruptData, "outside"),
        ({"data file": "/etc/hostname"}, CorruptData, "outside"),
        ({"data file": "y.raw"}, CorruptData, "not there"),
        ({"data file": "LIST"}, UnsupportedData, "list of data files"),
        ({"byte skip": "x"}, CorruptData, "byte skip"),
    ],
)
def test_read_of_what_is_wrong_is_refused_with_the_file(tmp_path, changes, kind, message):
    path = save(tmp_path / "x.nrrd", **changes)
    with pytest.raises(kind, match=message) as caught:
        read_one(path)
    assert caught.value.path == path


def test_read_of_a_data_file_behind_a_link_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "y.raw").write_bytes(ARRAY.tobytes())
    (tmp_path / "in" / "y.raw").symlink_to(tmp_path / "y.raw")
    with pytest.raises(CorruptData, match="outside"):
        read_one(save(tmp_path / "in" / "x.nhdr", b"", data_file="y.raw"))


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"line_skip": "2"}, b"one\ntwo\n" + ARRAY.tobytes()),
        ({"byte_skip": "3"}, b"abc" + ARRAY.tobytes()),
        ({"byte_skip": "-1"}, b"any number" + ARRAY.tobytes()),
        ({"byte_skip": "3", "encoding": "gzip"}, gzip.compress(b"abc" + ARRAY.tobytes())),
    ],
)
def test_read_skips_what_it_is_told_to(tmp_path, changes, data):
    assert np.array_equal(read_one(save(tmp_path / "x.nrrd", data, **changes)).array, ARRAY)


def test_read_beyond_the_memory_limit_is_refused(tmp_path):
    with pytest.raises(UnsupportedData, match="limit"):
        read_one(save(tmp_path / "x.nrrd"), max_bytes=10)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_read_of_a_damaged_file_raises_our_errors_only(tmp_path_factory, data):
    path = save(
        tmp_path_factory.mktemp("x") / "x.nrrd", gzip.compress(ARRAY.tobytes()), encoding="gzip"
    )
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content))
    with contextlib.suppress(InputError):
        np.asarray(read_one(path).array)
