"""A header gets the file beside it, and no other."""

from __future__ import annotations

import pytest

from imgconv.errors import CorruptData
from imgconv.formats._data_files import find_data_file


def test_find_data_file_takes_the_one_beside_the_header(tmp_path):
    (tmp_path / "a.raw").write_bytes(b"x")
    assert find_data_file(tmp_path / "a.nhdr", "a.raw", "data file") == tmp_path / "a.raw"


@pytest.mark.parametrize(
    "name",
    [
        "../a.raw",
        "/etc/hostname",
        "sub/a.raw",
        "..\\a.raw",
        "a\0.raw",
        "",
        ".",
        "..",
        "out.raw",
        "none.raw",
        "x" * 5000,
        "circle.raw",
    ],
)
def test_find_data_file_refuses_everything_else(tmp_path, name):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for path in (tmp_path / "a.raw", folder / "sub" / "a.raw"):
        path.write_bytes(b"x")
    (folder / "out.raw").symlink_to(tmp_path / "a.raw")
    (folder / "circle.raw").symlink_to("circle.raw")
    with pytest.raises(CorruptData, match="`data file`"):
        find_data_file(folder / "a.nhdr", name, "data file")
