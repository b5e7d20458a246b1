import os
import subprocess

import pytest

from imgconv.cli import COMMANDS


def complete(*words: str) -> list[str]:
    """Return what bash would be offered for the last of the words."""
    asked = {
        "_IMGCONV_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["imgconv", *words]),
        "COMP_CWORD": str(len(words)),
    }
    run = subprocess.run(
        ["imgconv"], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    assert run.stderr == ""
    return run.stdout.split()


def test_commands_are_completed():
    assert complete("") == list(COMMANDS)
    assert complete("tr") == ["transcode", "transfer-syntaxes"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["transcode", "--ti"], ["--timeout"]),
        (["transcode", "--to", "jpeg2"], ["jpeg2000", "jpeg2000-lossy"]),
        (["transcode", "in", "--verify", "f"], ["fast", "full"]),
        (["convert", "--to", "np"], ["npy", "npz"]),
        (["convert", "--as", "photo"], ["photo"]),
        (["convert", "--transfer-syntax", "rl"], ["rle"]),
        (["validate", "--profile", "tcia"], ["tcia-submission"]),
        (["validate", "--profile", "unknown"], []),
    ],
)
def test_options_and_their_values_are_completed(words, expected):
    assert complete(*words) == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_is_shown(shell):
    asked = {"_IMGCONV_COMPLETE": f"source_{shell}"}  # as `--show-completion` in that shell
    run = subprocess.run(
        ["imgconv"], env=os.environ | asked, capture_output=True, text=True, check=True
    )
    assert f"_IMGCONV_COMPLETE=complete_{shell}" in run.stdout
