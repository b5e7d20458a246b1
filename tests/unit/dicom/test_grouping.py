import pytest
from tests.unit.dicom.files import encode, make_slice

from imgconv.core.options import ReadOptions
from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.grouping import plan_volumes
from imgconv.dicom.header import parse_header


def grouped(datasets):
    slices = [
        item
        for n, dataset in enumerate(datasets)
        for item in slices_of(parse_header(encode(dataset), f"{n}"))
    ]
    return plan_volumes(slices, ReadOptions())


@pytest.mark.parametrize(
    ("change", "images"),
    [
        ({"PixelSpacing": [2.0005, 1.5]}, 1),
        ({"PixelSpacing": [2.01, 1.5]}, 2),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 1, 1e-7]}, 1),
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0.99995, 0.01]}, 2),
        ({"EchoTime": 5.001}, 1),
        ({"EchoTime": 5.1}, 2),
        ({"BitsStored": 12, "HighBit": 11}, 2),
    ],
)
def test_plan_volumes_tolerates_rounding_only(change, images):
    volumes, problems = grouped([make_slice(0, 1), make_slice(3, 2, **change)])
    assert len(volumes) == images
    assert not problems


def test_plan_volumes_numbers_echoes_by_time_or_as_the_header_says():
    datasets = [make_slice(0, n, EchoTime=te) for n, te in ((1, 20), (2, 10))]
    assert {volume.first.echo_time: volume.echo_number for volume in grouped(datasets)[0]} == {
        10: 1,
        20: 2,
    }
    (volume,) = grouped([make_slice(0, 1, EchoNumbers=2)])[0]
    assert volume.suffixes == ("e2",)


def test_plan_volumes_of_nothing_is_nothing():
    assert grouped([]) == ((), [])
