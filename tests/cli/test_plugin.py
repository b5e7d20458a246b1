"""A format of another distribution is listed, converts and keeps the contract."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parent / "plugin"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "data"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The environment of a process that sees the plug-in installed."""
    source = tmp_path_factory.mktemp("plugin") / "source"
    shutil.copytree(PLUGIN, source)
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--no-build-isolation", "--no-index", "--target", str(target), str(source)]
    subprocess.run(command, check=True)
    return {**os.environ, "PYTHONPATH": str(target)}


def run(environment, *words):
    command = [sys.executable, "-m", "imgconv", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_plugin_is_listed(environment):
    done = run(environment, "formats", "--json")
    assert done.returncode == 0, done.stderr
    specs = {spec["name"]: spec for spec in json.loads(done.stdout)}
    assert specs["pgmstack"]["provider"] == "imgconv-pgmstack"
    assert specs["pgmstack"]["reads"]
    assert specs["pgmstack"]["writes"]


def test_plugin_converts_there_and_back(environment, tmp_path):
    done = run(environment, "convert", FIXTURES / "ct", "-o", tmp_path / "a", "--to", "pgmstack")
    assert done.returncode == 0, done.stderr
    written = tmp_path / "a" / "002_Chest.pgms"
    assert written.read_bytes().startswith(b"PGMSTACK")
    done = run(environment, "convert", written, "-o", tmp_path / "b", "--to", "nifti")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "b" / "002_Chest.nii.gz").is_file()


def test_plugin_refuses_what_it_cannot_hold(environment, tmp_path):
    done = run(environment, "convert", FIXTURES / "colour", "-o", tmp_path, "--to", "pgmstack")
    assert done.returncode == 4
    assert "holds grey samples only" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_plugin_keeps_the_contract(environment):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["--pyargs", "imgconv.testing"]
    chosen = {**environment, "IMGCONV_CONTRACT_FORMATS": "pgmstack"}
    done = subprocess.run(command, env=chosen, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
