"""What a command imports before it has something to do: the start-up budget as a list."""

import subprocess
import sys
from pathlib import Path

import pytest

# What `import imgconv` and `--help` stay without: each costs tens of milliseconds or more.
HEAVY = {
    "PIL",
    "SimpleITK",
    "concurrent.futures",
    "highdicom",
    "imagecodecs",
    "importlib.metadata",
    "isal",
    "nibabel",
    "numpy",
    "pebble",
    "pydantic",
    "pydicom",
    "rich",
    "yaml",
}
SCRIPT = """
import sys
from imgconv.cli import main
code = main(sys.argv[1:])
sys.stderr.write("\\n".join(sorted(sys.modules)))
sys.exit(code)
"""


def imported(*words):
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stderr.splitlines())


@pytest.mark.parametrize(
    "words", [["--version"], ["--help"], ["convert", "--help"], ["inspect", "--help"]]
)
def test_help_and_version_import_nothing_heavy(words):
    assert imported(*words) & HEAVY == set()


def test_version_does_not_even_import_typer():
    assert "typer" not in imported("--version")


def test_import_imgconv_imports_nothing_heavy():
    script = "import sys, imgconv; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.splitlines()) & (HEAVY | {"typer"}) == set()


def test_convert_of_dicom_to_nifti_needs_no_library_of_another_format(tmp_path):
    source = Path(__file__).parents[2] / "fixtures" / "data" / "dwi"
    found = imported("convert", str(source), "-o", str(tmp_path), "-q")
    assert found & {"pydicom", "nibabel", "highdicom", "SimpleITK", "PIL", "imagecodecs"} == set()
    assert found & {"secrets", "hmac", "imgconv.batch.engine"} == set()


def test_data_classes_of_convert_are_records():
    script = """
import sys
import imgconv.cli.convert, imgconv.dicom.reader, imgconv.formats.nifti, imgconv.ops.convert
for name, module in list(sys.modules.items()):
    for found in vars(module).values() if name.startswith("imgconv.") else ():
        parameters = getattr(found, "__dataclass_params__", None)
        if isinstance(found, type) and parameters is not None and parameters.init:
            print(found.__module__, found.__qualname__)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ""
