"""Tests of where workers come from."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

import pytest

from imgconv.batch.preload import worker_context

_SCRIPT = """
import os, sys
from imgconv.batch.preload import start_early, worker_context

def tell(server):
    print("wave" in sys.modules, os.getppid() == server)

if __name__ == "__main__":
    start_early(("wave",))
    from multiprocessing import forkserver
    server = forkserver._forkserver._forkserver_pid
    process = worker_context(()).Process(target=tell, args=(server,))
    process.start()
    process.join()
    print("wave" in sys.modules)
"""


def test_worker_context_is_never_a_plain_fork() -> None:
    assert worker_context(()).get_start_method() in ("forkserver", "spawn")


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no forkserver"
)
def test_start_early_workers_come_from_the_server_that_was_started(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False"]
    assert not done.stderr
