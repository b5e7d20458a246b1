"""Words and numbers as valid DICOM elements."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.dicom.attributes import find_tag, format_ds, make_element, parse_text
from imgconv.errors import UsageError


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_format_ds_fits_and_is_close(value):
    text = format_ds(value)
    assert len(text) <= 16
    assert math.isclose(float(text), value, rel_tol=1e-8, abs_tol=1e-300)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.5, 1e22, 118362.2421875, 0.1])
def test_format_ds_of_short_numbers_is_exact(value):
    assert float(format_ds(value)) == value


def test_format_ds_that_rounds_up_still_fits():
    assert format_ds(9.999999999999998) == "10"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_format_ds_of_what_is_not_finite_is_refused(value):
    with pytest.raises(UsageError):
        format_ds(value)


@pytest.mark.parametrize("name", ["PatientID", "(0010,0020)", "00100020", "0010,0020"])
def test_find_tag_knows_keywords_and_numbers(name):
    assert find_tag(name) == 0x00100020


@pytest.mark.parametrize("name", ["PatientIdentity", "", "(0011,0020)", "patientid"])
def test_find_tag_of_the_unknown_is_none(name):
    assert find_tag(name) is None


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("PatientBirthDate", "19700131", "19700131"),
        ("PatientBirthDate", "1970-01-31", "19700131"),
        ("PatientBirthDate", dt.date(1970, 1, 31), "19700131"),
        ("AcquisitionTime", "13:54:16.225000", "135416.225000"),
        ("AcquisitionDateTime", "2020-02-03T04:05:06", "20200203040506"),
        ("EchoTime", 30, "30"),
        ("EchoTime", "2.5", "2.5"),
        ("SeriesNumber", "7", "7"),
        ("DiffusionBValue", "1000", 1000.0),
        ("PatientName", {"Alphabetic": "A^B"}, "A^B"),
        ("PatientComments", "a\\b", "a\\b"),
    ],
)
def test_make_element_converts(name, value, expected):
    got = make_element(name, value).value
    assert str(got) == expected if isinstance(expected, str) else got == expected


def test_make_element_splits_values():
    assert list(make_element("ImageType", "DERIVED\\SECONDARY").value) == ["DERIVED", "SECONDARY"]


def test_make_element_of_nothing_is_empty():
    assert make_element("PatientID", "").is_empty
    assert make_element("PatientID", None).is_empty


def test_make_element_makes_sequences():
    element = make_element("AnatomicRegionSequence", [{"CodeValue": "1", "CodeMeaning": "x"}])
    assert element.value[0].CodeMeaning == "x"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PatientBirthDate", "secret-31.01.1970"),
        ("PatientSex", "secret"),
        ("SeriesNumber", "secret1.5"),
        ("SeriesNumber", 2**31),
        ("EchoTime", "secret"),
        ("EchoTime", math.nan),
        ("StudyInstanceUID", "secret.1"),
        ("StudyDescription", "secret" * 20),
        ("PatientID", "secret\x07"),
        ("PatientID", True),
        ("PatientID", ["secret", "x"]),
        ("AnatomicRegionSequence", "secret"),
        ("ICCProfile", "secret"),
        ("NoSuchThing", "x"),
    ],
)
def test_make_element_refuses_and_never_tells_the_value(name, value):
    with pytest.raises(UsageError) as caught:
        make_element(name, value)
    assert name in str(caught.value)
    assert "secret" not in str(caught.value)


def test_parse_text_splits_at_the_first_sign():
    assert parse_text("PatientComments=a=b") == ("PatientComments", "a=b")


@pytest.mark.parametrize("text", ["PatientID", "=x", ""])
def test_parse_text_without_an_assignment_is_refused(text):
    with pytest.raises(UsageError, match="no `=`"):
        parse_text(text)


def test_make_element_counts_values_in_groups():
    assert len(make_element("ContourData", [1, 2, 3, 4, 5, 6]).value) == 6
    with pytest.raises(UsageError, match="has 4 values; its multiplicity is 3-3n"):
        make_element("ContourData", [1, 2, 3, 4])
