import os
import signal
import subprocess
import sys
import threading

import pytest

from imgconv.core.interrupts import terminate_like_interrupt

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


ENDING = [signal.SIGTERM] + ([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])


def send(number):
    with terminate_like_interrupt():
        os.kill(os.getpid(), number)
        signal.pause()


@pytest.mark.parametrize("number", ENDING)
def test_signal_that_ends_becomes_an_interrupt_and_is_as_before_afterwards(number):
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt):
            send(number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, before)


@pytest.mark.parametrize("number", ENDING)
def test_signal_that_is_ignored_stays_so(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with terminate_like_interrupt():
            assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_nested_blocks_leave_the_outer_one_in_force():
    with terminate_like_interrupt():
        outer = signal.getsignal(signal.SIGTERM)
        with terminate_like_interrupt():
            pass
        assert signal.getsignal(signal.SIGTERM) is outer


def test_a_handler_of_the_caller_stays():
    def handler(signum, frame):
        pass

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with terminate_like_interrupt():
            assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_other_threads_are_left_alone():
    seen = []

    def enter():
        with terminate_like_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]


# In a process of its own: the test runner's threads would take the signal, masks are per thread.
HELD_BACK = """
import os, signal, subprocess, sys
from imgconv.core.interrupts import hold_interrupts_back

try:
    with hold_interrupts_back():
        os.kill(os.getpid(), signal.SIGINT)
        code = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
        child = subprocess.run([sys.executable, "-c", code], check=False).returncode
        print("child", child, flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_held_back_interrupt_comes_at_the_end_and_to_no_child():
    done = subprocess.run(
        [sys.executable, "-c", HELD_BACK], capture_output=True, text=True, check=False
    )
    assert done.stdout.split("\n") == ["child 0", "interrupted", ""]
