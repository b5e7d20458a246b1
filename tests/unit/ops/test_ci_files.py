"""The commands that the CI files call, run as they stand there."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.unit.rules import objects

ROOT = Path(__file__).parents[3]


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "good.dcm").write_bytes(objects.encode_file(objects.ct()))
    bad = objects.ct() | {"StudyDate": "x", "SOPInstanceUID": "1.2.3"}
    (folder / "bad.dcm").write_bytes(objects.encode_file(bad))
    return tmp_path


def run(command, folder, **variables):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path} | variables,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_github_action_calls_a_script_that_annotates(images):
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    script = action["runs"]["steps"][-1]["run"].replace("$GITHUB_ACTION_PATH", str(ROOT))
    result = run(
        ["bash", "-c", script], images,
        INPUT_PATH="data", INPUT_PROFILE="dicom", INPUT_FAIL_ON="error", INPUT_SARIF="out.sarif",
    )  # fmt: skip
    assert result.returncode == 1
    assert "::error file=data/bad.dcm,title=V010::" in result.stdout
    assert json.loads((images / "out.sarif").read_text())["version"] == "2.1.0"


def test_gitlab_snippet_writes_its_artefacts(images):
    snippet = yaml.safe_load((ROOT / "ci" / "gitlab-validate.yml").read_text())
    job = snippet[".imgconv-validate"]
    command = next(line for line in job["script"] if line.startswith("imgconv"))
    result = run(["bash", "-c", command], images, IMAGES="data", PROFILE="dicom")
    assert result.returncode == 1
    assert (images / job["artifacts"]["reports"]["junit"]).is_file()
    assert (images / job["artifacts"]["paths"][0]).is_file()


def test_pre_commit_hook_fails_on_a_bad_file_only(images):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for name, code in (("good", 0), ("bad", 1)):
        result = run([*shlex.split(hook["entry"]), f"data/{name}.dcm"], images)
        assert result.returncode == code
        assert ("V010" in result.stdout) is bool(code)
