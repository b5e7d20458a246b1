import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Segment
from imgconv.core.metadata import Metadata
from imgconv.core.values import ValueMap
from imgconv.formats._volume_losses import volume_losses

ARRAY = np.zeros((2, 3, 4))
GEOMETRY = Geometry(np.eye(4))
UNEVEN = Geometry(np.eye(4), slice_positions=np.array([[0, 0, 0], [0, 0, 5.0]]))


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"geometry": GEOMETRY}, []),
        ({}, ["no-geometry"]),
        ({"geometry": UNEVEN}, ["uneven-slice-spacing"]),
        ({"geometry": GEOMETRY, "segments": (Segment(1, "a"),)}, ["segments"]),
        ({"geometry": GEOMETRY, "values": ValueMap(photometric="MONOCHROME1")}, ["photometric"]),
        ({"geometry": GEOMETRY, "values": ValueMap(padding=(0, 0))}, ["padding"]),
        (
            {"geometry": GEOMETRY, "metadata": Metadata(per_volume={"DiffusionBValue": (0,)})},
            ["gradients"],
        ),
    ],
)
def test_volume_losses(more, names):
    assert [loss.name for loss in volume_losses(Image(ARRAY, "kji", **more))] == names


def test_volume_losses_without_an_affine():
    image = Image(ARRAY, "kji", geometry=UNEVEN)
    assert [loss.name for loss in volume_losses(image, affine=False)] == ["geometry"]
