import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import (
    SHAPE,
    affine,
    boxes,
    errors_of,
    label_map,
    options,
    write_reference,
)

from imgconv.core.image import Image, Segment
from imgconv.core.options import WriteOptions
from imgconv.core.orient import flip
from imgconv.dicom.header import read_header
from imgconv.dicom.seg_reader import read_segmentation
from imgconv.dicom.writer import check, write
from imgconv.errors import CorruptData, UnsupportedData, UsageError

KINDS = ["segmentation", "segmentation-fractional", "segmentation-labelmap"]


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


def round_trip(image, target, wanted):
    (path,) = write(image, target, wanted)
    return path, read_segmentation(read_header(path))


def names(losses, *, harmful=False):
    return sorted(loss.name for loss in losses if loss.harmful is harmful)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [(1,), (1, 2, 3), (7, 200), (300, 2)])
@pytest.mark.parametrize("empty_frames", [False, True])
def test_write_and_read_give_the_same_labels(tmp_path, reference, kind, numbers, empty_frames):
    dtype = np.uint8 if max(numbers) < 256 else np.uint16
    image = label_map(boxes(*numbers, dtype=dtype))
    wanted = options(reference, kind, empty_frames=empty_frames)
    _, again = round_trip(image, tmp_path / "a.dcm", wanted)
    if kind == "segmentation-labelmap" and not empty_frames:
        # Nothing but the frames is written of a label map's extent, unless it is kept privately.
        assert again.array.shape == SHAPE
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_allclose(again.geometry.affine, affine(), atol=1e-4)
    assert sorted(segment.number for segment in again.segments) == sorted(numbers)
    assert again.losses == ()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("numbers", [(1,), (3, 1, 2), (9, 4)])
def test_write_passes_the_checker(tmp_path, reference, kind, numbers):
    (path,) = write(label_map(boxes(*numbers)), tmp_path / "a.dcm", options(reference, kind))
    assert errors_of(path, *reference) == []


def test_write_one_frame_passes_the_checker(tmp_path, reference):
    array = np.zeros(SHAPE, np.uint8)
    array[2, 3, 4] = 1
    (path,) = write(label_map(array), tmp_path / "a.dcm", options(reference))
    assert pydicom.dcmread(path).NumberOfFrames == 1
    assert errors_of(path, *reference) == []


def test_write_overlapping_segments_keep_their_layers(tmp_path, reference):
    layers = np.stack([boxes(1, 4), np.roll(boxes(2), 1, axis=2), boxes(3)])
    path, again = round_trip(label_map(layers), tmp_path / "a.dcm", options(reference))
    np.testing.assert_array_equal(again.array, layers)
    dataset = pydicom.dcmread(path)
    assert dataset.SegmentsOverlap == "YES"
    assert [item.SegmentNumber for item in dataset.SegmentSequence] == [1, 2, 3, 4]


def test_write_same_number_in_two_layers_is_two_segments(tmp_path, reference):
    layers = np.stack([boxes(1), np.roll(boxes(1), 1, axis=1)])
    path, again = round_trip(label_map(layers), tmp_path / "a.dcm", options(reference))
    np.testing.assert_array_equal(again.array, layers)
    assert len(pydicom.dcmread(path).SegmentSequence) == 2


@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_write_flipped_label_map_lies_on_its_reference(tmp_path, reference, axis):
    image = label_map(boxes(1, 2))
    _, again = round_trip(flip(image, axis), tmp_path / "a.dcm", options(reference))
    reverse = again.geometry.affine[2, 2] < 0
    array = again.array[::-1] if reverse else again.array
    np.testing.assert_array_equal(array, image.array)


def test_write_part_of_the_slices_refers_to_their_images(tmp_path, reference):
    whole = label_map(boxes(1, 2))
    geometry = type(whole.geometry)(whole.geometry.affine @ shift(2))
    part = type(whole)(whole.array[2:5], "kji", geometry=geometry)
    path, _ = round_trip(part, tmp_path / "a.dcm", options(reference))
    frame = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence[0]
    used = frame.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
    assert used == pydicom.dcmread(reference[2]).SOPInstanceUID


def shift(slices):
    matrix = np.eye(4)
    matrix[2, 3] = slices
    return matrix


