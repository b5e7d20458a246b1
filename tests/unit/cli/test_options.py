import io
import os
from pathlib import Path

import pytest

from imgconv.cli import main
from imgconv.cli.options import read_lists, split_names
from imgconv.errors import InputError


def test_split_names_takes_commas_and_repetition():
    assert split_names(["a, b", "c", ""]) == {"a", "b", "c"}
    assert split_names([]) == frozenset()


def test_read_lists_takes_paths_from_files_and_stdin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.txt").write_bytes(b"a b.dcm\n\nc\xff.dcm\r\n")
    (tmp_path / "@own").touch()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"d\ne\n")))
    found = read_lists(["x", "@list.txt", "-", "@own", "@"])
    assert found == ["x", "a b.dcm", os.fsdecode(b"c\xff.dcm"), "d", "e", "@own", "@"]


def test_read_lists_names_a_list_that_is_not_there():
    with pytest.raises(InputError, match=r"nowhere\.txt: the list of inputs cannot be read"):
        read_lists(["@nowhere.txt"])


def test_a_failed_list_goes_back_in(tmp_path, capsys):
    source = Path(__file__).parents[3] / "fixtures" / "data"
    left = tmp_path / "left.txt"
    words = ["convert", str(source / "ct"), str(source / "bad" / "jpeg.dcm"), "-q"]
    assert main([*words, "-o", str(tmp_path / "a"), "--failed-list", str(left)]) == 3
    capsys.readouterr()
    assert main(["convert", f"@{left}", "-o", str(tmp_path / "b"), "-q"]) == 4
    assert "jpeg.dcm" in capsys.readouterr().err


def test_an_empty_list_is_an_error(tmp_path, capsys):
    (tmp_path / "empty.txt").touch()
    assert main(["convert", f"@{tmp_path / 'empty.txt'}", "-o", str(tmp_path / "out")]) == 4
    assert capsys.readouterr().err == "error: the list of inputs holds no path\n"


def test_read_lists_separated_by_nul_may_hold_line_breaks(tmp_path):
    (tmp_path / "list").write_bytes(b"a\nb.dcm\0c.dcm\0")
    assert read_lists([f"@{tmp_path / 'list'}"]) == ["a\nb.dcm", "c.dcm"]
