"""The whole way from an image to DICOM files, read back by other programs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, Sidecar, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.reader import read_images
from imgconv.dicom.writer import check, describe, series_paths, write
from imgconv.errors import GeometryError, OutputError, UnsupportedData, UsageError
from imgconv.formats import nifti


def _affine(oblique: float = 0.0, shear: float = 0.0) -> np.ndarray:
    c, s = np.cos(oblique), np.sin(oblique)
    rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag([0.75, 1.25, 3.0])
    affine[:3, 2] += affine[:3, 1] * shear
    affine[:3, 3] = [-101.25, 33.1234567, -412.5]
    return affine


def _image(dtype="int16", shape=(4, 5, 6), axes="kji", geometry=None, **kwargs) -> Image:
    rng = np.random.default_rng(3)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        array = rng.normal(0, 100, shape).astype(kind)
    else:
        info = np.iinfo(kind)
        array = rng.integers(info.min, info.max, shape, dtype=kind, endpoint=True)
    return Image(array, axes, geometry=geometry or Geometry(_affine()), **kwargs)


def _options(name="", **kwargs) -> WriteOptions:
    extra = {"as": name, **kwargs.pop("dicom", {})}
    return WriteOptions(extra={"dicom": extra}, **kwargs)


def _datasets(paths) -> list[pydicom.Dataset]:
    return [pydicom.dcmread(path) for path in paths]


def _errors_of(paths) -> list[str]:
    """Return what dciodvfy and dcentvfy call errors."""
    found = []
    for path in paths:
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False)
        text = (done.stdout + done.stderr).decode("latin-1")
        found += [line for line in text.splitlines() if "Error - " in line]
    done = subprocess.run(
        ["dcentvfy", *map(str, paths)], capture_output=True, check=False, text=True
    )
    return found + [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]


@pytest.mark.parametrize("oblique", [0.0, 0.3])
@pytest.mark.parametrize("name", ["ct", "mr", "pet"])
def test_write_classic_series_keeps_voxels_and_positions(tmp_path, name, oblique):
    image = _image(geometry=Geometry(_affine(oblique, shear=0.2)))
    paths = write(image, tmp_path / "out.dcm", _options(name))
    datasets = _datasets(paths)
    assert [p.name for p in paths] == ["0001.dcm", "0002.dcm", "0003.dcm", "0004.dcm"]
    assert np.array_equal(np.stack([d.pixel_array for d in datasets]), image.array)
    affine = image.geometry.affine
    for k, dataset in enumerate(datasets):
        iop = np.array(dataset.ImageOrientationPatient, float)
        row_gap, column_gap = map(float, dataset.PixelSpacing)
        assert np.allclose(iop[:3] * column_gap, affine[:3, 0], atol=1e-7)
        assert np.allclose(iop[3:] * row_gap, affine[:3, 1], atol=1e-7)
        position = affine @ [0, 0, k, 1]
        assert np.allclose(np.array(dataset.ImagePositionPatient, float), position[:3], atol=1e-5)


@pytest.mark.parametrize("name", ["ct", "mr", "pet"])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "uint8", "int8"])
def test_write_classic_series_is_conformant(tmp_path, name, dtype):
    paths = write(_image(dtype, (2, 5, 6)), tmp_path / "out.dcm", _options(name))
    assert _errors_of(paths) == []


def test_write_4d_numbers_volumes(tmp_path):
    image = _image(shape=(3, 2, 5, 6), axes="tkji")
    datasets = _datasets(write(image, tmp_path / "out.dcm", _options("mr")))
    assert [d.TemporalPositionIdentifier for d in datasets] == [1, 1, 2, 2, 3, 3]
    assert [d.InstanceNumber for d in datasets] == [1, 2, 3, 4, 5, 6]
    stacked = np.stack([d.pixel_array for d in datasets]).reshape(image.array.shape)
    assert np.array_equal(stacked, image.array)


def test_write_with_seed_is_reproducible_and_differs_by_object(tmp_path):
    image = _image()

    def uids(name, folder, seed):
        options = _options(name, dicom={"uid_seed": seed})
        return [d.SOPInstanceUID for d in _datasets(write(image, tmp_path / folder, options))]

    first = uids("ct", "a.dcm", "s")
    assert first == uids("ct", "b.dcm", "s")
    assert set(first).isdisjoint(uids("mr", "c.dcm", "s"))
    assert set(first).isdisjoint(uids("ct", "d.dcm", "t"))
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in first)


def test_write_keeps_an_existing_series(tmp_path):
    paths = write(_image(), tmp_path / "out.dcm", _options("ct"))
    before = [path.read_bytes() for path in paths]
    with pytest.raises(OutputError, match="exists already"):
        write(_image(), tmp_path / "out.dcm", _options("ct"))
    assert [path.read_bytes() for path in paths] == before


def test_write_that_fails_midway_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", _fail_at(3))
    with pytest.raises(OutputError):
        write(_image(), tmp_path / "out.dcm", _options("ct"))
    assert list(tmp_path.rglob("*")) == []


def _fail_at(call):
    calls = []

    def fsync(_):
        calls.append(1)
        if len(calls) == call:
            raise OSError(28, "No space left on device")

    return fsync


def test_check_in_plane_shear_is_refused():
    affine = _affine()
    affine[:3, 1] += affine[:3, 0] * 0.1
    with pytest.raises(GeometryError, match="in-plane shear"):
        check(_image(geometry=Geometry(affine)), _options("ct"))


@pytest.mark.parametrize("name", ["ct", "mr", "pet"])
def test_check_float_for_an_integer_object_is_refused_with_a_way_out(name):
    with pytest.raises(UnsupportedData) as caught:
        check(_image("float32"), _options(name))
    assert "parametric-map" in caught.value.hint


def test_check_whole_float_values_are_kept(tmp_path):
    image = _image("float32", (1, 2, 2))
    image = Image(np.round(image.array), "kji", geometry=image.geometry)
    losses = check(image, _options("ct"))
    assert [loss.name for loss in losses] == ["sample-type"]
    dataset = _datasets(write(image, tmp_path / "o.dcm", _options("ct")))[0]
    assert np.array_equal(dataset.pixel_array, image.array[0])


@pytest.mark.parametrize(
    ("name", "rescale"),
    [("mr", Rescale(2.0, 0.0)), ("mr", Rescale(1.0, 1.0)), ("pet", Rescale(1.0, 1.0))],
)
def test_check_rescale_without_a_place_is_refused(name, rescale):
    image = _image(values=ValueMap(rescale=rescale))
    with pytest.raises(UnsupportedData, match="rescale"):
        check(image, _options(name))


def test_check_complex_is_refused():
    image = Image(np.zeros((2, 2, 2), np.complex64), "kji", geometry=Geometry(_affine()))
    with pytest.raises(UnsupportedData, match="complex64"):
        check(image, _options("mr"))


def test_check_unknown_modality_is_reported():
    assert [loss.name for loss in check(_image(), _options())] == ["assumed-modality"]
    told = _image(metadata=Metadata(bids={"Modality": "CT"}))
    assert check(told, _options()) == ()


def test_check_unknown_object_is_refused():
    with pytest.raises(UsageError, match="known: ct"):
        check(_image(), _options("ctt"))


@pytest.mark.parametrize("shape", [(1, 2, 65536), (1, 65536, 2), (0, 2, 2), (1, 0, 2)])
def test_check_sizes_that_dicom_cannot_say_are_refused(shape):
    image = Image(np.zeros(shape, np.uint8), "kji")
    with pytest.raises(UnsupportedData):
        check(image, _options())


def test_write_of_unevenly_spaced_slices_keeps_their_positions(tmp_path):
    origins = np.array([[0, 0, 0], [0, 0, 1.0], [0, 0, 3.5]])
    image = _image(shape=(3, 4, 5), geometry=Geometry(np.eye(4), slice_positions=origins))
    paths = write(image, tmp_path / "o.dcm", _options("mr"))
    found = _datasets(paths)
    assert [d.ImagePositionPatient[2] for d in found] == [0, 1, 3.5]
    assert not any("SpacingBetweenSlices" in d for d in found)
    assert _errors_of(paths) == []


@pytest.mark.parametrize("folder", ["98892001/CT5N", "98892003/MR2", "98892003/MR700"])
def test_dicom_to_nifti_and_back_gives_the_same_nifti(tmp_path, folder):
    source = Path(pydicom.data.get_testdata_file("DICOMDIR")).parent / folder
    full = WriteOptions(sidecar=Sidecar.FULL)
    for number, original in enumerate(read_images(sorted(source.iterdir()))):
        first, again = tmp_path / f"{number}a.nii", tmp_path / f"{number}b.nii"
        nifti.write(original, first, full)
        (image,) = nifti.read(first, ReadOptions())
        reference = tuple(each.path for each in original.sources)
        options = WriteOptions(reference=reference)
        assert check(image, options) == ()
        (back,) = read_images(list(write(image, tmp_path / f"{number}.dcm", options)))
        nifti.write(back, again, full)
        assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(("scanning", "is_kept"), [("GR", False), ("GR\\IR", True)])
def test_write_mr_has_an_inversion_time_only_with_inversion_recovery(tmp_path, scanning, is_kept):
    shared = {"InversionTime": 800.0, "ScanningSequence": scanning, "SequenceVariant": "NONE"}
    image = _image(metadata=Metadata(shared=shared))
    losses = {loss.name for loss in check(image, _options("mr"))}
    paths = write(image, tmp_path / "out.dcm", _options("mr"))
    assert all(("InversionTime" in dataset) is is_kept for dataset in _datasets(paths))
    assert ("unprompted-attribute" in losses) is not is_kept
    assert _errors_of(paths) == []


@pytest.mark.parametrize("name", ["segmentation", "segmentation-labelmap", "rtstruct"])
def test_describe_tells_only_what_the_object_takes_over(tmp_path, name):
    grid = Geometry(np.diag([1.0, 1.0, 2.0, 1.0]))
    known = {"PatientID": "7", "Manufacturer": "Acme", "SeriesDescription": "scan"}
    first = WriteOptions(metadata=known, extra={"dicom": {"as": "ct"}})
    (source, *_) = write(Image(np.ones((2, 4, 5), np.int16), "kji", grid), tmp_path / "ct", first)
    mask = Image(np.ones((2, 4, 5), np.uint8), "kji", grid)
    wanted = WriteOptions(
        reference=(tmp_path / "ct",),
        metadata={"SoftwareVersions": "9"},
        extra={"dicom": {"as": name}},
    )
    told, origins, count = describe(mask, wanted)
    (path,) = write(mask, tmp_path / "s.dcm", wanted)
    before, after = pydicom.dcmread(source), pydicom.dcmread(path)
    assert (told, count) == (name, 0)
    assert "SoftwareVersions" in origins["set"]
    assert "PatientID" in origins["reference"]
    kept = set(origins["reference"]) - {"SeriesNumber"}
    assert {word: after[word].value for word in kept} == {word: before[word].value for word in kept}


@pytest.mark.parametrize(
    ("name", "shape", "axes", "values"),
    [
        ("ct", (3, 4, 5), "kji", {}),
        ("mr", (1, 4, 5), "kji", {}),
        ("mr", (2, 3, 4, 5), "tkji", {}),
        ("enhanced-mr", (3, 4, 5), "kji", {}),
        ("secondary-capture", (3, 4, 5), "kji", {}),
        ("secondary-capture", (3, 4, 5), "kji", {"rescale": Rescale(2.0, 0.0)}),
        ("secondary-capture", (1, 4, 5), "kji", {}),
        ("photo", (2, 4, 5, 3), "kjic", {"photometric": "RGB"}),
        ("photo", (1, 4, 5, 3), "kjic", {"photometric": "RGB"}),
    ],
)
def test_describe_tells_the_files_that_are_written(tmp_path, name, shape, axes, values):
    geometry = None if name == "photo" else Geometry(np.diag([1.0, 1.0, 2.0, 1.0]))
    image = Image(np.ones(shape, np.uint8), axes, geometry, values=ValueMap(**values), name="x")
    target = tmp_path / "x.dcm"

    told = series_paths(target, describe(image, _options(name)).files)

    assert told == write(image, target, _options(name))
