"""Find the data file that a header names, in the header's own folder and nowhere else."""

from __future__ import annotations

from pathlib import Path

from imgconv.errors import CorruptData

__all__ = ["find_data_file"]


def find_data_file(header: Path, name: str, field: str) -> Path:
    """Return the file called `name` beside `header`.

    Parameters
    ----------
    field
        What the header calls it, for messages.

    Raises
    ------
    CorruptData
        The name has a folder in it or is none at all, or the file is a link
        to elsewhere or missing.
    """
    outside = CorruptData(f"`{field}` names a file outside the header's folder")
    path = header.parent / name
    if Path(name).name != name or "\\" in name or "\0" in name:
        raise outside
    try:
        if path.resolve().parent != header.parent.resolve():
            raise outside
        if path.is_file():
            return path
    except (OSError, RuntimeError) as error:  # too long, or links in a circle
        raise CorruptData(f"`{field}` names a file that cannot be found") from error
    raise CorruptData(f"`{field}` names a file that is not there")
