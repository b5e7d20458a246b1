import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from imgconv import __version__
from imgconv.cli import COMMANDS, main
from imgconv.errors import CorruptData
from imgconv.exitcodes import ExitCode


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


def test_closed_streams_are_no_bug(tmp_path):
    script = "import sys; from imgconv.cli import main; sys.exit(main(['formats']))"
    command = f'"{sys.executable}" -c "{script}" >&- 2>&-'
    assert subprocess.run(command, shell=True, check=False).returncode == 0


def test_help_names_every_command_with_its_own_help(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == ExitCode.DONE
    listed = dict(line.split(maxsplit=1) for line in out.splitlines() if line.startswith("  "))
    for name, reference in COMMANDS.items():
        module, _, function = reference.partition(":")
        first = getattr(import_module(module), function).__doc__.splitlines()[0]
        assert first.startswith(listed[name].rstrip(".")[:30])


@pytest.mark.parametrize(
    "words",
    [
        ["convert", "{ct}", "-o", "{long}"],
        ["convert", "{long}", "-o", "{out}"],
        ["transcode", "{ct}", "-o", "{long}", "--to", "rle"],
        ["standardize", "{long}", "-o", "{out}"],
        ["validate", "{ct}", "--profile", "{long}"],
        ["convert", "{ct}", "-o", "{out}", "--to", "dicom", "--reference", "{long}"],
    ],
)
def test_a_name_that_no_system_can_have_is_the_callers_mistake(tmp_path, capsys, words):
    ct = Path(__file__).parents[3] / "fixtures" / "data" / "ct"
    names = {"ct": ct, "long": "n" * 300, "out": tmp_path / "out"}
    code, out, err = run(capsys, *(word.format(**names) for word in words))
    assert (code, out) == (ExitCode.USAGE, "")
    assert err.startswith("error: n")
    assert err.endswith("n: the name is too long\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_report_that_cannot_be_written_is_an_output_error(stream):
    words = [sys.executable, "-m", "imgconv", "transfer-syntaxes"]
    if stream == "stderr":
        words += ["--nonsense"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: full}
        done = subprocess.run(words, **streams, text=True, check=False)
    if stream == "stderr":
        assert done.returncode == ExitCode.USAGE  # told by nothing else
    else:
        assert done.returncode == ExitCode.OUTPUT
        assert done.stderr == ("error: the report cannot be written: No space left on device\n")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize("words", [("transfer-syntaxes",), ("rules", "--json")])
def test_a_reader_that_leaves_ends_the_command_like_sigpipe(words):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "imgconv", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (ExitCode.BROKEN_PIPE, "")