def test_write_takes_over_patient_and_frame_of_reference(tmp_path, reference):
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", options(reference))
    made, source = pydicom.dcmread(path), pydicom.dcmread(reference[0])
    for keyword in ("PatientID", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert made[keyword].value == source[keyword].value
    assert made.SeriesInstanceUID != source.SeriesInstanceUID
    assert made.Modality == "SEG"
    assert len(made.ReferencedSeriesSequence[0].ReferencedInstanceSequence) == SHAPE[0]


# highdicom leaves SQLite connections open, of which Python 3.13 tells.
@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize("kind", KINDS)
def test_write_is_read_by_highdicom(tmp_path, reference, kind):
    image = label_map(boxes(1, 2))
    (path,) = write(image, tmp_path / "a.dcm", options(reference, kind, empty_frames=True))
    highdicom = pytest.importorskip("highdicom.seg", reason="it has no wheel for this Python")
    segmentation = highdicom.segread(path)
    volume = segmentation.get_volume(
        combine_segments=kind != "segmentation-fractional", rescale_fractional=False
    )
    found = volume.array
    if kind == "segmentation-fractional":
        found = (found != 0) @ np.array([1, 2])
    first = np.array(volume.affine)[:3, 3]
    ours = image.array if np.allclose(first, affine()[:3, 3], atol=1e-3) else image.array[::-1]
    np.testing.assert_array_equal(found, ours)


def test_write_fractions_come_back(tmp_path, reference):
    fractions = np.zeros((2, *SHAPE), np.float32)
    fractions[0, 2, 3] = np.arange(10, dtype=np.float32) * 20 / np.float32(255)
    fractions[1, 3, 4] = 1
    image = label_map(fractions)
    wanted = options(reference, "segmentation-fractional")
    assert names(check(image, wanted), harmful=True) == []
    path, again = round_trip(image, tmp_path / "a.dcm", wanted)
    np.testing.assert_allclose(again.array, fractions, atol=1e-6)
    assert pydicom.dcmread(path).SegmentationFractionalType == "PROBABILITY"


def test_check_fractions_between_steps_are_a_harmful_loss(reference):
    image = label_map(np.full(SHAPE, 0.3337, np.float32))
    losses = check(image, options(reference, "segmentation-fractional"))
    assert names(losses, harmful=True) == ["rounded-fractions"]


def test_write_segments_of_the_image_are_written(tmp_path, reference):
    segment = Segment(
        5,
        "left kidney",
        colour=(10, 20, 30),
        algorithm_type="MANUAL",
        description="by hand",
        tracking_id="t",
        tracking_uid="1.2.3",
    )
    image = label_map(boxes(5), segments=(segment,))
    assert check(image, options(reference)) == ()
    _, again = round_trip(image, tmp_path / "a.dcm", options(reference))
    (found,) = again.segments
    assert found.type == ("64033007", "SCT", "Kidney")
    assert found.type_modifier == ("7771000", "SCT", "Left")
    assert (found.number, found.label, found.colour) == (5, "left kidney", (10, 20, 30))
    assert (found.algorithm_type, found.tracking_id) == ("MANUAL", "t")


def test_check_table_beside_the_reference_names_the_series(tmp_path, reference):
    table = tmp_path / "t.json"
    table.write_text(
        '{"SeriesDescription": "Organs", "ContentCreatorName": "A^B",'
        ' "segmentAttributes": [[{"labelID": 1, "SegmentLabel": "liver"}]]}'
    )
    wanted = options(reference, segments=str(table))
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", wanted)
    made = pydicom.dcmread(path)
    assert (made.SeriesDescription, made.ContentCreatorName) == ("Organs", "A^B")


def test_check_unnamed_labels(tmp_path, reference):
    image = label_map(boxes(1, 2))
    losses = check(image, options(reference))
    assert names(losses) == ["assumed-algorithm", "assumed-codes", "unnamed-segments"]
    table = tmp_path / "t.csv"
    table.write_text("number,name,algorithm_type\n1,liver,MANUAL\n")
    losses = check(image, options(reference, segments=str(table)))
    assert names(losses, harmful=True) == ["unnamed-labels"]


@pytest.mark.parametrize("kind", KINDS)
def test_write_without_reference_is_told_and_conformant(tmp_path, kind):
    image = label_map(boxes(1, 3))

    losses = check(image, options((), kind))
    path, again = round_trip(image, tmp_path / "a.dcm", options((), kind))

    assert "no-reference" in names(losses)
    assert errors_of(path) == []
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_allclose(again.geometry.affine, affine(), atol=1e-4)
    dataset = pydicom.dcmread(path)
    assert "ReferencedSeriesSequence" not in dataset
    assert dataset.FrameOfReferenceUID


def test_check_without_reference_and_position_is_refused_with_the_way_out():
    flat = Image(boxes(1)[:1], "kji")

    with pytest.raises(UsageError) as caught:
        check(flat, options(()))

    assert "--reference" in caught.value.hint


def test_check_other_grid_is_a_harmful_loss(reference):
    image = label_map(boxes(1, shape=(6, 9, 10)))
    assert "other-geometry" in names(check(image, options(reference)), harmful=True)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (np.full(SHAPE, -1, np.int16), "segmentation"),
        (np.full(SHAPE, 70000, np.int32), "segmentation"),
        (np.full(SHAPE, 0.5), "segmentation"),
        (np.full(SHAPE, np.nan), "segmentation"),
        (np.full(SHAPE, 1.5), "segmentation-fractional"),
        (np.full(SHAPE, np.nan), "segmentation-fractional"),
        (np.stack([boxes(1), boxes(2)]), "segmentation-labelmap"),
        (np.zeros(SHAPE, np.uint8), "segmentation"),
    ],
)
def test_check_what_is_no_label_map_is_refused(reference, array, kind):
    with pytest.raises(UnsupportedData):
        check(label_map(array), options(reference, kind))


