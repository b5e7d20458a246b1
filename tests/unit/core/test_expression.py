import pytest

from imgconv.core.expression import parse_expression
from imgconv.errors import UsageError

FILE = {
    "Modality": "CT",
    "Rows": 512,
    "ImageType": ("ORIGINAL", "PRIMARY", "AXIAL"),
    "SliceThickness": 1.25,
    "StudyDate": "20260102",
    "SeriesDescription": "Head 1.0 H60s",
    "PatientComments": "",
    0x00080060: "CT",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Modality == 'CT'", True),
        ('Modality == "MR"', False),
        ("Modality != 'MR'", True),
        ("(0008,0060) == 'CT'", True),
        ("Rows >= 512 and Rows < 513", True),
        ("SliceThickness > 1.25", False),
        ("ImageType == 'AXIAL'", True),
        ("ImageType != 'AXIAL'", False),
        ("Modality in ('MR', 'CT')", True),
        ("Modality not in ['MR', 'PT']", True),
        ("StudyDate >= '20260101' and StudyDate < '20270101'", True),
        ("SeriesDescription contains 'H60'", True),
        ("SeriesDescription matches 'Head*'", True),
        ("PatientComments", False),
        ("PatientID", False),
        ("PatientID == ''", False),
        ("PatientID != 'x'", True),
        ("not Rows or Modality == 'CT'", True),
        ("not (Rows and Modality == 'CT')", False),
        ("Modality == 'MR' or Rows == 512 and SliceThickness == 1.25", True),
        ("Modality == 512", False),
    ],
)
def test_parse_expression_decides(text, expected):
    assert parse_expression(text)(FILE) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected an attribute"),
        ("Modality ==", "a text in quotes"),
        ("Modality = 'CT'", "wrong at"),
        ("Modality == CT", "a text in quotes"),
        ("Modalty == 'CT'", "unknown attribute `Modalty`"),
        ("(Rows", "expected `\\)`"),
        ("Rows Columns", "the end"),
        ("Rows not 5", "`in`"),
        ("__import__('os')", "wrong at"),
        ("(" * 60 + "Rows", "nested deeper"),
    ],
)
def test_parse_expression_wrong_text_is_a_usage_error(text, message):
    with pytest.raises(UsageError, match=message):
        parse_expression(text)
