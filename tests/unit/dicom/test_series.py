import numpy as np
import pytest
from tests.unit.dicom.files import SAGITTAL, encode, make_enhanced, make_slice, write_all

from imgconv.core.options import Merge, ReadOptions
from imgconv.dicom.header import read_header
from imgconv.dicom.plan import Outcome
from imgconv.dicom.series import plan_series

MISSING_OK = ReadOptions(allow=frozenset({"missing-slices"}))


def plan(paths, options=None):
    return plan_series([read_header(path) for path in paths], options)


def numbers(volume):
    return [[item.order[0] for item in row] for row in volume.volumes]


def reasons(plans):
    return {
        path.name: problem.reason
        for each in plans
        for problem in each.problems
        for path in problem.paths
    }


def test_slices_are_ordered_by_position_not_by_number(tmp_path):
    paths = write_all(tmp_path, [make_slice(z, n) for n, z in [(1, 6), (2, 0), (3, 9), (4, 3)]])
    (series,) = plan(paths)
    (volume,) = series.volumes
    assert numbers(volume) == [[2, 4, 1, 3]]
    assert series.series_number == 7
    assert not volume.is_series
    np.testing.assert_allclose(
        volume.geometry.affine,
        [[1.5, 0, 0, -10], [0, 2, 0, -20], [0, 0, 3, 0], [0, 0, 0, 1]],
    )
    assert volume.geometry.slice_positions is None


