from tests.unit.dicom.files import make_slice, write_all

from imgconv.dicom.describe import describe, image_name
from imgconv.dicom.header import read_header
from imgconv.dicom.series import plan_series


def planned(tmp_path, datasets):
    paths = write_all(tmp_path, datasets)
    (series,) = plan_series([read_header(path) for path in paths])
    return series.volumes


def test_describe_leaves_out_what_differs_between_slices(tmp_path):
    datasets = [make_slice(3 * k, k, ContentTime=f"12000{k}", StationName="s") for k in range(2)]
    (volume,) = planned(tmp_path, datasets)
    shared = describe(volume).shared
    assert shared["StationName"] == "s"
    assert "ContentTime" not in shared


def test_describe_gradients_are_per_volume(tmp_path):
    datasets = []
    for t, (b, direction) in enumerate([(0.0, None), (700.0, [0.0, 1.0, 0.0])]):
        dataset = make_slice(0, t, Manufacturer="Somebody", DiffusionBValue=b)
        if direction:
            dataset.DiffusionDirectionality = "DIRECTIONAL"
            dataset.DiffusionGradientOrientation = direction
        datasets.append(dataset)
    (volume,) = planned(tmp_path, datasets)
    per_volume = describe(volume).per_volume
    assert per_volume["DiffusionBValue"] == (0, 700)
    assert per_volume["DiffusionGradientOrientation"] == (None, (0, 1, 0))
    assert describe(volume).bids["EchoTime"] == 0.005


def test_image_name_has_number_description_and_suffixes(tmp_path):
    datasets = [
        make_slice(0, e, SeriesDescription="t2 map", EchoTime=10 * e, EchoNumbers=e) for e in (1, 2)
    ]
    assert [image_name(volume) for volume in planned(tmp_path, datasets)] == [
        "7_t2 map_e1",
        "7_t2 map_e2",
    ]
