import pytest

from imgconv.errors import ConfigError
from imgconv.profiles.document import parse_document
from imgconv.profiles.grades import grade_rules
from imgconv.profiles.load import load_profile, parse_profile, resolve_profile
from imgconv.profiles.shipped import PROFILES

MISTAKES = [
    ("profile: a\nrulez: []\n", 2, "rulez", "unknown key"),
    ("profile: a\nrules:\n  - id: A1\n    requir: [Rows]\n", 4, "requir", "unknown key"),
    ("profile: a\nrules:\n  - id: A1\n    require: [Rowz]\n", 4, "require", "Rowz"),
    ("profile: a\nrules:\n  - id: A1\n    tag: Rows\n    range: {gt: x}\n", 5, "gt", "no number"),
    ("profile: a\nrules:\n  - id: A1\n    tag: Rows\n    regex: '('\n", 5, "regex", "no pattern"),
    ("profile: a\nrules:\n  - id: A1\n    when: Rows ==\n    tag: Rows\n", 4, "when", "wrong at"),
    ("profile: a\nrules:\n  - id: A1\n", 3, "rules.0", "asks for nothing"),
    ("profile: a\nrules:\n  - id: a 1\n    require: [Rows]\n", 3, "id", "no id"),
    ("profile: a\nseverity: {M999: error}\n", 2, "M999", "unknown rule"),
    ("profile: a\nseverity: {M001: loud}\n", 2, "M001", "unknown severity"),
    ("profile: a\nedition: 1993\n", 2, "edition", "not installed"),
    ("title: a\n", 1, "profile", "is missing"),
    ("profile: a\nrules:\n  - id: A1\n    values: [x]\n", 4, "values", "needs `tag`"),
    ("profile: a\nrules:\n  - id: A1\n    same: [Rows]\n", 4, "same", "needs `group`"),
    ("profile: a\nrules:\n- {id: A1, geometry: {no_gaps: true}}\n", 3, "geometry", "needs `group`"),
    (
        "profile: a\nrules:\n- {id: A1, group: study, geometry: {no_gaps: true}}\n",
        3, "geometry", "group: series",
    ),
    (
        "profile: a\nrules:\n- {id: A1, group: series, geometry: {no_gaps: 1}}\n",
        3, "no_gaps", "true or false",
    ),
    ("profile: a\nrules:\n- {id: A1, tag: Rows}\n- {id: A1, tag: Rows}\n", 4, "id", "twice"),
    ("profile: a\nprofile: b\n", 2, "profile", "twice"),
    ("profile: a\nrules:\n- id: A1\n  phi: {e1: [all]}\n", 4, "e1.0", "unknown option"),
    ("profile: a\nrules:\n- id: A1\n  phi: {private: no}\n", 4, "private", "safe-list"),
    ("profile: a\nrules:\n- id: A1\n  phi: {text: [mood]}\n", 4, "text", "email"),
    ("profile: a\nrules:\n- id: A1\n  phi: {burned_in: ocr}\n", 4, "burned_in", "flag"),
    ("profile: a\nrules:\n- id: A1\n  phi: {}\n  e1: []\n", 5, "e1", "unknown key"),
    ("profile: a\nrules:\n- {id: A1, tag: Rows, code: CID 99999}\n", 3, "code", "no context group"),
    ("profile: a\nrules:\n- {id: A1, tag: Rows, code: Lung}\n", 3, "code", "CID 4031"),
    ("profile: a\nrules:\n- {id: A1, tag: Rows, type: text}\n", 3, "type", "value representation"),
    ("profile: a\nrules:\n- {id: A1, type: US}\n", 3, "type", "needs `tag`"),
    ("profile: a\nrules:\n- {id: A1, pixel: {range: 0-1}}\n", 3, "range", "bits_stored"),
    (
        "profile: a\nrules:\n- {id: A1, group: frames, different: [Rows]}\n",
        3, "different", "not for frames",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "words"), MISTAKES)
def test_a_mistake_is_named_by_line_and_key(text, line, key, words):
    with pytest.raises(ConfigError) as caught:
        parse_profile(parse_document(text.encode(), "site.yaml"))
    message = str(caught.value)
    assert message.startswith(f"site.yaml:{line}: ")
    assert key in message
    assert words in message


@pytest.mark.parametrize("text", ["a: [", "a: *b\n", "\x00", "&a [*a, *a]"])
def test_what_is_no_yaml_is_refused(text):
    with pytest.raises(ConfigError):
        parse_document(text.encode(), "site.yaml")


def test_toml_says_the_same_as_yaml():
    yaml = b"profile: a\nrules:\n  - id: A1\n    tag: SliceThickness\n    range: {gt: 0}\n"
    toml = b'profile = "a"\n[[rules]]\nid = "A1"\ntag = "SliceThickness"\nrange = { gt = 0 }\n'
    parsed = [
        parse_profile(parse_document(yaml, "a.yaml")),
        parse_profile(parse_document(toml, "a.toml", is_toml=True)),
    ]
    assert parsed[0] == parsed[1]


@pytest.mark.parametrize("spec", PROFILES, ids=lambda spec: spec.name)
def test_shipped_profiles_are_sound(spec):
    profile = resolve_profile(spec.name)
    assert profile.title
    assert profile.source
    assert grade_rules(profile)


def test_an_unknown_profile_is_named():
    with pytest.raises(ConfigError, match="unknown profile `nothing`"):
        load_profile("nothing")


def test_profiles_extend_one_another(tmp_path):
    (tmp_path / "base.yaml").write_text(
        "profile: base\nextends: [dicom]\nseverity: {M: warning}\n"
        "rules:\n  - {id: A1, require: [Rows]}\n  - {id: A2, require: [Columns]}\n"
    )
    (tmp_path / "site.yaml").write_text(
        "profile: site\nextends: [base.yaml]\nseverity: {M001: error, A2: 'off'}\n"
        "rules:\n  - {id: A1, require: [PatientID], level: info}\n"
    )
    profile = resolve_profile(str(tmp_path / "site.yaml"))
    grades = grade_rules(profile)
    assert grades["M001"] == "error"
    assert grades["M002"] == "warning"
    assert grades["A1"] == "info"
    assert "A2" not in grades


def test_a_circle_is_refused(tmp_path):
    (tmp_path / "a.yaml").write_text("profile: a\nextends: [b.yaml]\n")
    (tmp_path / "b.yaml").write_text("profile: b\nextends: [a.yaml]\n")
    with pytest.raises(ConfigError, match="extend each other"):
        resolve_profile(str(tmp_path / "a.yaml"))
