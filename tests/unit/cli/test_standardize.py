import shutil

import pydicom
import pytest
from pydicom.data import get_testdata_file

from imgconv.cli import main
from imgconv.exitcodes import ExitCode


@pytest.fixture
def disc(tmp_path):
    """A folder with an image, the same image again, and a DICOMDIR under another name."""
    folder = tmp_path / "disc"
    folder.mkdir()
    for name in ("a.dcm", "b.dcm"):
        shutil.copy(get_testdata_file("CT_small.dcm"), folder / name)
    shutil.copy(get_testdata_file("dicomdirtests/DICOMDIR-reordered"), folder / "index.dcm")
    return folder


def test_report_tells_why_files_were_skipped(disc, tmp_path, capsys):
    assert main(["standardize", str(disc), "-o", str(tmp_path / "out")]) == ExitCode.DONE
    out, err = capsys.readouterr()
    assert "     1 x skipped: the same instance as `a.dcm`\n" in out
    assert "     1 x skipped: a DICOMDIR: make a new one for the new files\n" in out
    assert err.startswith("1 standardized, 1 skipped in ")


def test_a_directory_is_not_made_an_instance(disc, tmp_path, capsys):
    main(["standardize", str(disc), "-o", str(tmp_path / "out"), "-v"])
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.dcm"]
    assert "StudyInstanceUID" in pydicom.dcmread(tmp_path / "out" / "a.dcm")
    assert "index.dcm: skipped: a DICOMDIR" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--enhance", "--split"], "exclude each other"),
        (["--set", "KVP"], "expected KEYWORD=VALUE"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(disc, tmp_path, capsys, words, message):
    target = tmp_path / "out"
    assert main(["standardize", str(disc), "-o", str(target), *words]) == ExitCode.USAGE
    assert message in capsys.readouterr().err
    assert not target.exists()
