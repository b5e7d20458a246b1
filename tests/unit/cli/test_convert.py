import json
from pathlib import Path

import pytest

from imgconv.cli import main
from imgconv.exitcodes import ExitCode

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def run(capsys, *words):
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_convert_prints_a_row_for_every_group_of_files(capsys, tmp_path):
    code, out, err = run(capsys, "convert", FIXTURES / "ct", FIXTURES / "bad", "-o", tmp_path)
    assert code == ExitCode.SOME_FAILED
    lines = out.splitlines()
    assert lines[0] == f"inputs below {FIXTURES}/"
    assert lines[2].split() == ["input", "files", "status", "shape", "output", "or", "reason"]
    assert any(
        line.startswith("ct/*") and " 4 " in line and "002_Chest.nii.gz" in line for line in lines
    )
    failed = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(failed) == len({line.split(": ")[1] for line in failed}) >= 5
    assert "Traceback" not in err


def test_convert_verbose_prints_a_row_for_every_file(capsys, tmp_path):
    _, out, _ = run(capsys, "convert", FIXTURES / "ct", "-o", tmp_path, "-v")
    assert sum(".dcm" in line for line in out.splitlines()) == 4


def test_convert_quiet_prints_errors_only(capsys, tmp_path):
    code, out, err = run(capsys, "convert", FIXTURES / "bad" / "pixels.dcm", "-o", tmp_path, "-q")
    assert code == ExitCode.NONE_DONE
    assert out == ""
    assert len(err.splitlines()) == 1


def test_convert_json_has_the_same_exit_code(capsys, tmp_path):
    code, out, _ = run(
        capsys, "convert", FIXTURES / "bad", FIXTURES / "ct", "-o", tmp_path, "--json"
    )
    report = json.loads(out)
    assert code == report["exit_code"] == ExitCode.SOME_FAILED
    paths = {file["path"] for file in report["files"]}
    assert {str(path) for path in (FIXTURES / "ct").iterdir()} <= paths


@pytest.mark.parametrize("name", sorted(path.name for path in (FIXTURES / "bad").iterdir()))
def test_convert_of_bad_input_is_one_clear_line(capsys, tmp_path, name):
    out_folder = tmp_path / "out"
    code, _, err = run(capsys, "convert", FIXTURES / "bad" / name, "-o", out_folder)
    assert code == ExitCode.NONE_DONE
    assert err.startswith(f"error: {FIXTURES / 'bad' / name}: ")
    assert len(err.splitlines()) <= 2
    assert not out_folder.exists()


def test_convert_resumes_from_its_journal(capsys, tmp_path):
    words = ("convert", FIXTURES / "ct", FIXTURES / "dwi", "-o", tmp_path / "out")
    assert run(capsys, *words)[0] == ExitCode.DONE
    code, out, _ = run(capsys, *words, "--resume")
    assert code == ExitCode.DONE
    assert out.count("already-done") == 2
    code, out, _ = run(capsys, *words, "--resume", "--dry-run")
    assert out.count("already-done") == 2
    code, out, _ = run(capsys, *words, "--resume", "--no-compress")
    assert "already-done" not in out


def test_convert_of_a_shard_that_has_nothing_is_no_failure(capsys, tmp_path):
    codes = {}
    for shard in ("1/2", "2/2"):
        words = ("convert", FIXTURES / "ct", "-o", tmp_path / "out", "--shard", shard)
        codes[shard], out, err = run(capsys, *words)
        assert "ct/*" in out
        assert err == ""
    assert set(codes.values()) == {ExitCode.DONE}
    assert (tmp_path / "out" / "002_Chest.nii.gz").is_file()


def test_convert_lists_every_input_that_failed(capsys, tmp_path):
    failed = tmp_path / "failed.txt"
    words = ("convert", FIXTURES / "bad", FIXTURES / "ct", "-o", tmp_path / "out")
    code, out, _ = run(capsys, *words, "--failed-list", failed, "--json")
    assert code == ExitCode.SOME_FAILED
    files = {file["path"] for file in json.loads(out)["files"] if file["status"] == "failed"}
    assert set(failed.read_text().splitlines()) == files


@pytest.mark.parametrize("words", [("--shard", "3/2"), ("--executor", "cloud")])
def test_convert_with_senseless_batch_options_is_a_usage_error(capsys, tmp_path, words):
    code, _, err = run(capsys, "convert", FIXTURES / "ct", "-o", tmp_path / "out", *words)
    assert code == ExitCode.USAGE
    assert words[1] in err
    assert not (tmp_path / "out").exists()
