"""The command line of validation: exit codes, both streams, no trace of values."""

import json

import pytest
from tests.unit.rules import objects

from imgconv.cli import main


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "good.dcm").write_bytes(objects.encode_file(objects.ct()))
    bad = objects.ct() | {"SOPInstanceUID": "1.2.3", "PatientName": "A=B=C=Secret"}
    (folder / "bad.dcm").write_bytes(objects.encode_file(bad))
    return folder


def test_findings_exit_1_and_good_files_exit_0(data, capsys):
    assert main(["validate", str(data / "good.dcm"), "--jobs", "1"]) == 0
    assert "1 file checked, 0 with findings" in capsys.readouterr().out
    assert main(["validate", str(data / "bad.dcm"), "--jobs", "1"]) == 1
    out = capsys.readouterr().out
    assert "error: V010 (0010,0010)" in out
    assert "Secret" not in out


def test_json_goes_to_stdout_and_counts_to_stderr(data, capsys):
    assert main(["validate", str(data), "--format", "json", "--jobs", "1", "--single"]) == 1
    streams = capsys.readouterr()
    assert {row["file"] for row in json.loads(streams.out)} == {"bad.dcm"}
    assert "2 files checked" in streams.err


def test_show_phi_shows_values(data, capsys):
    main(["validate", str(data / "bad.dcm"), "--show-phi", "--jobs", "1"])
    assert "Secret" in capsys.readouterr().out


def test_reports_are_written_as_files(data, tmp_path):
    reports = [f"--report={name}:{tmp_path / name}" for name in ("sarif", "junit", "html", "text")]
    assert main(["validate", str(data), *reports, "-q", "--jobs", "1"]) == 1
    for name in ("sarif", "junit", "html", "text"):
        assert "V010" in (tmp_path / name).read_text()


@pytest.mark.parametrize("report", ["sarif", "sarif:", "pdf:x", "text:{folder}"])
def test_what_is_no_report_is_a_usage_error(report, data, tmp_path, capsys):
    argument = report.format(folder=tmp_path)
    assert main(["validate", str(data), "--report", argument]) == 2
    assert "report" in capsys.readouterr().err


def test_a_baseline_is_written_and_used(data, tmp_path):
    known = tmp_path / "known.json"
    command = ["validate", str(data), "-q", "--jobs", "1"]
    assert main([*command, "--write-baseline", str(known), "--fail-on", "never"]) == 0
    assert main([*command, "--baseline", str(known)]) == 0
    assert "Secret" not in known.read_text()


def test_usage_errors(data, capsys):
    assert main(["validate", str(data), "--profile", "nothing"]) == 2
    assert main(["validate", str(data), "--select", "Q9"]) == 2
    assert main(["validate", str(data / "gone")]) == 4
    assert "unknown profile" in capsys.readouterr().err


def test_diff_tells_and_writes_nothing(data, capsys):
    before = sorted(path.read_bytes() for path in data.iterdir())
    main(["validate", str(data), "--diff", "-q", "--jobs", "1"])
    assert sorted(path.read_bytes() for path in data.iterdir()) == before
    assert "Secret" not in capsys.readouterr().err


def test_fix_writes_mended_copies(data, tmp_path):
    target = tmp_path / "fixed"
    (data / "bad.dcm").write_bytes(objects.encode_file(objects.ct() | {"StudyDate": "2020-03-10"}))
    assert main(["validate", str(data), "--fix", str(target), "-q", "--jobs", "1"]) == 1
    assert main(["validate", str(target / "bad.dcm"), "-q", "--jobs", "1"]) == 0


def test_rules_lists_and_explains(capsys):
    assert main(["rules"]) == 0
    assert "M001" in capsys.readouterr().out
    assert main(["rules", "missing-type-1"]) == 0
    assert "source: PS3.5" in capsys.readouterr().out
    assert main(["rules", "Q001"]) == 2


def test_profile_list_show_test_and_init(data, tmp_path, capsys):
    assert main(["profile", "list"]) == 0
    assert main(["profile", "show", "research"]) == 0
    assert "RE001" in capsys.readouterr().out
    assert main(["profile", "test", "research"]) == 0
    draft = tmp_path / "site.yaml"
    assert main(["profile", "init", "site", "--from", str(data), "-o", str(draft)]) == 0
    assert "Secret" not in draft.read_text()
    command = ["validate", str(data / "good.dcm"), "-p", str(draft), "-q", "--jobs", "1"]
    assert main(command) == 0


def test_profile_diff_tells_what_differs(tmp_path, capsys):
    path = tmp_path / "site.yaml"
    path.write_text("profile: site\nextends: [research]\nseverity: {G004: warning, X001: off}\n")
    assert main(["profile", "diff", "research", str(path), "--json"]) == 0
    rows = {row["id"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == {"G004", "X001"}
    assert (rows["G004"]["first"], rows["G004"]["second"]) == ("error", "warning")
    assert rows["X001"]["change"] == "only first"
    assert main(["profile", "diff", "research", "research"]) == 0
    assert "same rules" in capsys.readouterr().out
    assert main(["profile", "diff", "research"]) == 2


def test_profile_diff_tells_rules_of_other_content(tmp_path, capsys):
    paths = []
    for number, keyword in enumerate(("KVP", "EchoTime")):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(f"profile: a\nrules:\n  - {{id: A1, require: [{keyword}]}}\n")
    assert main(["profile", "diff", *map(str, paths)]) == 0
    assert "EchoTime required (differs)" in capsys.readouterr().out


def test_profile_test_tells_what_failed(tmp_path, capsys):
    path = tmp_path / "site.yaml"
    path.write_text(
        "profile: site\nrules:\n  - {id: S1, require: [Rows]}\n"
        "tests:\n  - {name: empty, data: {Rows: 4}, expect: [S1]}\n"
    )
    assert main(["profile", "test", str(path)]) == 1
    assert "did not break S1" in capsys.readouterr().out
