import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.dicom.files import encode, make_enhanced, make_slice

from imgconv.core.options import ReadOptions
from imgconv.dicom.frame_slices import slices_of
from imgconv.dicom.grouping import plan_volumes
from imgconv.dicom.header import HeaderReader, parse_header


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


def places(plan):
    """The value by which each slice was made, ``[t][k]``."""
    return [
        [item.position[2] + 1000 * (item.timing.temporal or 0) for item in volume]
        for volume in plan.volumes
    ]


@settings(max_examples=30, deadline=None)
@given(
    order=st.permutations(range(12)),
    numbers=st.permutations(range(1, 13)),
    step=st.sampled_from([3.0, -3.0]),
)
def test_neither_names_nor_numbers_of_files_change_a_time_series(order, numbers, step):
    datasets = [
        make_slice(step * (n % 4), numbers[n], TemporalPositionIdentifier=1 + n // 4)
        for n in range(12)
    ]
    (plan,), problems = grouped([datasets[n] for n in order])
    assert not problems
    found = places(plan)
    # Volumes follow the scanner's numbering; their slices rise along the normal.
    assert sorted(found) == [
        [1000 * t + z for z in sorted(step * k for k in range(4))] for t in (1, 2, 3)
    ]


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(12)), base=st.sampled_from([0, 1, 7]))
def test_no_order_of_frames_changes_an_enhanced_object(order, base):
    frames = [
        {"z": 3.0 * (n % 3), "index": (base + n % 3, base + n // 6), "echo": 5 + 5 * (n // 3 % 2)}
        for n in range(12)
    ]
    pointers = (0x00209057, 0x00209128)  # In-Stack Position Number, Temporal Position Index
    plans, problems = grouped([make_enhanced([frames[n] for n in order], pointers)])
    assert not problems
    assert [plan.first.echo_time for plan in sorted(plans, key=lambda p: p.first.echo_time)] == [
        5,
        10,
    ]
    for plan in plans:
        rows = [[order[item.frame] for item in volume] for volume in plan.volumes]
        first = 3 if plan.first.echo_time == 10 else 0
        assert rows == [[first + 6 * t + k for k in range(3)] for t in range(2)]


def test_plan_volumes_of_a_file_that_ends_within_its_pixels_is_a_failure(tmp_path):
    data = encode(make_slice())
    (tmp_path / "a").write_bytes(data[:-5])
    slices = list(slices_of(HeaderReader().read(tmp_path / "a")))
    volumes, (problem,) = plan_volumes(slices, ReadOptions())
    assert volumes == ()
    assert "ends within its pixel data, after `19` bytes; expected 24" in problem.message
