"""Parametric Map: floating point as it is."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.dicom.sops.writing import AFFINE, datasets, errors_of, image, options

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.values import Rescale, ValueMap
from imgconv.dicom.writer import check, write
from imgconv.errors import UnsupportedData

KEYWORDS = {"float32": "FloatPixelData", "float64": "DoubleFloatPixelData"}


@pytest.mark.parametrize("dtype", list(KEYWORDS))
def test_write_keeps_floats_bit_for_bit(tmp_path, dtype):
    source = image(dtype)
    source.array[0, 0, :3] = [np.nan, np.inf, -0.0]
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options()))
    stored = np.frombuffer(dataset[KEYWORDS[dtype]].value, dtype).reshape(source.array.shape)
    assert stored.tobytes() == source.array.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "uint16", "uint8"])
@pytest.mark.parametrize("shape", [(1, 4, 5), (2, 3, 4, 5)])
def test_write_is_conformant(tmp_path, dtype, shape):
    source = image(dtype, shape, "tkji"[4 - len(shape) :])
    assert errors_of(*write(source, tmp_path / "a.dcm", options("parametric-map"))) == []


def test_write_of_a_constant_is_conformant(tmp_path):
    source = Image(np.zeros((2, 4, 5), np.float32), "kji", geometry=Geometry(AFFINE))
    assert errors_of(*write(source, tmp_path / "a.dcm", options())) == []


def test_write_says_unit_slope_and_intercept(tmp_path):
    source = image(values=ValueMap(rescale=Rescale(0.5, -2.0), unit="Bq/ml"))
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options("parametric-map")))
    mapping = dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    assert (mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept) == (0.5, -2)
    assert mapping.MeasurementUnitsCodeSequence[0].CodeValue == "Bq/ml"


def test_write_integers_beyond_16_bits_become_doubles(tmp_path):
    source = image("int32")
    assert [loss.name for loss in check(source, options())] == ["sample-type"]
    (dataset,) = datasets(write(source, tmp_path / "a.dcm", options()))
    stored = np.frombuffer(dataset.DoubleFloatPixelData, np.float64)
    assert np.array_equal(stored.reshape(source.array.shape), source.array)


def test_check_integers_beyond_doubles_are_refused():
    with pytest.raises(UnsupportedData, match="int64"):
        check(image("int64"), options())


def test_write_with_reference_has_no_attribute_of_another_object(tmp_path):
    write(image("int16"), tmp_path / "ct", options("ct"))
    again = options("parametric-map", reference=[tmp_path / "ct"])
    (dataset,) = datasets(write(image("float32"), tmp_path / "pm.dcm", again))
    assert len(dataset.ReferencedSeriesSequence[0].ReferencedInstanceSequence) > 0
    assert "SourceImageEvidenceSequence" not in dataset
