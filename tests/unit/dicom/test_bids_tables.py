import pytest

from imgconv.dicom.bids_tables import COMMON_ROWS, CT_ROWS, MR_ROWS, Row, read_rows, tidy
from imgconv.standard.elements import find_tag


def test_rows_name_standard_attributes():
    for row in (*COMMON_ROWS, *CT_ROWS, *MR_ROWS):
        assert row.keywords
        for keyword in row.keywords:
            assert find_tag(keyword) is not None, keyword


def test_fields_are_named_once_per_modality():
    for rows in ((*COMMON_ROWS, *CT_ROWS), (*COMMON_ROWS, *MR_ROWS)):
        names = [row.field for row in rows]
        assert len(names) == len(set(names))


def test_read_rows_takes_the_first_attribute_that_is_there(facts_of):
    facts = facts_of({"PulseSequenceName": "FEEPI", "InversionTime": "900", "SAR": "0"})
    rows = (
        Row("SequenceName", ("SequenceName", "PulseSequenceName")),
        Row("InversionTime", ("InversionTime",), 1e-3),
        Row("SAR", ("SAR",), 1.0),
        Row("FlipAngle", ("FlipAngle",), 1.0),
    )
    assert read_rows(facts, rows) == {"SequenceName": "FEEPI", "InversionTime": 0.9}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3.0, 3),
        (0.1 + 0.2, 0.3),
        (0.003298636991530657, 0.00329863699),
        ([1.0, 2.5], [1, 2.5]),
        ("1.0", "1.0"),
        (True, True),
        (1.7e38, 1.7e38),
    ],
)
def test_tidy(value, expected):
    assert tidy(value) == expected
    assert type(tidy(value)) is type(expected)
