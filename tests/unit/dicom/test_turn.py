from itertools import permutations

import numpy as np
import pytest
from tests.unit.dicom.seg_cases import boxes, label_map, options, write_reference

from imgconv.core.orient import flip, permute
from imgconv.dicom.header import read_header
from imgconv.dicom.seg_reader import read_segmentation
from imgconv.dicom.turn import turn_to_reference
from imgconv.dicom.writer import write


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize("order", ["".join(order) for order in permutations("ijk")])
def test_turn_to_reference_undoes_a_permutation(reference, order):
    image = label_map(boxes(1, 2))
    turned = turn_to_reference(permute(image, order), options(reference))
    np.testing.assert_array_equal(turned.array, image.array)
    np.testing.assert_allclose(turned.geometry.affine, image.geometry.affine)


def test_turn_to_reference_of_another_grid_leaves_the_image_alone(reference):
    image = label_map(boxes(1, shape=(5, 9, 11)))
    assert turn_to_reference(image, options(reference)) is image
    assert turn_to_reference(image, options(None)) is image


@pytest.mark.parametrize("order", ["kij", "jik"])
def test_write_permuted_and_flipped_mask_lies_on_its_images(tmp_path, reference, order):
    image = label_map(boxes(1, 2))
    stored = flip(permute(image, order), "i")
    (path,) = write(stored, tmp_path / "a.dcm", options(reference))
    back = read_segmentation(read_header(path))
    reverse = not np.allclose(back.geometry.origin, image.geometry.origin, atol=1e-3)
    array = back.array[::-1] if reverse else back.array
    np.testing.assert_array_equal(array, image.array)
