import json
import os
from pathlib import Path

import pytest
from tests.unit.rules import objects

from imgconv.core.finding import Severity
from imgconv.errors import ConfigError, UsageError
from imgconv.exitcodes import ExitCode
from imgconv.ops.baseline import Baseline
from imgconv.ops.profiles import check_examples, describe_profile
from imgconv.ops.validate import ValidateOptions, list_findings, validate
from imgconv.profiles.shipped import PROFILES

ALONE = ValidateOptions(jobs=1)


@pytest.fixture
def series(tmp_path):
    folder = tmp_path / "series"
    folder.mkdir()
    for number, dataset in enumerate(objects.stack()):
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(dataset))
    return folder


def broken(folder, **change):
    dataset = objects.ct() | change
    path = folder / "broken.dcm"
    path.write_bytes(objects.encode_file(dataset))
    return path


def test_a_sound_series_passes(series):
    summary = validate([series], ALONE)
    assert (summary.files, summary.with_findings) == (4, 0)
    assert summary.exit_code is ExitCode.DONE


def test_findings_come_in_the_order_of_the_files(tmp_path):
    for name in ("b.dcm", "a.dcm", "c.dcm"):
        (tmp_path / name).write_bytes(objects.encode_file(objects.ct() | {"StudyDate": "x"}))
    options = ValidateOptions(select=("V010",), jobs=1)
    paths = [finding.path for finding in list_findings([tmp_path], options)]
    assert paths == sorted(paths)
    assert len(paths) == 3


@pytest.mark.parametrize(
    ("fail_on", "change", "code"),
    [
        (Severity.ERROR, {"StudyDate": "x"}, ExitCode.FINDINGS),
        (Severity.ERROR, {"Modality": "MR"}, ExitCode.DONE),
        (Severity.WARNING, {"Modality": "MR"}, ExitCode.FINDINGS),
        (None, {"StudyDate": "x"}, ExitCode.DONE),
    ],
)
def test_fail_on(fail_on, change, code, tmp_path):
    path = broken(tmp_path, **change)
    assert validate([path], ValidateOptions(fail_on=fail_on, jobs=1)).exit_code is code


def test_select_and_ignore(tmp_path):
    path = broken(tmp_path, StudyDate="x", Modality="MR")
    only = list_findings([path], ValidateOptions(select=("V",), jobs=1))
    assert {finding.rule for finding in only} == {"V010"}
    rest = list_findings([path], ValidateOptions(ignore=("malformed-value",), jobs=1))
    assert {finding.rule for finding in rest} == {"X011"}
    with pytest.raises(UsageError, match="unknown rule"):
        validate([path], ValidateOptions(select=("Q",)))


def test_a_baseline_accepts_what_is_known(tmp_path):
    path = broken(tmp_path, StudyDate="x")
    known = Baseline()
    for finding in list_findings([path], ALONE):
        known.add(finding)
    known.write(tmp_path / "baseline.json")
    options = ValidateOptions(baseline=tmp_path / "baseline.json", jobs=1)
    summary = validate([path], options)
    assert (summary.known, summary.exit_code) == (1, ExitCode.DONE)
    broken(tmp_path, StudyDate="x", StudyTime="y")
    summary = validate([path], options)
    assert (summary.known, summary.exit_code) == (1, ExitCode.FINDINGS)


def test_what_is_no_baseline_is_refused(tmp_path):
    (tmp_path / "b.json").write_text("[1]")
    with pytest.raises(ConfigError, match="no baseline"):
        validate([broken(tmp_path)], ValidateOptions(baseline=tmp_path / "b.json"))


def test_no_value_is_reported_unless_asked_for(tmp_path):
    path = broken(tmp_path, PatientName="A=B=C=Secret", PatientID="Secret" * 20)
    for shown in (False, True):
        options = ValidateOptions(show_values=shown, jobs=1)
        text = repr(list_findings([path], options))
        assert ("Secret" in text) is shown


def test_an_unreadable_file_is_a_finding(tmp_path, monkeypatch):
    path = broken(tmp_path)
    from imgconv.errors import InputError
    from imgconv.ops import check_files

    def refuse(path):
        raise InputError("cannot be read: permission denied", path=path)

    monkeypatch.setattr(check_files, "read_tree", refuse)
    (finding,) = list_findings([path], ALONE)
    assert finding.rule == "F014"


def test_hostile_files_stop_nothing(tmp_path):
    data = objects.encode_file(objects.ct())
    for number in range(60):
        mutated = bytearray(data)
        for place in range(number, len(mutated), 61):
            mutated[place] ^= 0xFF
        (tmp_path / f"{number}.dcm").write_bytes(mutated)
    (tmp_path / "empty.dcm").touch()
    (tmp_path / "link.dcm").symlink_to(tmp_path / "gone")
    summary = validate([tmp_path], ALONE)
    assert summary.files == 61


