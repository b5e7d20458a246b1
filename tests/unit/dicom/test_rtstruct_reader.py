import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import affine, boxes, label_map, options, write_reference

from imgconv.core.options import ReadOptions
from imgconv.dicom.header import read_header
from imgconv.dicom.label_objects import plan_label_object
from imgconv.dicom.reader import read_images
from imgconv.dicom.rtstruct_reader import load_structure_set
from imgconv.dicom.writer import write
from imgconv.errors import InputError, UnsupportedData


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture
def written(tmp_path, reference):
    """Return a function: write contours, change the data set, read it on its images."""

    def make(array, change=lambda dataset: None):
        image = label_map(array)
        (path,) = write(image, tmp_path / "a.dcm", options(reference, "rtstruct"))
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
        header = read_header(path)
        extra = {"dicom": {"reference": [reference[0].parent]}}
        return load_structure_set(plan_label_object(header, {}), ReadOptions(extra=extra))

    return make


def holed():
    array = boxes(1, 2, shape=(6, 8, 10))
    array[2] = 3
    array[2, 3:6, 3:7] = 0
    array[2, 4, 5] = 5
    array[3] = np.random.default_rng(1).integers(0, 4, array.shape[1:])
    return array


def test_load_gives_the_same_labels(written):
    image = written(holed())
    np.testing.assert_array_equal(image.array, holed())
    np.testing.assert_allclose(image.geometry.affine, affine(), atol=1e-4)
    assert image.losses == ()


def test_load_overlapping_regions_become_layers(written):
    layers = np.stack([boxes(1), np.roll(boxes(2), 1, axis=2)])
    image = written(layers)
    np.testing.assert_array_equal(image.array, layers)
    assert [segment.layer for segment in image.segments] == [0, 1]


def test_read_images_finds_the_images_among_the_inputs(tmp_path, reference):
    (path,) = write(label_map(boxes(4)), tmp_path / "a.dcm", options(reference, "rtstruct"))
    (image,) = [image for image in read_images([path, *reference]) if image.segments]
    np.testing.assert_array_equal(image.array, boxes(4))


def test_load_without_its_images_is_unsupported(tmp_path, reference):
    (path,) = write(label_map(boxes(4)), tmp_path / "a.dcm", options(reference, "rtstruct"))
    with pytest.raises(UnsupportedData) as caught:
        list(read_images(path))
    assert "inputs" in caught.value.hint


def first_contour(dataset):
    return dataset.ROIContourSequence[0].ContourSequence[0]


def shift(contour, millimetres, every=1):
    values = np.array(contour.ContourData, float).reshape(-1, 3)
    values[::every, 2] += millimetres
    contour.ContourData = [f"{value:.6f}" for value in values.ravel()]


@pytest.mark.parametrize(
    ("change", "loss"),
    [
        (lambda d: setattr(first_contour(d), "ContourGeometricType", "POINT"), "open-contours"),
        (lambda d: shift(first_contour(d), 1.4), "contours-between-slices"),
        (lambda d: shift(first_contour(d), 6, every=2), "contours-between-slices"),
        (lambda d: shift(first_contour(d), 300), "contours-outside"),
        (lambda d: shift(first_contour(d), 0.1), None),
    ],
)
def test_load_contours_that_cannot_be_placed_are_told(written, change, loss):
    image = written(boxes(1), change)
    assert [found.name for found in image.losses] == ([loss] if loss else [])


def _nan(dataset):
    first_contour(dataset).ContourData = ["1", "2", "3", "4"]


def _stranger(dataset):
    dataset.ROIContourSequence[0].ReferencedROINumber = 99


def _no_regions(dataset):
    del dataset.StructureSetROISequence


@pytest.mark.parametrize("change", [_nan, _stranger, _no_regions])
def test_load_damaged_is_refused(written, change):
    with pytest.raises(InputError) as caught:
        written(boxes(1), change)
    assert caught.value.path.name == "a.dcm"


def test_load_region_numbers_that_are_none_of_a_label_are_renumbered(written):
    def change(dataset):
        for sequence, name in (
            ("StructureSetROISequence", "ROINumber"),
            ("ROIContourSequence", "ReferencedROINumber"),
            ("RTROIObservationsSequence", "ReferencedROINumber"),
        ):
            setattr(dataset[sequence].value[0], name, 100_000)

    image = written(boxes(4), change)
    np.testing.assert_array_equal(image.array != 0, boxes(4) != 0)
    assert [segment.number for segment in image.segments] == [1]
