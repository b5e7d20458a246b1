import numpy as np
import pytest

from imgconv.core.image import Image, Segment
from imgconv.core.options import WriteOptions
from imgconv.dicom.sops.seg_labels import describe_labels, find_labels
from imgconv.errors import UnsupportedData


def image(array, **more):
    array = np.asarray(array)
    return Image(array, "tkji" if array.ndim == 4 else "kji", **more)


def describe(found, keys, **own):
    consecutive = own.pop("consecutive", True)
    wanted = WriteOptions(extra={"dicom": own})
    return describe_labels(found, keys, wanted, consecutive=consecutive)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int64, np.float32])
def test_find_labels_by_slice(dtype):
    array = np.array([[[0, 5]], [[0, 0]], [[5, 9]]], dtype)
    assert find_labels(image(array)).present == {(0, 5): (0, 2), (0, 9): (2,)}


def test_find_labels_overlap_of_layers():
    apart = np.array([[[[1, 0]]], [[[0, 2]]]])
    assert not find_labels(image(apart)).overlapping
    assert find_labels(image(apart[[0, 0]])).overlapping


@pytest.mark.parametrize("value", [-1, 65536, 0.5, np.nan, np.inf])
def test_find_labels_what_is_no_label_is_unsupported(value):
    with pytest.raises(UnsupportedData):
        find_labels(image([[[0, value]]]))


def test_find_labels_colour_is_unsupported():
    with pytest.raises(UnsupportedData):
        find_labels(Image(np.zeros((1, 2, 2, 3), np.uint8), "kjic"))


@pytest.mark.parametrize(
    ("numbers", "consecutive", "expected"),
    [
        ((1, 2, 3), True, [1, 2, 3]),
        ((2, 7), True, [1, 2]),
        ((2, 7), False, [2, 7]),
    ],
)
def test_describe_labels_numbers_segments(numbers, consecutive, expected):
    keys = [(0, number) for number in numbers]
    labels, _, _ = describe(image([[[1]]]), keys, consecutive=consecutive)
    assert [label.segment_number for label in labels] == expected
    assert [label.segment.number for label in labels] == list(numbers)


def test_describe_labels_described_but_absent_segments_stay():
    segments = (Segment(1, "liver"), Segment(2, "spleen"))
    labels, _, losses = describe(image([[[1]]], segments=segments), [(0, 1)])
    assert [label.segment.label for label in labels] == ["liver", "spleen"]
    assert [loss.name for loss in losses] == ["assumed-algorithm"]


def test_describe_labels_table_of_more_layers_folds_into_the_image(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("number,name,layer\n1,a,0\n2,b,1\n")
    labels, _, losses = describe(image([[[1]]]), [(0, 1), (0, 2)], segments=str(table))
    assert [(label.segment.label, label.segment.layer) for label in labels] == [("a", 0), ("b", 0)]
    assert "unnamed-labels" not in [loss.name for loss in losses]


def test_describe_labels_one_mask_per_layer_is_described_by_its_number(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("number,name\n1,liver\n2,spleen\n")
    layers = np.array([[[[1]]], [[[1]]]])
    labels, _, losses = describe(image(layers), [(0, 1), (1, 1)], segments=str(table))
    found = [(label.segment.label, label.segment.layer, label.segment_number) for label in labels]
    assert found == [("liver", 0, 1), ("spleen", 1, 2)]
    assert "unnamed-labels" not in [loss.name for loss in losses]


def test_describe_labels_flat_table_describes_labels_of_any_layer(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("number,name\n1,liver\n2,spleen\n3,heart\n", encoding="utf-8")
    keys = [(0, 1), (0, 2), (1, 3)]
    labels, _, _ = describe(image(np.zeros((2, 1, 1, 1))), keys, segments=str(table))
    assert [(s.segment.label, s.segment.layer) for s in labels] == [
        ("liver", 0),
        ("spleen", 0),
        ("heart", 1),
    ]


def test_describe_labels_flat_table_does_not_describe_a_label_of_two_layers(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("number,name\n1,liver\n2,spleen\n", encoding="utf-8")
    keys = [(0, 1), (0, 2), (1, 1)]
    _, _, losses = describe(image(np.zeros((2, 1, 1, 1))), keys, segments=str(table))
    assert "unnamed-labels" in [loss.name for loss in losses]


def test_describe_labels_many_unnamed_labels_make_a_short_message():
    keys = [(0, number) for number in range(1, 100)]
    _, _, losses = describe(image([[[1]]]), keys)
    assert "91 more" in losses[0].message
