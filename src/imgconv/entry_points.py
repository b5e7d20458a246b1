"""Load what other distributions plug in, at no cost where there is nothing.

`importlib.metadata` takes 10 ms to import and as long to read all
distributions; most installations have no plug-in. So the files that declare
entry points are searched for our groups first. Where that cannot be done,
in archives and for finders of other tools, it is asked right away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["iter_entry_points"]


def iter_entry_points(group: str) -> Iterator[EntryPoint]:
    """Iterate over the entry points of a group."""
    if not _may_exist(group.encode(), tuple(sys.path)):
        return
    from importlib.metadata import entry_points

    yield from entry_points(group=group)


def _may_exist(group: bytes, places: tuple[str, ...]) -> bool:
    if any(
        finder is not PathFinder and hasattr(finder, "find_distributions")
        for finder in sys.meta_path
    ):
        return True
    return any(declared is None or group in declared for declared in map(_declared_in, places))


@cache
def _declared_in(place: str) -> bytes | None:
    """Return all declarations of the distributions in a folder, None if it is to be asked.

    Source
    ------
    Python packaging user guide, "Entry points specification": the file ``entry_points.txt``
    """
    found = []
    try:
        with os.scandir(place or os.curdir) as entries:
            for entry in entries:
                if entry.name.endswith(".egg"):
                    return None
                if entry.name.endswith((".dist-info", ".egg-info")):
                    with suppress(OSError):
                        found.append(Path(entry.path, "entry_points.txt").read_bytes())
    except FileNotFoundError:
        return b""
    except OSError:  # an archive, for instance
        return None
    return b"".join(found)
