from tests.unit.dicom.files import make_slice, write_all

from imgconv.dicom.header import read_header
from imgconv.dicom.series import plan_series


def test_volume_plan_says_what_it_is_made_of(tmp_path):
    datasets = [make_slice(3 * k, 10 - 2 * t - k) for t in range(2) for k in range(2)]
    paths = write_all(tmp_path, datasets)
    ((volume,),) = [each.volumes for each in plan_series([read_header(path) for path in paths])]
    assert volume.size_ijk == (3, 4, 2)
    assert set(volume.paths) == set(paths)
    # The first volume holds the lowest numbers, of which 7 is at the second place.
    assert volume.header.get("InstanceNumber") == 7
    acquisition = volume.acquisition
    assert acquisition.first.get("InstanceNumber") == 7
    assert acquisition.is_scaled_alike
    assert [[frame.get("InstanceNumber") for frame in row] for row in acquisition.frames] == [
        [8, 7],
        [10, 9],
    ]
