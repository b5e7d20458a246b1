"""Time commands as whole processes."""

from __future__ import annotations

import resource
import subprocess
import time
from collections.abc import Sequence

__all__ = ["measure"]


def measure(command: Sequence[str], *, check: bool = True) -> tuple[float, float]:
    """Return wall and processor seconds of a command.

    Parameters
    ----------
    check
        Whether an exit code other than 0 raises `subprocess.CalledProcessError`.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=check, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
