import json

import numpy as np
import pytest

from imgconv import __version__
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.metadata import Metadata
from imgconv.core.options import Sidecar
from imgconv.core.orient import flip, permute
from imgconv.formats.bids import IDENTIFYING_KEYWORDS, format_gradients, format_sidecar

DIRECTION = (0.48, 0.6, 0.64)


def make_image(**metadata):
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    array = np.zeros((2, 3, 4, 5), np.int16)
    return Image(array, "tkji", Geometry(affine), metadata=Metadata(**metadata))


def weighted(directions=(None, DIRECTION), b_values=(0.0, 1000.0)):
    return make_image(
        per_volume={"DiffusionBValue": b_values, "DiffusionGradientOrientation": directions}
    )


def vectors(text):
    return np.array([[float(part) for part in line.split()] for line in text.splitlines()])


def test_sidecar_has_the_fields_and_the_software():
    image = make_image(bids={"EchoTime": 0.03, "SliceTiming": (0.0, 0.5), "Name": "größe"})
    text = format_sidecar(image)
    assert json.loads(text) == {
        "EchoTime": 0.03,
        "SliceTiming": [0.0, 0.5],
        "Name": "größe",
        "ConversionSoftware": "imgconv",
        "ConversionSoftwareVersion": __version__,
    }
    assert text.endswith("}\n")
    assert "größe" in text


def test_sidecar_off_is_empty():
    assert format_sidecar(make_image(), Sidecar.OFF) == ""


def test_anonymised_sidecar_has_no_identifying_field():
    secrets = dict.fromkeys(IDENTIFYING_KEYWORDS, "secret")
    image = make_image(shared=secrets, bids={**secrets, "EchoTime": 0.03})
    assert "secret" not in format_sidecar(image)
    assert "0.03" in format_sidecar(image)


@pytest.mark.parametrize(
    "name", ["PatientComments", "StudyDate", "FrameOfReferenceUID", "PerformingPhysicianName"]
)
def test_anonymised_sidecar_drops_what_a_read_sidecar_says_about_people(name):
    image = make_image(bids={name: "secret", "PatientPosition": "HFS"})
    assert "secret" not in format_sidecar(image)
    assert "HFS" in format_sidecar(image)
    assert "secret" in format_sidecar(image, Sidecar.FULL)


def test_full_sidecar_has_the_identifying_fields():
    shared = {"PatientID": "P1", "AcquisitionDateTime": "20220711121421.857500", "Other": 1}
    found = json.loads(format_sidecar(make_image(shared=shared), Sidecar.FULL))
    assert found["PatientID"] == "P1"
    assert found["AcquisitionDateTime"] == "2022-07-11T12:14:21.857500"
    assert "Other" not in found


def test_full_sidecar_joins_date_and_time():
    image = make_image(
        shared={"AcquisitionDate": "20140310"}, bids={"AcquisitionTime": "14:03:36.150000"}
    )
    found = json.loads(format_sidecar(image, Sidecar.FULL))
    assert found["AcquisitionDateTime"] == "2014-03-10T14:03:36.150000"
    assert "2014" not in format_sidecar(image)


def test_what_json_cannot_hold_is_left_out():
    bids = {
        "A": float("nan"),
        "B": [1.0, float("inf")],
        "C": b"bytes",
        "D": np.float32(0.5),
        "E": {"F": 1},
        "G": True,
    }
    found = json.loads(format_sidecar(make_image(bids=bids)))
    assert {"D": 0.5, "E": {"F": 1}, "G": True}.items() <= found.items()
    assert not {"A", "B", "C"} & found.keys()


def test_gradients_follow_fsl_for_a_positive_determinant():
    # LPS axes with a positive determinant stay positive in RAS: x is reversed there.
    bval, bvec = format_gradients(weighted())
    assert bval == "0 1000\n"
    np.testing.assert_allclose(vectors(bvec), [[0, -0.48], [0, 0.6], [0, 0.64]], atol=1e-7)


def test_gradients_follow_fsl_for_a_negative_determinant():
    _bval, bvec = format_gradients(flip(weighted(), "j"))
    np.testing.assert_allclose(vectors(bvec), [[0, 0.48], [0, -0.6], [0, 0.64]], atol=1e-7)


@pytest.mark.parametrize("order", ["ijk", "kij", "jki", "jik"])
@pytest.mark.parametrize("axis", ["i", "j", "k"])
def test_gradients_mean_the_same_direction_in_every_orientation(order, axis):
    image = flip(permute(weighted(), order), axis)
    _bval, bvec = format_gradients(image)
    axes = image.geometry.affine[:3, :3] * [[-1], [-1], [1]]
    axes = axes / np.linalg.norm(axes, axis=0)
    vector = vectors(bvec)[:, 1]
    if np.linalg.det(axes) > 0:
        vector = vector * [-1, 1, 1]
    np.testing.assert_allclose(axes @ vector, [-0.48, -0.6, 0.64], atol=1e-6)


def test_gradients_of_odd_b_values():
    bval, _bvec = format_gradients(weighted((None, None), (1.2512641359, 929.7501831)))
    assert bval == "1.251264 929.750183\n"


def test_other_images_have_no_gradients():
    assert format_gradients(make_image()) is None
    without = Image(np.zeros((2, 3, 4, 5)), "tkji", None, metadata=weighted().metadata)
    assert format_gradients(without) is None