def test_several_profiles_add_up(tmp_path):
    (tmp_path / "a.yaml").write_text("profile: a\nrules:\n  - {id: A1, require: [PatientWeight]}\n")
    (tmp_path / "b.yaml").write_text(
        "profile: b\nrules:\n  - {id: B1, group: series, same: [KVP], count: {min: 5}}\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    for number, dataset in enumerate(objects.stack()):
        changed = dataset | {"KVP": "80"} if number == 2 else dataset
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(changed))
    profiles = (str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    findings = list_findings([folder], ValidateOptions(profiles=profiles, jobs=1))
    assert sorted(f.rule for f in findings) == ["A1"] * 4 + ["B1"] * 2
    assert {f.path for f in findings if f.tag == "(0018,0060)"} == {str(folder / "2.dcm")}


def test_rules_about_frames_and_about_series_do_not_mix(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "profile: a\nrules:\n  - {id: A1, group: frames, same: [ImagePositionPatient]}\n"
    )
    (tmp_path / "b.yaml").write_text(
        "profile: b\nrules:\n  - {id: B1, group: series, same: [KVP]}\n"
    )
    folder = tmp_path / "in"
    folder.mkdir()
    for number, dataset in enumerate(objects.stack()):
        changed = dataset | {"KVP": "80"} if number == 2 else dataset
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(changed))
    profiles = (str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    options = ValidateOptions(profiles=profiles, select=("A1", "B1"), jobs=1)
    summary = validate([folder], options)
    assert (summary.rules, summary.related, summary.with_findings) == ({"B1": 1}, 1, 0)


def test_a_group_rule_asks_for_geometry(tmp_path):
    profile = tmp_path / "a.yaml"
    rule = "{id: A1, group: series, geometry: {no_gaps: true, orthogonal: true}}"
    profile.write_text(f"profile: a\nseverity: {{G: off}}\nrules:\n  - {rule}\n")
    folder = tmp_path / "in"
    folder.mkdir()
    options = ValidateOptions(profiles=(str(profile),), select=("A1",), jobs=1)
    for number, dataset in enumerate(objects.stack(5)):
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(dataset))
    assert list_findings([folder], options) == []
    (folder / "2.dcm").unlink()
    (finding,) = list_findings([folder], options)
    assert (finding.rule, finding.severity, finding.tag) == ("A1", "error", "(0020,0032)")


@pytest.mark.parametrize(("tolerance", "found"), [("0.05", True), ("0.5", False)])
def test_a_group_rule_asks_for_even_distances(tolerance, found, tmp_path):
    profile = tmp_path / "a.yaml"
    rule = f"{{id: A1, group: series, geometry: {{uniform_spacing: {tolerance}}}}}"
    profile.write_text(f"profile: a\nrules:\n  - {rule}\n")
    folder = tmp_path / "in"
    folder.mkdir()
    for number, dataset in enumerate(objects.stack(5)):
        shift = 0.1 if number == 2 else 0.0
        moved = dataset | {"ImagePositionPatient": ["0", "0", str(2.5 * number + shift)]}
        (folder / f"{number}.dcm").write_bytes(objects.encode_file(moved))
    options = ValidateOptions(profiles=(str(profile),), select=("A1",), jobs=1)
    assert bool(list_findings([folder], options)) is found


@pytest.mark.parametrize("spec", PROFILES, ids=lambda spec: spec.name)
def test_shipped_profiles_pass_their_own_tests(spec):
    described = describe_profile(spec.name)
    assert described["rules"]
    if described["rules"][0]["id"].startswith("AI") or spec.name in ("research", "ml-dataset"):
        assert all(result.passed for result in check_examples(spec.name))


def test_workers_give_the_same_findings(series):
    broken(series, SOPInstanceUID="1.2.3", StudyDate="x")
    alone = list_findings([series], ALONE)
    together = list_findings([series], ValidateOptions(jobs=2))
    assert alone == together


@pytest.mark.data
def test_defect_corpus():
    root = Path(os.environ.get("IMGCONV_TEST_DATA") or "nowhere", "defects")
    if not root.is_dir():
        pytest.skip("IMGCONV_TEST_DATA has no defect corpus")
    labels = json.loads((root / "labels.json").read_text())
    missed, false = [], []
    for case, label in labels.items():
        profile = "deidentified" if label["profile"] == "de-identified" else "dicom"
        options = ValidateOptions(profiles=(profile,), jobs=1)
        findings = list_findings([root / case], options)
        if label["defect"] is None:
            false += [f for f in findings if f.severity is Severity.ERROR]
            continue
        tags = {finding.tag[-11:].strip("()").replace(",", "") for finding in findings}
        if not findings or (label["tags"] and not tags.intersection(label["tags"])):
            missed.append(case)
    assert false == []
    assert len(missed) <= 4


def test_a_check_that_takes_too_long_is_a_finding(tmp_path):
    for number in range(2):
        (tmp_path / f"{number}.dcm").write_bytes(objects.encode_file(objects.ct()))
    options = ValidateOptions(jobs=1, timeout_s=1e-6, related=False)
    findings = list_findings([tmp_path], options)
    assert [(f.rule, f.severity, f.path) for f in findings] == [
        ("F016", "error", str(tmp_path / f"{number}.dcm")) for number in range(2)
    ]
