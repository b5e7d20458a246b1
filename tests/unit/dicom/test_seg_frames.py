import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import SHAPE, affine, boxes, label_map, options, write_reference

from imgconv.dicom.header import read_header
from imgconv.dicom.seg_frames import read_layout
from imgconv.dicom.writer import write
from imgconv.errors import CorruptData


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture
def layout(tmp_path, reference):
    """Return a function: write a label map, change the data set, read its layout."""

    def make(array, change=lambda dataset: None):
        (path,) = write(label_map(array), tmp_path / "a.dcm", options(reference))
        dataset = pydicom.dcmread(path)
        change(dataset)
        dataset.save_as(path)
        return read_layout(read_header(path), int(dataset.NumberOfFrames))

    return make


def forget(dataset):
    for element in list(dataset):
        if element.tag.is_private:
            del dataset[element.tag]


def test_read_layout_knows_the_slices_without_a_frame(layout):
    found = layout(boxes(1))
    assert (found.slices, found.is_partial) == (SHAPE[0], False)
    assert [k for _, _, k in found.places] == [1, 2, 3]
    np.testing.assert_allclose(found.geometry.affine, affine(), atol=1e-4)


def test_read_layout_fills_gaps_by_the_spacing(layout):
    array = boxes(1)
    array[2] = 0
    found = layout(array, forget)
    assert (found.slices, found.is_partial) == (3, True)
    assert [k for _, _, k in found.places] == [0, 2]


def test_read_layout_uneven_frames_keep_their_positions(layout):
    def move(dataset):
        forget(dataset)
        for frame in dataset.PerFrameFunctionalGroupsSequence[2:]:
            x, y, z = map(float, frame.PlanePositionSequence[0].ImagePositionPatient)
            frame.PlanePositionSequence[0].ImagePositionPatient = [x, y, z + 1.3]

    found = layout(boxes(1), move)
    assert found.slices == 3
    steps = np.diff(found.geometry.slice_positions[:, 2])
    np.testing.assert_allclose(steps, [3.0, 4.3], atol=1e-3)


def test_read_layout_one_frame_has_a_step_along_the_normal(layout):
    array = np.zeros(SHAPE, np.uint8)
    array[2, 3, 4] = 1
    found = layout(array, forget)
    assert found.slices == 1
    np.testing.assert_allclose(found.geometry.affine[:3, 2], [0, 0, 1], atol=1e-6)


def test_read_layout_notes_that_contradict_the_frames_are_ignored(layout):
    def lie(dataset):
        block = dataset.private_block(0x0063, "IMGCONV SEGMENT")
        block[0x03].value = [999.0] * 18

    assert layout(boxes(1), lie).is_partial


def test_read_layout_other_number_of_frames_is_corrupt(tmp_path, reference):
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", options(reference))
    with pytest.raises(CorruptData, match="functional groups"):
        read_layout(read_header(path), 99)
