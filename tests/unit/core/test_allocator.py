"""Tests of the memory that workers keep."""

from __future__ import annotations

import subprocess
import sys

import pytest

_SCRIPT = """
import resource, sys
import numpy as np
from imgconv.core.allocator import keep_freed_memory
kept = keep_freed_memory() if sys.argv[1] == "kept" else True
sys.exit(77) if not kept else None
def work():
    for _ in range(100):
        np.ones(1 << 17, np.uint64) + np.ones(1 << 17, np.uint64)
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_not_cleared_again_for_the_next_frame() -> None:
    command = [sys.executable, "-c", _SCRIPT]
    kept = subprocess.run([*command, "kept"], capture_output=True, text=True, check=False)
    if kept.returncode == 77:
        pytest.skip("this C library has no mallopt")
    usual = subprocess.run([*command, "usual"], capture_output=True, text=True, check=True)
    assert int(kept.stdout) * 10 < max(int(usual.stdout), 1000)
