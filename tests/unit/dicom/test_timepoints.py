from tests.unit.dicom.files import make_slice, write_all

from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.header import read_header
from imgconv.dicom.positions import locate
from imgconv.dicom.timepoints import arrange


def grid(tmp_path, datasets):
    paths = write_all(tmp_path, datasets)
    slices = [item for path in paths for item in slices_of(read_header(path))]
    found = arrange(slices, locate(slices))
    return (
        [[item.order[0] for item in row] for row in found.volumes],
        [[item.order[0] for item in row] for row in found.incomplete],
        found.missing_count,
    )


def test_arrange_without_attributes_uses_the_numbers(tmp_path):
    datasets = [make_slice(3 * k, 10 * t + k) for t in (1, 0, 2) for k in (1, 0)]
    assert grid(tmp_path, datasets) == ([[0, 1], [10, 11], [20, 21]], [], 0)


def test_arrange_attribute_of_single_slices_is_no_time(tmp_path):
    # Every slice of a volume has its own acquisition number.
    datasets = [
        make_slice(3 * k, 2 * t + k, AcquisitionNumber=2 * t + k)
        for t in range(2)
        for k in range(2)
    ]
    assert grid(tmp_path, datasets) == ([[0, 1], [2, 3]], [], 0)


def test_arrange_missing_slice_is_found_by_attribute(tmp_path):
    datasets = [
        make_slice(3 * k, 3 * k + t, TriggerTime=500.0 * t)
        for t in range(3)
        for k in range(3)
        if (t, k) != (0, 1)
    ]
    assert grid(tmp_path, datasets) == ([[1, 4, 7], [2, 5, 8]], [[0, 6]], 1)


def test_arrange_two_attributes_together(tmp_path):
    datasets = [
        make_slice(3 * k, 8 * a + 4 * b + k, AcquisitionNumber=a, DiffusionBValue=100.0 * b)
        for a in range(2)
        for b in range(2)
        for k in range(2)
    ]
    assert grid(tmp_path, datasets)[0] == [[0, 1], [4, 5], [8, 9], [12, 13]]
