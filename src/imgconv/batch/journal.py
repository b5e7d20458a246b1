"""Where journals are: what makes a run resumable for which nobody asked for a manifest."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from pathlib import Path

from imgconv.batch.plan import Shard

__all__ = ["journal_path", "prune_journals"]

_KEPT_S = 90 * 86400.0  # long enough to come back to a run, short enough not to pile up
_EVERY_S = 86400.0  # looking at 2,000 journals takes 0.1 s
_STAMP = "pruned"


def journal_path(folder: Path, shard: Shard | None = None) -> Path:
    """Return where the journal of runs into `folder` is: in the user's own state folder.

    It is neither among the outputs nor beside them, where it would be litter.
    """
    part = shard or Shard()
    name = f"{folder.absolute()}\n{part.index}/{part.count}"
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()
    return _state_folder() / "runs" / f"{digest[:32]}.jsonl"


def prune_journals(folder: Path) -> None:
    """Remove journals that nobody has touched for a long time; looks once a day."""
    stamp = folder / _STAMP
    with contextlib.suppress(OSError):
        if time.time() - stamp.stat().st_mtime < _EVERY_S:
            return
    with contextlib.suppress(OSError):
        stamp.touch()
        for path in folder.glob("*.jsonl"):
            if time.time() - path.stat().st_mtime > _KEPT_S:
                path.unlink(missing_ok=True)


def _state_folder() -> Path:
    """Return imgconv's folder for what should outlive a run (XDG base directories)."""
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    else:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home) / "imgconv"
