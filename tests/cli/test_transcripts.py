"""Run the commands in the transcripts beside this file, and compare what they print.

In a block ``console``, a line ``$ imgconv ...`` is run in a folder that holds
the fixtures. Below it stand stdout, stderr (``! `` in front), and the exit
code (``? 3``) if it is not 0. Each file is one session.
"""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from imgconv.cli import main

HERE = Path(__file__).parent
FIXTURES = HERE.parents[1] / "fixtures" / "data"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def commands(text):
    """Yield each command with the lines below it."""
    for block in BLOCK.findall(text):
        command, lines = None, []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command is not None:
                    yield command, lines
                command, lines = line[2:], []
            else:
                lines.append(line)
        yield command, lines


def transcript(code, out, err):
    lines = [line.rstrip() for line in out.splitlines()]
    lines += [f"! {line}" for line in err.splitlines()]
    return [*lines, *([f"? {code}"] if code else [])]


@pytest.mark.parametrize("path", sorted(HERE.glob("*.md")), ids=lambda path: path.stem)
def test_transcript(path, tmp_path, monkeypatch, capsys):
    for folder in FIXTURES.iterdir():
        shutil.copytree(folder, tmp_path / folder.name)
    monkeypatch.chdir(tmp_path)
    for command, expected in commands(path.read_text(encoding="utf-8")):
        program, *words = shlex.split(command)
        assert program == "imgconv"
        code = main(words)
        out, err = capsys.readouterr()
        assert transcript(code, out, err) == expected, command
