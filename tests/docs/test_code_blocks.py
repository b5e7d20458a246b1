"""Code of the documentation is run: Python block after block, in a folder with its inputs."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from imgconv.cli import main

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures" / "data"
PAGES = ["docs/library.md", "docs/tutorial.md", "README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    shutil.copytree(FIXTURES / "ct", tmp_path / "scan")
    shutil.copytree(FIXTURES / "dwi", tmp_path / "others")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks, "the page has no Python"
    names = {"__name__": "__main__"}
    for block in blocks:
        exec(compile(block, page, "exec"), names)


def _site_profile(page):
    """Return the profile of the tutorial, with the rule that a later block shows."""
    profile, rule = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    before, after = profile.split("tests:\n")
    return f"{before}{rule}tests:\n{after}"


def test_commands_of_the_profile_tutorial_run(tmp_path, monkeypatch, capsys):
    page = (ROOT / "docs/validate/site-profile.md").read_text()
    for folder in ("good", "incoming"):
        shutil.copytree(FIXTURES / "ct", tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^    imgconv (.*)", page, re.MULTILINE)
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command, comments=True)
        code = main(words)
        output = capsys.readouterr().out
        if words[:2] == ["profile", "init"]:
            assert "profile: chest-ct" in Path("chest-ct.yaml").read_text()
            Path("chest-ct.yaml").write_text(_site_profile(page))
        if words[0] == "validate":
            assert code == 1, "the examples are no chest CT"
            assert "CC001" in output
        else:
            assert code == 0, command
        assert "FAIL" not in output
