"""Remove what killed writers have left in the folders of outputs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from imgconv.core import staging
from imgconv.core.atomic import sweep_temporaries

__all__ = ["Sweeper", "sweep_folders"]

_REMEMBERED = 1024  # folders; bounded, for a plan with a folder for each output


def sweep_folders(folders: Iterable[Path]) -> None:
    """Remove unfinished files and staging folders whose writers are no more."""
    for folder in folders:
        sweep_temporaries(folder)
        staging.sweep(folder)


class Sweeper:
    """Sweeps each folder when it is first seen."""

    def __init__(self) -> None:
        self._seen: set[Path] = set()

    def visit(self, folders: Iterable[Path]) -> None:
        """Sweep those of `folders` that have not been visited."""
        fresh = [folder for folder in folders if folder not in self._seen]
        if len(self._seen) + len(fresh) > _REMEMBERED:
            self._seen.clear()
        self._seen.update(fresh)
        sweep_folders(fresh)
