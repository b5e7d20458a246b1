import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray
from imgconv.core.options import Overwrite, ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import (
    InputError,
    LossRefused,
    OutputError,
    UnknownFormat,
    UnsupportedData,
    UsageError,
)
from imgconv.ops.images import read_image, read_images, write_image

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


@pytest.fixture
def small():
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    return Image(array, "kji", Geometry(affine), ValueMap(rescale=Rescale(2.0, -10.0)))


@pytest.mark.parametrize("name", ["ct", "archives/ct.zip", "archives/ct.tar.gz", "ct/*.dcm"])
def test_read_image_takes_folders_archives_and_patterns(name):
    image = read_image(FIXTURES / name)
    assert image.axes == "kji"
    assert image.array.shape == (4, 12, 12)
    assert image.geometry.spacing == pytest.approx((1.25, 1.5, 3.0))


def test_read_images_yields_the_volumes_of_every_format():
    found = list(read_images([FIXTURES / "ct", FIXTURES / "nifti" / "dwi.nii.gz"]))
    assert [image.axes for image in found] == ["kji", "tkji"]


def test_read_images_of_an_archive_need_no_file_once_they_are_read(tmp_path):
    shutil.make_archive(str(tmp_path / "dwi"), "zip", FIXTURES / "dwi")
    (image,) = list(read_images(tmp_path / "dwi.zip"))
    assert isinstance(read_image(FIXTURES / "dwi").array, LazyArray)
    assert np.array_equal(image.array, np.asarray(read_image(FIXTURES / "dwi").array))


def test_read_images_raises_the_failure_behind_the_images():
    reader = read_images([FIXTURES / "bad" / "truncated.nii.gz", FIXTURES / "nifti" / "plain.nii"])
    assert next(reader).axes == "kji"
    with pytest.raises(InputError, match=r"truncated\.nii\.gz"):
        next(reader)


def test_read_images_refuses_a_harmful_gap_until_it_is_allowed(tmp_path):
    for number in (2, 3, 4):
        shutil.copy(FIXTURES / "ct" / f"{number}.dcm", tmp_path)
    with pytest.raises(InputError, match="missing"):
        read_image(tmp_path)
    image = read_image(tmp_path, ReadOptions(allow=frozenset({"missing-slices"})))
    assert image.array.shape == (3, 12, 12)


def test_read_image_prefers_none_of_several():
    with pytest.raises(UnsupportedData, match="more than one image") as caught:
        read_image([FIXTURES / "ct", FIXTURES / "dwi"])
    assert "series" in caught.value.hint
    assert (
        read_image([FIXTURES / "ct", FIXTURES / "dwi"], ReadOptions(series=("4",))).axes[0] == "t"
    )


def test_read_image_of_no_image_is_an_error(tmp_path, caplog):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(UnknownFormat), caplog.at_level(logging.INFO):
        read_image(tmp_path)
    assert "notes.txt: no image format is recognised" in caplog.text
    with pytest.raises(InputError, match="no such file"):
        read_image(tmp_path / "absent")


def test_read_image_of_an_empty_text_is_not_the_current_folder():
    with pytest.raises(UsageError, match="empty"):
        read_image("")


@pytest.mark.parametrize("name", ["brain.nii.gz", "brain.nii", "a{b}%d.mha", "deep/brain.npz"])
def test_write_image_is_read_again(tmp_path, small, name):
    paths = write_image(small, tmp_path / name)
    assert tmp_path / name in paths
    again = read_image(tmp_path / name)
    assert np.array_equal(again.array * again.values.rescale.slope + again.values.rescale.intercept,
                          small.array * 2.0 - 10.0)  # fmt: skip
    assert np.allclose(again.geometry.affine, small.geometry.affine)
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith(".imgconv")]


def test_write_image_logs_harmless_losses(tmp_path, small, caplog):
    with caplog.at_level(logging.WARNING):
        write_image(small, tmp_path / "brain.nrrd")
    assert "slope and intercept are applied" in caplog.text


def test_write_image_leaves_nothing_of_what_is_refused(tmp_path, small):
    with pytest.raises(LossRefused):
        write_image(small, tmp_path / "x" / "brain.png", WriteOptions(strict=True))
    assert not (tmp_path / "x").exists()


def test_write_image_replaces_other_content_only_if_asked(tmp_path, small):
    target = tmp_path / "brain.nii"
    target.write_bytes(b"another")
    with pytest.raises(OutputError, match="exists"):
        write_image(small, target)
    write_image(small, target, WriteOptions(overwrite=Overwrite.IF_DIFFERENT))
    assert read_image(target).array.shape == (2, 3, 4)


@pytest.mark.parametrize("name", ["brain", "brain.txt", "brain.jls"])
def test_write_image_without_a_known_extension_is_refused(tmp_path, small, name):
    with pytest.raises(UsageError, match="extension"):
        write_image(small, tmp_path / name)
