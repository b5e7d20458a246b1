import json
from pathlib import Path

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import Sidecar, WriteOptions
from imgconv.errors import CorruptData
from imgconv.formats.nifti_sidecar import (
    SLICE_POSITIONS,
    base_of,
    read_sidecar,
    slice_fields,
    slice_positions,
    volume_seconds,
    write_sidecars,
)

GEOMETRY = Geometry(np.diag([2.0, 2.0, 3.0, 1.0]))


def make(shape=(2, 3, 4, 5), **metadata):
    axes = "tkji"[-len(shape) :]
    return Image(np.zeros(shape, np.int16), axes, GEOMETRY, metadata=Metadata(**metadata))


@pytest.mark.parametrize("name", ["a.b.nii.gz", "a.b.nii", "a.b.hdr", "a.b.img.gz", "a.b.NII"])
def test_base_of_drops_the_extensions_only(name):
    assert base_of(Path("x") / name) == Path("x/a.b")


def test_write_then_read_gives_the_gradients_back(tmp_path):
    directions = (None, (0.6, 0.0, -0.8))
    per_volume = {"DiffusionBValue": (0.0, 1000.0), "DiffusionGradientOrientation": directions}
    written = write_sidecars(make(per_volume=per_volume), tmp_path / "x.nii.gz", WriteOptions())
    assert [path.name for path in written] == ["x.json", "x.bval", "x.bvec"]
    side = read_sidecar(tmp_path / "x.nii.gz", GEOMETRY, 2)
    assert side.per_volume["DiffusionBValue"] == (0.0, 1000.0)
    first, second = side.per_volume["DiffusionGradientOrientation"]
    assert first is None
    assert second == pytest.approx((0.6, 0.0, -0.8))
    assert len(side.paths) == 3


def test_write_sidecars_without_sidecar_still_writes_gradients(tmp_path):
    per_volume = {"DiffusionBValue": (0.0, 0.0)}
    options = WriteOptions(sidecar=Sidecar.OFF)
    names = [
        path.name
        for path in write_sidecars(make(per_volume=per_volume), tmp_path / "x.nii", options)
    ]
    assert names == ["x.bval", "x.bvec"]


def test_write_sidecars_states_where_uneven_slices_lie(tmp_path):
    positions = np.array([[0, 0, 0], [0, 0, 1], [1, 2, 5.0]])
    geometry = Geometry(np.eye(4), slice_positions=positions)
    image = Image(np.zeros((3, 2, 2), np.int16), "kji", geometry)
    write_sidecars(image, tmp_path / "x.nii", WriteOptions())
    bids = json.loads((tmp_path / "x.json").read_text())
    assert bids[SLICE_POSITIONS][2] == [-1, -2, 5]
    assert np.array_equal(slice_positions(bids, 3), positions)


@pytest.mark.parametrize("rows", ["x", [[1, 2]], [[1, 2, 3]], [[1, 2, float("nan")]] * 2])
def test_slice_positions_that_do_not_fit_are_refused(rows):
    with pytest.raises(CorruptData):
        slice_positions({SLICE_POSITIONS: rows}, 2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", "{", "no JSON"),
        ("x.json", "[1]", "no JSON object"),
        ("x.json", "[" * 100_000, "no JSON"),
        ("x.bval", "0 a", "no table of numbers"),
        ("x.bval", "", "no table"),
        ("x.bval", "0 nan", "finite"),
        ("x.bval", "0 1 2", "gradients for `3` volumes; the image has 2"),
        ("x.bvec", "0 1\n0 0\n", "the image has 2"),
    ],
)
def test_read_sidecar_of_a_bad_file_names_it(tmp_path, name, text, message):
    (tmp_path / "x.bval").write_text("0 1\n")
    (tmp_path / "x.bvec").write_text("0 1\n0 0\n0 0\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(CorruptData, match=message) as caught:
        read_sidecar(tmp_path / "x.nii", GEOMETRY, 2)
    assert caught.value.path.suffix in (".json", ".bval", ".bvec")


def test_read_sidecar_takes_one_gradient_per_line_too(tmp_path):
    (tmp_path / "x.bval").write_text("0\n5\n")
    (tmp_path / "x.bvec").write_text("0 0 0\n1 0 0\n")
    side = read_sidecar(tmp_path / "x.nii", GEOMETRY, 2)
    assert side.per_volume["DiffusionBValue"] == (0.0, 5.0)


def test_volume_seconds_of_nonsense_is_zero():
    assert volume_seconds(make(bids={"RepetitionTime": 2.5})) == 2.5
    assert volume_seconds(make(bids={"RepetitionTime": "x"})) == 0
    assert volume_seconds(make(bids={"RepetitionTime": float("nan")})) == 0


@pytest.mark.parametrize(
    ("timing", "code"),
    [
        ([0, 1, 2, 3], 1),
        ([3, 2, 1, 0], 2),
        ([0, 2, 1, 3], 3),
        ([2, 0, 3, 1], 5),
        ([3, 1, 2, 0], 4),
        ([1, 3, 0, 2], 6),
        ([0, 0, 1, 1], 0),
        ([0, 1, 2], 0),
        (["x", 1, 2, 3], 0),
    ],
)
def test_slice_fields_name_the_order_of_acquisition(timing, code):
    image = make((2, 4, 3, 3), bids={"SliceTiming": timing})
    assert slice_fields(image).get("slice_code", 0) == code


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        ({"PhaseEncodingDirection": "j-"}, 1 | 2 << 2 | 3 << 4),
        ({"PhaseEncodingAxis": "i"}, 2 | 1 << 2 | 3 << 4),
        ({"PhaseEncodingDirection": "k", "SliceEncodingDirection": "i"}, 2 | 3 << 2 | 1 << 4),
        ({}, 0),
        ({"PhaseEncodingDirection": "k"}, 0),
    ],
)
def test_slice_fields_pack_the_axes(bids, expected):
    assert slice_fields(make(bids=bids))["dim_info"] == expected
