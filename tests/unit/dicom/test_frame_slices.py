import pytest
from pydicom.dataset import Dataset
from tests.unit.dicom.files import encode, make_enhanced, make_slice

from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.header import parse_header
from imgconv.errors import CorruptData


def slices(dataset):
    return slices_of(parse_header(encode(dataset), "x"))


def test_slices_of_a_plain_file_is_one():
    (item,) = slices(make_slice(5, 3))
    assert item.position == (-10, -20, 5)
    assert (item.frame, item.tile, item.order[0]) == (0, -1, 3)


def nuclear(count, **attributes):
    dataset = make_slice(Modality="NM", NumberOfFrames=count, **attributes)
    position, orientation = dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    detector = Dataset()
    detector.ImagePositionPatient, detector.ImageOrientationPatient = position, orientation
    dataset.DetectorInformationSequence = [detector]
    dataset.PixelData = bytes(24 * count)
    return dataset


def test_slices_of_tomography_step_along_the_normal():
    found = slices(nuclear(3, SpacingBetweenSlices=-4, SliceVector=[1, 2, 3]))
    assert [item.position[2] for item in found] == [0, -4, -8]


def test_slices_of_a_tomogram_without_slice_vector_are_its_frames():
    types = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    found = slices(nuclear(3, SpacingBetweenSlices=4, ImageType=types))
    assert [item.position[2] for item in found] == [0, 4, 8]
    planar = slices(nuclear(3, SpacingBetweenSlices=4, ImageType=[*types[:2], "WHOLE BODY"]))
    assert [item.position for item in planar] == [(), (), ()]


def test_slices_of_a_gated_study_know_their_time_slot():
    found = slices(
        nuclear(4, SpacingBetweenSlices=4, SliceVector=[1, 2, 1, 2], TimeSlotVector=[1, 1, 2, 2])
    )
    assert [item.position[2] for item in found] == [0, 4, 0, 4]
    assert [item.timing.dimensions for item in found] == [(1,), (1,), (2,), (2,)]


@pytest.mark.parametrize("first", [0, 30])
def test_slices_of_a_dose_grid_follow_its_offsets(first):
    dataset = make_slice(30, NumberOfFrames=3, GridFrameOffsetVector=[first, first + 2, first + 5])
    dataset.PixelData = bytes(72)
    assert [item.position[2] for item in slices(dataset)] == [30, 32, 35]


def test_slices_of_enhanced_frames_take_values_from_functional_groups():
    dataset = make_enhanced([{"z": 0, "index": [1, 1], "slope": 2}, {"z": 3, "index": [1, 2]}])
    found = slices(dataset)
    assert [item.rescale[0] for item in found] == [2, 1]
    assert found[0].spacing == (2, 1.5)
    assert found[0].echo_time == 5


def test_slices_of_too_few_functional_groups_is_corrupt():
    dataset = make_enhanced([{"z": 0, "index": [1]}, {"z": 3, "index": [2]}])
    dataset.NumberOfFrames = 3
    dataset.PixelData = bytes(72)
    with pytest.raises(CorruptData, match="functional groups"):
        slices(dataset)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"NumberOfFrames": 2}, "2 frames"),
        ({"Rows": 400}, "400"),
        ({"Rows": 0}, "Rows"),
        ({"NumberOfFrames": -3}, "-3"),
        ({"BitsAllocated": 32}, "48"),
    ],
)
def test_slices_of_more_than_the_pixel_data_holds_is_corrupt(attributes, words):
    with pytest.raises(CorruptData, match=words):
        slices(make_slice(**attributes))
