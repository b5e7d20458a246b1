import io
import json
import xml.etree.ElementTree as ET

import pytest
from tests.unit.rules import objects

from imgconv.core.finding import Severity
from imgconv.errors import UsageError
from imgconv.ops.reports import REPORTS, make_report
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.reports.text import format_summary
from imgconv.ops.validate import ValidateOptions, ValidateSummary, validate


@pytest.fixture
def folder(tmp_path):
    for number, dataset in enumerate(objects.stack()):
        changed = dataset | {"StudyDate": "<x>&\"'"} if number < 3 else dataset
        (tmp_path / f"{number}.dcm").write_bytes(objects.encode_file(changed))
    return tmp_path


def report(name, folder, **options):
    stream = io.StringIO()
    context = ReportContext((str(folder),), {"V010": Severity.ERROR, "X002": Severity.ERROR})
    sink = make_report(name, stream, context)
    validate([folder], ValidateOptions(jobs=1, **options), [sink])
    return stream.getvalue()


def test_text_groups_equal_findings(folder):
    text = report("text", folder)
    (line,) = [line for line in text.splitlines() if "V010" in line]
    assert line.startswith("error: V010 (0008,0020)")
    assert "3 files" in line
    assert "4 files checked, 3 with findings" in text


def test_text_says_that_nothing_was_checked():
    assert "nothing to check" in format_summary(ValidateSummary())


def test_json_is_a_list_with_paths_relative_to_the_input(folder):
    rows = json.loads(report("json", folder))
    assert [row["file"] for row in rows if row["rule"] == "V010"] == ["0.dcm", "1.dcm", "2.dcm"]
    assert {row["tag"] for row in rows} == {"00080020"}


def test_json_of_no_findings_is_an_empty_list(folder):
    assert json.loads(report("json", folder, select=("D",))) == []


def test_jsonl_ends_with_the_counts(folder):
    lines = [json.loads(line) for line in report("jsonl", folder).splitlines()]
    assert lines[-1]["summary"]["severities"]["error"] == len(lines) - 1


def test_junit_has_a_case_per_file(folder):
    root = ET.fromstring(report("junit", folder))
    assert root.get("tests") == str(len(root.findall("testcase")))
    assert root.get("failures") == str(len(root.findall("testcase/failure/..")))
    assert len(root.findall("testcase[@classname='file']")) == 4


def test_sarif_has_rules_results_and_fingerprints(folder):
    document = json.loads(report("sarif", folder))
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]
        assert result["level"] in ("error", "warning", "note")


def test_html_escapes_what_it_shows(folder):
    page = report("html", folder, show_values=True)
    assert "&lt;x&gt;" in page
    assert "<x>" not in page


def test_github_writes_one_annotation_per_group(folder):
    lines = report("github", folder).splitlines()
    (line,) = [line for line in lines if "V010" in line]
    assert line.startswith("::error file=")
    assert "(and 2 more files)" in line


@pytest.mark.parametrize("name", REPORTS)
def test_no_report_shows_a_value_unless_asked(name, tmp_path):
    dataset = objects.ct() | {"PatientName": "A=B=C=Secret"}
    (tmp_path / "a.dcm").write_bytes(objects.encode_file(dataset))
    assert "Secret" not in report(name, tmp_path)


@pytest.mark.parametrize("name", REPORTS)
def test_control_characters_of_names_are_escaped(name, tmp_path):
    dataset = objects.ct() | {"StudyDate": "x"}
    (tmp_path / "a\x1b[31m.dcm").write_bytes(objects.encode_file(dataset))
    assert "\x1b" not in report(name, tmp_path)


def test_an_unknown_format_is_refused():
    with pytest.raises(UsageError, match="unknown report format"):
        make_report("xml", io.StringIO(), ReportContext())
