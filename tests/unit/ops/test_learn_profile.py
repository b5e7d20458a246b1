import pytest
from tests.unit.rules import objects

from imgconv.errors import InputError, UsageError
from imgconv.ops.learn_profile import learn_profile
from imgconv.profiles.document import parse_document
from imgconv.profiles.load import parse_profile


@pytest.fixture
def examples(tmp_path):
    folder = tmp_path / "good"
    folder.mkdir()
    for number, dataset in enumerate(objects.stack()):
        changed = dataset | {"SliceThickness": str(2 + number / 10), "InstitutionName": "Secret"}
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(changed))
    (folder / "notes.txt").write_text("x")
    return folder


def test_a_draft_is_a_profile_that_its_examples_keep(examples):
    profile = parse_profile(parse_document(learn_profile("site", [examples]).encode(), "a.yaml"))
    assert profile.name == "site"
    thickness = [t for rule in profile.rules for t in rule.tests if t.path == "SliceThickness"]
    (ranged,) = [test for test in thickness if test.at_least is not None]
    assert ranged.at_least < 2.0
    assert ranged.at_most > 2.3


def test_a_draft_holds_nothing_that_identifies(examples):
    text = learn_profile("site", [examples])
    assert "Secret" not in text
    assert "InstitutionName" not in text
    assert "PatientID" not in text
    assert objects.ROOT not in text


def test_nothing_to_learn_from_is_refused(tmp_path):
    with pytest.raises(InputError, match="no DICOM file"):
        learn_profile("site", [tmp_path])
    with pytest.raises(InputError, match="no such file"):
        learn_profile("site", [tmp_path / "gone"])
    with pytest.raises(UsageError, match="no name"):
        learn_profile("a b: c", [tmp_path])
