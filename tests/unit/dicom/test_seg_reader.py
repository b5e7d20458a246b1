import numpy as np
import pydicom
import pytest
from pydicom.uid import RLELossless
from tests.unit.dicom.seg_cases import SHAPE, boxes, label_map, options, write_reference

from imgconv.dicom.header import read_header
from imgconv.dicom.reader import read_images
from imgconv.dicom.seg_reader import read_segmentation
from imgconv.dicom.writer import write
from imgconv.errors import InputError, UnsupportedData


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture
def written(tmp_path, reference):
    """Return a function: write a label map, change the data set, read it back."""

    def make(change, array=None, kind="segmentation"):
        image = label_map(boxes(1, 2) if array is None else array)
        (path,) = write(image, tmp_path / "a.dcm", options(reference, kind))
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
        return read_segmentation(read_header(path))

    return make


def remove_private(dataset):
    for element in [e for e in dataset.iterall() if e.tag.is_private]:
        holder = dataset if element.tag in dataset else None
        if holder is not None:
            del holder[element.tag]
    for item in dataset.SegmentSequence:
        for tag in [tag for tag in item if tag.tag.is_private]:
            del item[tag.tag]


def test_read_without_our_notes_the_volume_ends_with_its_frames(written):
    image = written(remove_private)
    np.testing.assert_array_equal(image.array, boxes(1, 2)[1:4])
    assert [loss.name for loss in image.losses] == ["partial-extent"]


def test_read_without_our_notes_labels_are_segment_numbers(written):
    image = written(remove_private, boxes(7, 9))
    assert sorted(np.unique(image.array)) == [0, 1, 2]


def test_read_gap_between_frames_is_an_empty_slice(written):
    array = boxes(1)
    array[2] = 0
    image = written(remove_private, array)
    np.testing.assert_array_equal(image.array, array[1:4])


def test_read_overlap_without_our_notes_becomes_layers(written):
    layers = np.stack([boxes(1), boxes(2)])
    image = written(remove_private, layers)
    assert image.axes == "tkji"
    assert [segment.layer for segment in image.segments] == [0, 1]


def test_read_rle_compressed_fractions(written):
    def compress(dataset):
        dataset.compress(RLELossless, generate_instance_uid=False)

    image = written(compress, kind="segmentation-fractional")
    np.testing.assert_array_equal(image.array, boxes(1, 2))


def test_read_images_gives_the_label_map_among_its_images(tmp_path, reference):
    (path,) = write(label_map(boxes(1, 2)), tmp_path / "a.dcm", options(reference))
    images = list(read_images([*reference, path]))
    maps = [image for image in images if image.segments]
    assert len(images) == 2
    np.testing.assert_array_equal(maps[0].array, boxes(1, 2))


def _drop(keyword):
    def change(dataset):
        del dataset[keyword]

    return change


def _wrong_segment(dataset):
    frame = dataset.PerFrameFunctionalGroupsSequence[0]
    frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber = 99


def _no_position_at_all(dataset):
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PlanePositionSequence


def _other_orientation(dataset):
    item = pydicom.Dataset()
    item.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.PerFrameFunctionalGroupsSequence[0].PlaneOrientationSequence = [item]


def _cut(dataset):
    dataset.PixelData = dataset.PixelData[:20]


@pytest.mark.parametrize(
    "change",
    [
        _drop("SegmentSequence"),
        _drop("PerFrameFunctionalGroupsSequence"),
        _drop("SharedFunctionalGroupsSequence"),
        _drop("PixelData"),
        _drop("Rows"),
        _wrong_segment,
        _cut,
    ],
)
def test_read_damaged_is_refused(written, change):
    with pytest.raises(InputError) as caught:
        written(change)
    assert caught.value.path.name == "a.dcm"


def test_read_several_orientations_are_unsupported(written):
    with pytest.raises(UnsupportedData):
        written(_other_orientation)


def test_read_frames_without_position_have_no_geometry(written):
    image = written(_no_position_at_all)
    assert image.geometry is None
    assert image.size_ijk[:2] == (SHAPE[2], SHAPE[1])


def test_read_over_the_limit_is_refused(tmp_path, reference):
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", options(reference))
    with pytest.raises(UnsupportedData):
        read_segmentation(read_header(path), max_bytes=10)


def test_read_segmentation_describes_the_object_in_its_sidecar(written):
    def change(dataset):
        dataset.ManufacturerModelName = "Model"

    bids = written(change).metadata.bids
    assert bids["Modality"] == "SEG"
    assert bids["ManufacturersModelName"] == "Model"
