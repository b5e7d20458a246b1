"""Outputs that belong together: flushed together, placed all or none."""

from __future__ import annotations

import pytest

from imgconv.core.options import Overwrite
from imgconv.core.staging import flush_all, place_all, staging_folder
from imgconv.errors import OutputError


def test_flush_all_leaves_files_as_they_are(tmp_path):
    paths = [tmp_path / str(n) for n in range(3)]
    for path in paths:
        path.write_bytes(b"x")
    flush_all(paths)
    assert [path.read_bytes() for path in paths] == [b"x"] * 3


def test_flush_all_of_a_missing_file_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        flush_all([tmp_path / "none"])


def test_place_all_undoes_what_it_placed_when_a_target_exists(tmp_path):
    with staging_folder(tmp_path / "out") as staging:
        for name in ("a", "b"):
            (staging / name).write_text("new")
        (tmp_path / "out" / "b").write_text("old")
        moves = [(staging / name, tmp_path / "out" / name) for name in ("a", "b")]
        with pytest.raises(OutputError, match="exists already"):
            place_all(moves, Overwrite.NEVER)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"]
    assert (tmp_path / "out" / "b").read_text() == "old"
