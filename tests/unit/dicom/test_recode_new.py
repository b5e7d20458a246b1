"""New files go into a lossless transfer syntax, or are refused."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from tests.unit.dicom.sops.writing import datasets, errors_of, image, options

from imgconv.core.image import Image
from imgconv.core.values import ValueMap
from imgconv.dicom.recode_new import find_lossless_syntax, recode_new
from imgconv.dicom.writer import write
from imgconv.errors import UnsupportedData, UsageError

SYNTAXES = ("jpeg-ls", "rle", "jpeg2000", "jpeg-lossless", "explicit")


def _options(name: str, syntax: str):
    wanted = options(name)
    wanted.extra["dicom"]["transfer_syntax"] = find_lossless_syntax(syntax)
    return wanted


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_write_compresses_a_series_without_loss(tmp_path, syntax):
    plain = datasets(write(image(), tmp_path / "a.dcm", options("ct")))
    paths = write(image(), tmp_path / "b.dcm", _options("ct", syntax))
    packed = datasets(paths)
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == [p.name for p in paths]
    for one, other in zip(plain, packed, strict=True):
        assert other.file_meta.TransferSyntaxUID == find_lossless_syntax(syntax)
        assert np.array_equal(one.pixel_array, other.pixel_array)
        assert other.LossyImageCompression == "00" if "LossyImageCompression" in other else True
    assert errors_of(*paths) == []


@pytest.mark.parametrize("syntax", ["jpeg2000", "jpeg-ls", "rle"])
def test_write_compresses_colour_in_one_file(tmp_path, syntax):
    array = np.random.default_rng(2).integers(0, 255, (3, 8, 9, 3), np.uint8)
    source = Image(array, "kjic", values=ValueMap(photometric="RGB", bits_stored=8))
    paths = write(source, tmp_path / "a.dcm", _options("secondary-capture", syntax))
    (dataset,) = datasets(paths)
    assert np.array_equal(pydicom.pixels.pixel_array(dataset), array)
    assert [path.name for path in tmp_path.iterdir()] == ["a.dcm"]
    assert errors_of(*paths) == []


def test_write_of_floats_is_refused_and_leaves_nothing(tmp_path):
    source = image("float32")
    with pytest.raises(UnsupportedData, match="floating point") as caught:
        write(source, tmp_path / "a.dcm", _options("parametric-map", "jpeg-ls"))
    assert "--transfer-syntax" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["jpeg", "jpeg-ls-near", "jpeg2000-lossy", "nonsense"])
def test_find_lossless_syntax_refuses_what_loses_or_is_unknown(name):
    with pytest.raises(UsageError, match=name):
        find_lossless_syntax(name)


def test_recode_new_leaves_its_source_alone(tmp_path):
    (path, *_) = write(image(), tmp_path / "a.dcm", options("ct"))
    before = path.read_bytes()
    recode_new(path, tmp_path / "packed.dcm", find_lossless_syntax("rle"))
    assert path.read_bytes() == before
