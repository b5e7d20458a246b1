"""Reference series: what they share, where their planes lie."""

from __future__ import annotations

import random

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.dicom.reference import find_flips, nearest_plane, read_references
from imgconv.dicom.writer import write
from imgconv.errors import ImgconvError

AFFINE = np.array([[0.9, 0.1, 0, 5], [-0.1, 0.9, 0.3, 6], [0, 0, 2.5, 7], [0, 0, 0, 1]])


@pytest.fixture(params=["mr", "enhanced-mr"])
def found(tmp_path, request):
    image = Image(np.zeros((3, 4, 5), np.int16), "kji", geometry=Geometry(AFFINE))
    options = WriteOptions(
        metadata={"PatientID": "1", "EchoTime": "12"}, extra={"dicom": {"as": request.param}}
    )
    write(image, tmp_path / "a.dcm", options)
    return read_references([tmp_path])


def test_read_references_finds_the_planes_of_classic_and_enhanced_objects(found):
    (reference,) = found
    positions = np.array([plane.position for plane in reference.grid.planes])
    expected = AFFINE[:3, 3] + np.arange(3)[:, None] * AFFINE[:3, 2]
    assert np.allclose(np.sort(positions, axis=0), np.sort(expected, axis=0), atol=1e-6)
    assert reference.patient_id == "1"


@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_find_flips_finds_each(found, flips):
    geometry = Geometry(AFFINE)
    for axis, flipped in enumerate(flips):
        if flipped:
            geometry = geometry.flipped(axis, (5, 4)[axis])
    assert find_flips(geometry, (5, 4, 3), found[0].grid) == flips


@pytest.mark.parametrize("size", [(4, 5, 3), (5, 4, 4)])
def test_find_flips_of_another_size_is_none(found, size):
    assert find_flips(Geometry(AFFINE), size, found[0].grid) is None


def test_find_flips_of_other_spacing_is_none(found):
    affine = AFFINE.copy()
    affine[:3, 0] *= 1.05
    assert find_flips(Geometry(affine), (5, 4, 3), found[0].grid) is None


def test_nearest_plane_is_where_it_says_or_none(found):
    grid = found[0].grid
    plane = nearest_plane(grid, AFFINE[:3, 3] + AFFINE[:3, 2])
    assert np.allclose(plane.position, AFFINE[:3, 3] + AFFINE[:3, 2])
    assert nearest_plane(grid, AFFINE[:3, 3] + 0.5 * AFFINE[:3, 2]) is None


@pytest.mark.parametrize("name", ["mr", "enhanced-mr"])
def test_read_references_of_damaged_files_is_clean(tmp_path, name):
    image = Image(np.zeros((1, 4, 5), np.int16), "kji", geometry=Geometry(AFFINE))
    options = WriteOptions(metadata={"PatientID": "1"}, extra={"dicom": {"as": name}})
    (path,) = write(image, tmp_path / "a.dcm", options)
    whole = path.read_bytes()
    rng = random.Random(4)
    for number in range(60):
        data = bytearray(whole)
        for place in rng.sample(range(132, len(data) - 40), 4):
            data[place] = rng.randrange(256)
        if number % 3 == 0:
            del data[rng.randrange(132, len(data)) :]
        damaged = tmp_path / f"{number}.dcm"
        damaged.write_bytes(data)
        try:
            found = read_references([damaged])
        except ImgconvError:
            continue
        assert len(found) == 1
