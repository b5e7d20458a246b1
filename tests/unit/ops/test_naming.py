import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.errors import UsageError
from imgconv.ops.naming import DEFAULT_TEMPLATE, NameTaker, NameTemplate, safe_component

VALUES = {
    "SeriesNumber": 3,
    "SeriesDescription": "T1 / MPRAGE: (sag)",
    "PatientName": "Doe^Jane",
    "ImageType": ("ORIGINAL", "PRIMARY"),
    "EchoNumbers": 2.0,
    "Folder": "scan",
    "StudyDateTime": "20200102101112",
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (DEFAULT_TEMPLATE, "003_T1_MPRAGE_sag"),
        ("%s_%d", "3_T1_MPRAGE_sag"),
        ("%4s", "0003"),
        ("%f_%t", "scan_20200102101112"),
        ("{ImageType}", "ORIGINAL_PRIMARY"),
        ("{EchoNumbers}", "2"),
        ("{Modality}_{SeriesNumber}", "3"),
        ("{Modality}", "image"),
        ("{Folder}/{SeriesNumber}/x", "scan/3/x"),
        ("100%%", "100"),
        ("con", "_con"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
    ],
)
def test_fill_makes_safe_relative_names(template, expected):
    assert NameTemplate(template).fill(VALUES.get) == expected


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{Foo}", "no DICOM keyword"),
        ("%y", "placeholder `%y` is unknown"),
        ("{", "unreadable"),
        ("{SeriesNumber:0999}", "unreadable"),
        ("{SeriesNumber!r}", "unreadable"),
        ("{0.__class__}", "unreadable"),
        ("../x", "leads out"),
        ("/x", "leads out"),
        ("a/../x", "leads out"),
        ("a\\b", "leads out"),
    ],
)
def test_template_with_a_mistake_is_a_usage_error(template, message):
    with pytest.raises(UsageError, match=message):
        NameTemplate(template)


def test_default_template_names_no_patient():
    assert not {"PatientName", "PatientID"} & set(NameTemplate().keywords)


@given(st.text(max_size=300))
def test_fill_never_leaves_the_folder_whatever_the_value(value):
    name = NameTemplate("{SeriesDescription}").fill({"SeriesDescription": value}.get)
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith((".", "-"))
    assert name.isprintable()
    assert 0 < len(name.encode()) <= 121
    assert name.split(".")[0].lower() not in {"con", "nul", "com1"}


@given(st.text(max_size=50))
def test_literal_names_are_kept_as_far_as_they_are_safe(name):
    template = NameTemplate.literal(name)
    if "/" not in name and "\\" not in name and name != "..":
        NameTemplate(template).fill(VALUES.get)


def test_safe_component_keeps_letters_of_all_scripts():
    assert safe_component("Schädel 頭") == "Schädel_頭"


def test_name_taker_has_no_end_and_is_blind_to_case():
    taker = NameTaker()
    assert [taker.take("a") for _ in range(60)][-1] == "a_60"
    assert taker.take("A") == "A_61"
    assert taker.take("a_2") == "a_2_2"
