"""Tests of where workers come from."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import threading

import pytest

from imgconv.batch.preload import can_fork, open_handles, worker_context

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


def test_worker_context_is_no_plain_fork_unless_asked_for() -> None:
    assert worker_context(()).get_start_method() in ("forkserver", "spawn")


def test_worker_context_beside_a_thread_is_no_fork() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert not can_fork()
        assert worker_context((), fork=True).get_start_method() in ("forkserver", "spawn")
    finally:
        ended.set()
        thread.join()


_FORK = """
import os, sys
from imgconv.batch.preload import worker_context

context = worker_context(("wave", "no_such_module"), fork=True)
process = context.Process(target=lambda: print("wave" in sys.modules, os.getppid()))
process.start()
process.join()
print(os.getpid())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a fork is safe on Linux only")
def test_worker_context_fork_imports_here_and_copies() -> None:
    done = subprocess.run([sys.executable, "-c", _FORK], capture_output=True, text=True, check=True)
    had_module, parent, here = done.stdout.split()
    assert had_module == "True"
    assert parent == here


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_open_handles_lists_what_is_open(tmp_path) -> None:
    before = open_handles()
    with (tmp_path / "file").open("wb") as file:
        assert set(open_handles()) == {*before, file.fileno()}


@pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no forkserver"
)
def test_start_early_workers_come_from_the_server_that_was_started(tmp_path) -> None:
    script = tmp_path / "script.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "False"]
    assert not done.stderr
