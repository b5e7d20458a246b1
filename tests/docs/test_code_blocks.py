"""Code of the documentation is run: Python block after block, in a folder with its inputs."""

import re
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


def test_profile_of_the_tutorial_passes_its_own_tests(tmp_path, capsys):
    page = (ROOT / "docs/validate/site-profile.md").read_text()
    (block,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "chest-ct.yaml").write_text(block)
    assert main(["profile", "test", str(tmp_path / "chest-ct.yaml")]) == 0
    assert "pass " in capsys.readouterr().out
