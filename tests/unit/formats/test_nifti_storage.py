from dataclasses import replace

import nibabel
import numpy as np
import pytest

from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image, Source
from imgconv.core.metadata import Metadata
from imgconv.formats.nifti_storage import Storage, is_from_dicom, to_storage

DICOM = (Source("x.dcm", sop_instance_uid="1.2"),)


def make(directions, *, acquisition="2D", sources=DICOM, shape=(3, 4, 5), **more):
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions, dtype=float).T
    geometry = more.pop("geometry", Geometry(affine))
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    axes = "tkji"[-len(shape) :]
    metadata = Metadata(shared={"MRAcquisitionType": acquisition, **more.pop("shared", {})})
    return Image(array, axes, geometry, metadata=metadata, sources=sources, **more)


AXIAL = [(1, 0, 0), (0, 1, 0), (0, 0, 1)]
SAGITTAL = [(0, 1, 0), (0, 0, -1), (-1, 0, 0)]
CORONAL = [(1, 0, 0), (0, 0, -1), (0, 1, 0)]


def codes(image):
    return "".join(nibabel.aff2axcodes(LPS_TO_RAS @ image.geometry.affine))


@pytest.mark.parametrize(
    ("directions", "acquisition", "expected"),
    [
        (AXIAL, "2D", "LAS"),
        (SAGITTAL, "2D", "PSR"),
        (CORONAL, "2D", "LSP"),
        (AXIAL, "3D", "RAS"),
        (SAGITTAL, "3D", "RAS"),
        (CORONAL, "3D", "RAS"),
    ],
)
def test_to_storage_of_dicom_is_what_users_of_dcm2niix_expect(directions, acquisition, expected):
    assert codes(to_storage(make(directions, acquisition=acquisition), Storage.AUTO)) == expected


def test_to_storage_of_an_oblique_3d_volume_begins_at_the_corner_nearest_to_lpi():
    # Steps in RAS, mm, as dcm2niix 1.0.20260724 turned them for a volume of 4 x 256 x 256.
    steps = np.array([[3.18, 0.6, 0.05], [-2.25, 0.76, -0.42], [-0.92, 0.24, 1.23]])
    directions = (np.diag([-1, -1, 1]) @ steps).T
    image = make(directions, acquisition="3D", shape=(256, 256, 4))
    turned = to_storage(image, Storage.AUTO)
    assert turned.size_ijk == (256, 4, 256)
    found = (LPS_TO_RAS @ turned.geometry.affine)[:3, :3]
    np.testing.assert_allclose(found, np.stack([steps[:, 1], -steps[:, 0], steps[:, 2]], axis=1))
    assert to_storage(image, Storage.RAS).size_ijk == (4, 256, 256)


@pytest.mark.parametrize("directions", [AXIAL, SAGITTAL, CORONAL])
@pytest.mark.parametrize("storage", list(Storage))
@pytest.mark.parametrize("acquisition", ["2D", "3D"])
def test_to_storage_keeps_each_voxel_in_its_place(directions, storage, acquisition):
    image = make(directions, acquisition=acquisition)
    turned = to_storage(image, storage)
    inverse = np.linalg.inv(turned.geometry.affine)
    for i, j, k in ((0, 0, 0), (4, 3, 2), (1, 2, 0)):
        index = inverse @ image.geometry.affine @ [i, j, k, 1]
        x, y, z = np.rint(index[:3]).astype(int)
        assert turned.array[z, y, x] == image.array[k, j, i]


def test_to_storage_of_a_series_of_3d_volumes_is_not_turned():
    image = make(SAGITTAL, acquisition="3D", shape=(2, 3, 4, 5))
    assert codes(to_storage(image, Storage.AUTO)) == "PSR"


@pytest.mark.parametrize(
    "shared",
    [
        {"ScanningSequence": "EP"},
        {"ScanningSequence": ("GR", "EP")},
        {"EchoPlanarPulseSequence": "YES"},
    ],
)
def test_to_storage_of_3d_echo_planar_volumes_is_not_turned(shared):
    assert codes(to_storage(make(SAGITTAL, acquisition="3D", shared=shared), Storage.AUTO)) == "PSR"
    plain = {"ScanningSequence": "GR", "EchoPlanarPulseSequence": "NO"}
    assert codes(to_storage(make(SAGITTAL, acquisition="3D", shared=plain), Storage.AUTO)) == "RAS"


def test_to_storage_keeps_the_order_of_slices_that_the_scanner_numbers_backwards():
    timed = Metadata(bids={"SliceTiming": [0.0, 1.0, 2.0]})
    image = replace(make(SAGITTAL, reversed_slices=True), metadata=timed)
    turned = to_storage(image, Storage.AUTO)
    assert codes(turned) == "PSL"
    assert turned.metadata.bids["SliceTiming"] == [2.0, 1.0, 0.0]
    assert np.array_equal(turned.array, image.array[::-1, ::-1])
    assert codes(to_storage(image, Storage.RAS)) == "RAS"


@pytest.mark.parametrize("storage", [Storage.AUTO, Storage.DCM2NIIX])
def test_to_storage_of_a_film_without_place_makes_its_frames_slices(storage):
    times = Metadata(per_volume={"TriggerTime": (0.0, 40.0)})
    film = replace(make(AXIAL, geometry=None, shape=(2, 1, 4, 5)), metadata=times)
    stack = to_storage(film, storage)
    assert stack.axes == "kji"
    assert np.array_equal(stack.array, film.array[:, 0, ::-1])
    assert not stack.metadata.per_volume
    assert stack.metadata.per_slice == {"TriggerTime": ((0.0, 40.0),)}
    assert to_storage(film, Storage.KEEP) is film


def test_to_storage_of_a_film_with_a_place_keeps_time():
    assert to_storage(make(AXIAL, shape=(2, 1, 4, 5)), Storage.AUTO).axes == "tkji"


def test_to_storage_of_other_formats_keeps_them():
    image = make(SAGITTAL, sources=())
    assert not is_from_dicom(image)
    assert to_storage(image, Storage.AUTO) is image


def test_to_storage_without_geometry_flips_rows_of_dicom_only():
    image = make(AXIAL, geometry=None)
    assert np.array_equal(to_storage(image, Storage.AUTO).array, image.array[:, ::-1])
    assert to_storage(image, Storage.RAS) is image


def test_to_storage_with_uneven_slices_leaves_the_slice_axis():
    positions = np.array([[0, 0, 0], [-1, 0, 0], [-5, 0, 0.0]])
    affine = np.eye(4)
    affine[:3, :3] = np.array(SAGITTAL, dtype=float).T
    image = make(SAGITTAL, geometry=Geometry(affine, slice_positions=positions), acquisition="3D")
    assert codes(to_storage(image, Storage.AUTO)) == "PSR"
    assert codes(to_storage(image, Storage.RAS))[2] == "R"