def test_echoes_components_sizes_and_orientations_are_separate_images(tmp_path):
    kinds = [
        {},
        {"EchoTime": 10, "EchoNumbers": 2},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]},
        {"ImageOrientationPatient": list(SAGITTAL)},
        {"PixelSpacing": [1, 1]},
        {"ImageType": ["DERIVED", "SECONDARY", "M"]},
        {"FrameOfReferenceUID": "1.2.1.10"},
    ]
    datasets = [
        make_slice(3 * k, 10 * n + k, **kind) for n, kind in enumerate(kinds) for k in range(2)
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert len(series.volumes) == len(kinds)
    assert all(len(volume.paths) == 2 for volume in series.volumes if volume.size_ijk[2] == 2)
    suffixes = [volume.suffixes for volume in series.volumes]
    assert suffixes.count(("e2",)) == 1
    assert suffixes.count(("e1", "ph")) == 1
    assert not series.problems


def test_series_uids_and_numbers_are_told_apart(tmp_path):
    datasets = [make_slice(0, 1), make_slice(0, 1, SeriesInstanceUID="1.2.1.2", SeriesNumber=3)]
    datasets.append(make_slice(0, 1, SeriesNumber=9))
    plans = plan(write_all(tmp_path, datasets))
    assert [each.series_number for each in plans] == [3, 7, 9]


@pytest.mark.parametrize(
    "timing",
    [
        {},
        {"TemporalPositionIdentifier": [1, 2, 3]},
        {"AcquisitionNumber": [1, 2, 3]},
        {"TriggerTime": [0, 500, 1000]},
        {"DiffusionBValue": [0.0, 500.0, 1000.0]},
    ],
)
def test_repeated_positions_are_time_points(tmp_path, timing):
    # The scanner numbers all times of a slice first.
    datasets = []
    for k in range(2):
        for t in range(3):
            values = {keyword: column[t] for keyword, column in timing.items()}
            datasets.append(make_slice(3 * k, 3 * k + t + 1, **values))
    (series,) = plan(write_all(tmp_path, reversed(datasets)))
    (volume,) = series.volumes
    assert numbers(volume) == [[1, 4], [2, 5], [3, 6]]
    assert volume.is_series


def test_time_points_follow_the_headers_where_numbers_are_not_spatial(tmp_path):
    order = {(0, 0): 1, (0, 1): 4, (1, 0): 3, (1, 1): 2}  # (k, t): number
    datasets = [
        make_slice(3 * k, number, TemporalPositionIdentifier=t + 1)
        for (k, t), number in order.items()
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert sorted(numbers(series.volumes[0])) == [[1, 3], [4, 2]]


def test_merge_never_gives_a_volume_per_time_point(tmp_path):
    datasets = [make_slice(3 * k, 2 * t + k) for t in range(2) for k in range(2)]
    (series,) = plan(write_all(tmp_path, datasets), ReadOptions(merge=Merge.NEVER))
    assert [volume.is_series for volume in series.volumes] == [False, False]


def test_merge_series_joins_echoes(tmp_path):
    datasets = [make_slice(3 * k, 2 * t + k, EchoTime=5 * (t + 1)) for t in (0, 1) for k in (0, 1)]
    (series,) = plan(write_all(tmp_path, datasets), ReadOptions(merge=Merge.SERIES))
    (volume,) = series.volumes
    assert len(volume.volumes) == 2


def test_merge_series_joins_image_types(tmp_path):
    datasets = [
        make_slice(3 * k, 2 * n + k, ImageType=["ORIGINAL", "PRIMARY", "M", kind])
        for n, kind in enumerate(["ND", "NORM"])
        for k in range(2)
    ]
    (series,) = plan(write_all(tmp_path, datasets), ReadOptions(merge=Merge.SERIES))
    assert [len(volume.volumes) for volume in series.volumes] == [2]


def test_image_types_at_one_position_are_separate_images(tmp_path):
    datasets = [
        make_slice(3 * k, 2 * n + k, ImageType=["ORIGINAL", "PRIMARY", "M", kind])
        for n, kind in enumerate(["ND", "NORM"])
        for k in range(2)
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert len(series.volumes) == 2


@pytest.mark.parametrize(
    ("merge", "modality", "count"),
    [(Merge.AUTO, "MR", 2), (Merge.SERIES, "MR", 1), (Merge.AUTO, "CT", 1)],
)
def test_flip_angles_at_one_position_are_separate_images(tmp_path, merge, modality, count):
    datasets = [
        make_slice(3 * k, 2 * n + k, FlipAngle=angle, Modality=modality)
        for n, angle in enumerate([5, 20])
        for k in range(2)
    ]
    (series,) = plan(write_all(tmp_path, datasets), ReadOptions(merge=merge))
    assert len(series.volumes) == count


@pytest.mark.parametrize(
    ("uids", "count"), [(("1.1", "1.2", "1.3", "1.4"), 1), (("1.1", "1.2"), 2)]
)
def test_frames_of_reference_part_images_unless_each_file_has_its_own(tmp_path, uids, count):
    datasets = [make_slice(3 * k, k, FrameOfReferenceUID=uids[k % len(uids)]) for k in range(4)]
    (series,) = plan(write_all(tmp_path, datasets), MISSING_OK)
    assert len(series.volumes) == count


def test_echoes_of_one_time_are_separate_images_by_their_number(tmp_path):
    datasets = [make_slice(3 * k, 2 * n + k, EchoNumbers=n) for n in (1, 2) for k in range(2)]
    (series,) = plan(write_all(tmp_path, datasets))
    assert [numbers(volume) for volume in series.volumes] == [[[2, 3]], [[4, 5]]]


def test_image_types_that_alternate_within_volumes_tell_no_images_apart(tmp_path):
    datasets = [
        make_slice(3 * k, 3 * t + k, ImageType=["ORIGINAL", "PRIMARY", "M", "AB"[(3 * t + k) % 2]])
        for t in range(3)
        for k in range(3)
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    (volume,) = series.volumes
    assert numbers(volume) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


@pytest.mark.parametrize(("merge", "count"), [(Merge.AUTO, 2), (Merge.SERIES, 1)])
def test_mosaics_of_other_flip_angles_are_separate_images(tmp_path, merge, count):
    datasets = []
    for number, angle in enumerate([5, 20]):
        dataset = make_slice(
            0, number, FlipAngle=angle, ImageType=["ORIGINAL", "PRIMARY", "MOSAIC"]
        )
        dataset.Rows = dataset.Columns = 4
        dataset.PixelData = bytes(32)
        dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", 3)
        datasets.append(dataset)
    (series,) = plan(write_all(tmp_path, datasets), ReadOptions(merge=merge))
    assert [volume.size_ijk for volume in series.volumes] == [(2, 2, 3)] * count


def test_image_types_at_different_positions_are_one_volume(tmp_path):
    datasets = [
        make_slice(0, 1),
        make_slice(3, 2, ImageType=["ORIGINAL", "PRIMARY", "M", "ADD"]),
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert len(series.volumes) == 1


def test_isotropic_volume_leaves_the_directions(tmp_path):
    datasets = []
    for t, (b, direction) in enumerate(
        [(0.0, None), (900.0, [1.0, 0, 0]), (900.0, [0, 1.0, 0]), (900.0, [0.0, 0, 0])]
    ):
        for k in range(2):
            dataset = make_slice(3 * k, 2 * t + k + 1, DiffusionBValue=b)
            if direction:
                dataset.DiffusionGradientOrientation = direction
            datasets.append(dataset)
    (series,) = plan(write_all(tmp_path, datasets))
    assert [len(volume.volumes) for volume in series.volumes] == [3, 1]
    assert series.volumes[1].suffixes == ("trace",)


def test_missing_interior_slice_is_refused_unless_allowed(tmp_path):
    paths = write_all(tmp_path, [make_slice(3 * k, k) for k in (0, 1, 2, 4, 5)])
    (series,) = plan(paths)
    assert not series.volumes
    (problem,) = series.problems
    assert problem.outcome is Outcome.FAILED
    assert problem.reason == "missing-slices"
    assert "1 slice is missing" in problem.message
    assert "behind slice 3" in problem.message
    assert "--allow missing-slices" in problem.error.hint
    assert len(problem.paths) == 5

    (series,) = plan(paths, MISSING_OK)
    (volume,) = series.volumes
    assert [loss.name for loss in volume.losses] == ["missing-slices"]
    assert volume.geometry.slice_positions is not None


def test_localizer_may_have_gaps(tmp_path):
    image_type = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    datasets = [make_slice(z, n, ImageType=image_type) for n, z in enumerate((0, 20, 60))]
    (series,) = plan(write_all(tmp_path, datasets))
    assert series.volumes[0].geometry.slice_positions is not None


def test_incomplete_time_point_is_refused_or_left_out(tmp_path):
    datasets = [
        make_slice(3 * k, 3 * t + k, TemporalPositionIdentifier=t + 1)
        for t in range(3)
        for k in range(3)
        if (t, k) != (1, 2)
    ]
    paths = write_all(tmp_path, datasets)
    (series,) = plan(paths)
    assert not series.volumes
    assert "1 of 3 volumes lack" in series.problems[0].message
    assert "first volume 2 slice 3" in series.problems[0].message

    (series,) = plan(paths, MISSING_OK)
    assert numbers(series.volumes[0]) == [[0, 1, 2], [6, 7, 8]]
    (problem,) = series.problems
    assert problem.outcome is Outcome.SKIPPED
    assert len(problem.paths) == 2


@pytest.mark.parametrize("missing", [(1, 0), (1, 1), (2, 2)])
def test_time_points_that_lack_a_slice_are_not_taken_apart(tmp_path, missing):
    datasets = [
        make_slice(3 * k, 3 * t + k, AcquisitionNumber=t)
        for t in range(3)
        for k in range(3)
        if (t, k) != missing
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert not series.volumes
    assert "1 of 3 volumes lack" in series.problems[0].message


def test_acquisitions_at_different_places_are_separate_images(tmp_path):
    datasets = [
        make_slice(z, n, AcquisitionNumber=acquisition)
        for acquisition, places in ((1, (0, 3, 6)), (2, (15, 18, 21)))
        for n, z in enumerate(places)
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    assert [volume.size_ijk[2] for volume in series.volumes] == [3, 3]
    assert not series.problems


def test_uneven_spacing_keeps_the_positions(tmp_path):
    places = [0, 3, 4.1, 9.6]
    (series,) = plan(write_all(tmp_path, [make_slice(z, n) for n, z in enumerate(places)]))
    geometry = series.volumes[0].geometry
    np.testing.assert_allclose(geometry.slice_positions[:, 2], places)
    assert geometry.affine[2, 2] == 3


def test_tilted_gantry_gives_a_sheared_affine(tmp_path):
    tilt = np.radians(20)
    orientation = [1, 0, 0, 0, float(np.cos(tilt)), float(-np.sin(tilt))]
    datasets = [
        make_slice(4.0 * k, k, Modality="CT", ImageOrientationPatient=orientation) for k in range(4)
    ]
    (series,) = plan(write_all(tmp_path, datasets))
    geometry = series.volumes[0].geometry
    np.testing.assert_allclose(geometry.affine[:3, 2], [0, 0, 4], atol=1e-9)
    assert geometry.slice_positions is None
    assert not geometry.is_orthogonal


def test_duplicates_are_skipped(tmp_path):
    datasets = [make_slice(0, 1), make_slice(3, 2)]
    paths = write_all(tmp_path, [datasets[0], datasets[1], datasets[0]])
    (series,) = plan(paths)
    assert len(series.volumes[0].volumes) == 1
    assert reasons([series]) == {"0002": "duplicate"}


def test_file_that_is_named_twice_is_used_once(tmp_path):
    paths = write_all(tmp_path, [make_slice(0, 1), make_slice(3, 2)])
    (series,) = plan([*paths, *paths])
    assert series.volumes[0].paths == tuple(paths)
    assert not series.problems


def test_same_uid_with_other_pixels_fails(tmp_path):
    first, second = make_slice(0, 1), make_slice(0, 1)
    second.SOPInstanceUID = first.SOPInstanceUID
    second.PixelData = bytes(24)
    (series,) = plan(write_all(tmp_path, [first, second]))
    assert reasons([series]) == {"0001": "contradictory-duplicate"}


def test_files_without_image_are_told(tmp_path):
    report = make_slice(0, 1, SeriesInstanceUID="1.5", Modality="SR")
    del report.PixelData
    localizer = make_slice(0, 1, SeriesInstanceUID="1.6", SeriesDescription="3-plane Scout")
    derived = make_slice(0, 1, SeriesInstanceUID="1.7", ImageType=["DERIVED", "PRIMARY"])
    paths = write_all(tmp_path, [make_slice(0, 1), report, localizer, derived])
    options = ReadOptions(ignore_localizers=True, ignore_derived=True)
    plans = plan(paths, options)
    assert reasons(plans) == {"0001": "no-pixels", "0002": "localizer", "0003": "derived"}
    assert sum(len(each.volumes) for each in plan(paths)) == 3

    plans = plan(paths, ReadOptions(series=("1.6",)))
    assert list(reasons(plans).values()) == ["not-selected"] * 3
    assert sum(len(each.volumes) for each in plans) == 1


def test_truncated_pixels_fail_the_image_that_they_belong_to(tmp_path):
    other = [make_slice(3 * k, k, SeriesInstanceUID="1.5") for k in range(2)]
    paths = write_all(tmp_path, [make_slice(0, 1), make_slice(3, 2), *other])
    paths[1].write_bytes(paths[1].read_bytes()[:-4])
    plans = plan(paths)
    (problem,) = [each for series in plans for each in series.problems]
    assert problem.reason == "corrupt-pixels"
    assert problem.error.path == paths[1]
    assert "after `20` bytes; expected 24" in problem.message
    assert sum(len(series.volumes) for series in plans) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
        {"ImageOrientationPatient": [1, 0, 0]},
        {"PixelSpacing": [0, 1]},
        {"Rows": 0},
    ],
)
def test_contradictory_geometry_fails(tmp_path, change):
    (series,) = plan(write_all(tmp_path, [make_slice(0, 1, **change)]))
    assert not series.volumes
    assert series.problems[0].outcome is Outcome.FAILED


def test_enhanced_frames_are_ordered_by_position_and_dimension_index(tmp_path):
    # In-stack position runs slowest, its index starts at 5; b-values are in no order.
    frames = [
        {"z": 3 * k, "index": [1, k + 5, 3 - t], "b": 100 * t} for k in (1, 0) for t in range(2)
    ]
    dataset = make_enhanced(frames, [0x00209056, 0x00209057, 0x00189087])
    (series,) = plan(write_all(tmp_path, [dataset]))
    (volume,) = series.volumes
    assert [[item.frame for item in row] for row in volume.volumes] == [[3, 1], [2, 0]]


def test_enhanced_index_without_pointers_is_understood(tmp_path):
    frames = [{"z": 3 * k, "index": [1, k + 1, 2 - t]} for k in range(2) for t in range(2)]
    (series,) = plan(write_all(tmp_path, [make_enhanced(frames)]))
    (volume,) = series.volumes
    assert [[item.frame for item in row] for row in volume.volumes] == [[1, 3], [0, 2]]


def test_enhanced_echoes_and_components_are_separate_images(tmp_path):
    frames = [
        {"z": 3 * k, "index": [k + 1, e], "echo": 5 * e, "component": component}
        for k in range(2)
        for e in (1, 2)
        for component in ("MAGNITUDE", "PHASE")
    ]
    (series,) = plan(write_all(tmp_path, [make_enhanced(frames, [0x00209057, 0x00189082])]))
    assert [volume.suffixes for volume in series.volumes] == [
        ("e1",),
        ("e1", "ph"),
        ("e2",),
        ("e2", "ph"),
    ]


def test_one_enhanced_file_per_volume_is_a_series(tmp_path):
    frames = [{"z": 3 * k, "index": [1, k + 1]} for k in range(3)]
    datasets = [make_enhanced(frames, [0x00209056, 0x00209057], number=n) for n in (2, 1)]
    (series,) = plan(write_all(tmp_path, datasets))
    (volume,) = series.volumes
    assert numbers(volume) == [[1, 1, 1], [2, 2, 2]]


def test_plan_does_not_keep_headers_in_memory(tmp_path):
    datasets = [make_slice(3 * k, 2 * t + k) for t in range(2) for k in range(2)]
    headers = [read_header(path) for path in write_all(tmp_path, datasets)]
    plan_series(headers)
    assert [header._buffer for header in headers] == [None] * 4
    assert headers[0].get("SeriesNumber") == 7


def test_unreadable_header_names_the_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(encode(make_slice(0, 1, NumberOfFrames=-1)))
    (series,) = plan([path])
    assert series.problems[0].error.path == path


def test_enhanced_stacks_without_common_place_are_separate_images(tmp_path):
    frames = [
        {"z": z, "index": [stack, k + 1], "stack": str(stack)}
        for stack, places in ((1, (0, 3, 6)), (2, (50, 53, 56)))
        for k, z in enumerate(places)
    ]
    (series,) = plan(write_all(tmp_path, [make_enhanced(frames, [0x00209056, 0x00209057])]))
    assert [volume.size_ijk[2] for volume in series.volumes] == [3, 3]


def test_study_uid_that_differs_does_not_part_a_series(tmp_path):
    datasets = [make_slice(3 * k, k, StudyInstanceUID=f"1.2.{k + 1}") for k in range(3)]
    (series,) = plan(write_all(tmp_path, datasets))
    assert series.volumes[0].size_ijk[2] == 3


@pytest.mark.parametrize("tag", [b"\x28\0\x10\0", b"\x20\0\x0e\0", b"\x08\0\x08\0"])
def test_sequence_in_the_wrong_place_fails_only_its_file(tmp_path, tag):
    paths = write_all(tmp_path, [make_slice(0, 1), make_slice(0, 1, SeriesInstanceUID="1.9")])
    whole = bytearray(paths[0].read_bytes())
    place = whole.index(tag, 140)
    length = int.from_bytes(whole[place + 6 : place + 8], "little")
    # Twelve bytes of header need four of the value.
    value = b"junk" * 8
    whole[place + 4 : place + 8 + length] = b"SQ\0\0" + len(value).to_bytes(4, "little") + value
    paths[0].write_bytes(whole)
    plans = plan(paths)
    assert [path for each in plans for volume in each.volumes for path in volume.paths] == [
        paths[1]
    ]
    assert list(reasons(plans)) == ["0000"]
