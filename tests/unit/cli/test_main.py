import json
from pathlib import Path

import pytest

from imgconv import __version__
from imgconv.cli import COMMANDS, main, printable
from imgconv.errors import CorruptData
from imgconv.exitcodes import ExitCode

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def run(capsys, *words):
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_version_is_printed(capsys):
    assert run(capsys, "--version") == (0, f"imgconv {__version__}\n", "")


def test_help_names_every_command(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(f"  {name} " in out for name in COMMANDS)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["convert"], "Missing argument"),
        (["convert", "x"], "Missing option '--output'"),
        (["convert", "x", "-o", "y", "--foo"], "No such option: --foo"),
        (["convert", "x", "-o", "y", "--merge", "foo"], "'foo' is not one of"),
        (["convert", "x", "-o", "y", "--level", "10"], "10"),
    ],
)
def test_usage_errors_are_one_line_and_a_hint(capsys, words, message):
    code, out, err = run(capsys, *words)
    assert code == ExitCode.USAGE
    assert out == ""
    first, second = err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith("hint: see `imgconv")


def test_without_words_the_help_goes_to_stderr(capsys):
    code, out, err = run(capsys)
    assert (code, out) == (ExitCode.USAGE, "")
    assert "Usage:" in err


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            CorruptData("bad `3`", path="a\x1b[31m.dcm", hint="h"),
            4,
            "error: a\\x1b[31m.dcm: bad `3`\nhint: h\n",
        ),
        (KeyboardInterrupt(), 130, "interrupted\n"),
        (MemoryError(), 4, "error: there is not enough memory\n"),
    ],
)
def test_errors_become_exit_codes(capsys, monkeypatch, error, code, message):
    def fail(words):
        raise error

    monkeypatch.setattr("imgconv.cli._run", fail)
    assert run(capsys, "x") == (code, "", message)


def test_a_bug_shows_no_data(capsys, monkeypatch):
    def fail(words):
        raise ValueError("Doe^Jane")

    monkeypatch.delenv("IMGCONV_DEBUG", raising=False)
    monkeypatch.setattr("imgconv.cli._run", fail)
    code, out, err = run(capsys, "x")
    assert (code, out) == (70, "")
    assert err.startswith("error: internal error `ValueError` at ")
    assert "Doe" not in err


def test_printable_escapes_control_characters():
    assert printable("a\x1b[31m\nb\u202eé") == "a\\x1b[31m\\nb\\u202eé"


def test_convert_prints_a_row_for_every_group_of_files(capsys, tmp_path):
    code, out, err = run(capsys, "convert", FIXTURES / "ct", FIXTURES / "bad", "-o", tmp_path)
    assert code == ExitCode.SOME_FAILED
    lines = out.splitlines()
    assert lines[0] == f"inputs below {FIXTURES}/"
    assert lines[2].split() == ["input", "files", "status", "shape", "output", "or", "reason"]
    assert any(line.startswith("ct/*") and " 4 " in line and "002_Chest.nii.gz" in line for line in lines)
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


def test_nothing_that_identifies_a_person_is_printed(capsys, tmp_path):
    for words in (
        ["convert", FIXTURES / "ct", FIXTURES / "bad", "-o", tmp_path, "-v"],
        ["convert", FIXTURES / "ct", "-o", tmp_path, "--json"],
        ["inspect", FIXTURES],
        ["inspect", FIXTURES, "--json"],
    ):
        _, out, err = run(capsys, *words)
        for secret in ("Fixture^Canary", "Canary", "CANARY42", "19700102", "20200102"):
            assert secret not in out + err


def test_inspect_shows_the_series_and_on_request_the_patient(capsys):
    code, out, _ = run(capsys, "inspect", FIXTURES / "ct", "--show-phi")
    assert code == 0
    assert "12x12x4" in out
    assert "1.25x1.5x3" in out
    assert "RLE Lossless" in out
    assert "PatientID = CANARY42" in out


def test_inspect_of_nothing_is_none_done(capsys, tmp_path):
    (tmp_path / "x.txt").write_text("text")
    code, out, _ = run(capsys, "inspect", tmp_path)
    assert code == ExitCode.NONE_DONE
    assert "1 file skipped: no image format is recognised" in out


def test_formats_lists_what_each_can_hold(capsys):
    code, out, _ = run(capsys, "formats")
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("nifti "))
    assert row.split()[1:3] == ["rw", "4D"]
    assert "gradients" in row