def test_check_empty_map_with_described_segments_keeps_all_frames(tmp_path, reference):
    image = label_map(np.zeros(SHAPE, np.uint8), segments=(Segment(1, "liver"),))
    path, again = round_trip(image, tmp_path / "a.dcm", options(reference))
    assert pydicom.dcmread(path).NumberOfFrames == SHAPE[0]
    np.testing.assert_array_equal(again.array, image.array)


def test_check_damaged_table_is_refused(tmp_path, reference):
    table = tmp_path / "t.json"
    table.write_text("{")
    with pytest.raises(CorruptData):
        check(label_map(boxes(1)), options(reference, segments=str(table)))


def test_write_with_a_seed_gives_the_same_uids(tmp_path, reference):
    uids = set()
    for name in ("a.dcm", "b.dcm"):
        wanted = options(reference, uid_seed="x")
        (path,) = write(label_map(boxes(1)), tmp_path / name, wanted)
        uids.add(pydicom.dcmread(path).SOPInstanceUID)
    assert len(uids) == 1


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    """A Secondary Capture of 8x10 pixels, without a position in a patient."""
    image = Image(np.zeros((1, 8, 10), np.uint8), "kji")
    target = tmp_path_factory.mktemp("picture") / "p.dcm"
    return write(image, target, WriteOptions(extra={"dicom": {"as": "secondary-capture"}}))


@pytest.mark.parametrize("kind", KINDS)
def test_write_mask_of_a_picture_covers_it(tmp_path, picture, kind):
    mask = Image(boxes(1, 255, shape=(6, 8, 10))[2:3], "kji")
    assert "assumed-same-pixels" in names(check(mask, options(picture, kind)))
    path, again = round_trip(mask, tmp_path / "a.dcm", options(picture, kind))
    np.testing.assert_array_equal(again.array, mask.array)
    assert again.geometry is None
    assert "FrameOfReferenceUID" not in pydicom.dcmread(path)
    assert errors_of(path, *picture) == []


def test_write_mask_without_position_takes_that_of_its_one_image(tmp_path, reference):
    mask = Image(boxes(1)[2:3], "kji")
    _, again = round_trip(mask, tmp_path / "a.dcm", options(reference[2:3]))
    np.testing.assert_array_equal(again.array, mask.array)
    expected = affine() @ [0, 0, 2, 1]
    np.testing.assert_allclose(again.geometry.origin, expected[:3], atol=1e-4)


def test_check_mask_without_position_needs_one_image_of_its_size(reference, picture):
    mask = Image(boxes(1)[2:3], "kji")
    with pytest.raises(UnsupportedData, match="6 images"):
        check(mask, options(reference))
    with pytest.raises(UnsupportedData, match="pixels"):
        check(Image(np.ones((1, 4, 4), np.uint8), "kji"), options(picture))
