import pytest
from tests.unit.dicom.files import make_slice, write_all

from imgconv.dicom.header import read_header
from imgconv.dicom.series import plan_series


def plan(paths):
    return plan_series([read_header(path) for path in paths])


def numbers(volume):
    return [[item.order[0] for item in row] for row in volume.volumes]


def without_position(number, **attributes):
    dataset = make_slice(0, number, **attributes)
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    return dataset


def test_files_without_position_are_stacked_as_numbered(tmp_path):
    paths = write_all(tmp_path, [without_position(number) for number in (3, 1, 2)])
    (series,) = plan(paths)
    (volume,) = series.volumes
    assert volume.geometry is None
    assert numbers(volume) == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("attributes", "given"),
    [
        ({"Modality": "DX"}, (1, 2)),  # projections are no slices
        ({"Modality": "OT"}, (4, 4)),  # nothing tells their order
    ],
)
def test_pictures_and_unnumbered_files_without_position_are_one_each(tmp_path, attributes, given):
    datasets = [without_position(number, **attributes) for number in given]
    datasets[1].PixelData = bytes(len(datasets[1].PixelData))
    (series,) = plan(write_all(tmp_path, datasets))
    assert [volume.geometry for volume in series.volumes] == [None, None]


@pytest.mark.parametrize(("modality", "is_film"), [("US", True), ("MR", False)])
def test_frames_without_position_are_time_in_a_film_else_slices(tmp_path, modality, is_film):
    dataset = make_slice(0, 1, Modality=modality)
    del dataset.ImagePositionPatient, dataset.ImageOrientationPatient
    dataset.NumberOfFrames = 3
    dataset.PixelData = bytes(72)
    (series,) = plan(write_all(tmp_path, [dataset]))
    (volume,) = series.volumes
    assert volume.is_series is is_film
    assert len(volume.volumes) == (3 if is_film else 1)
