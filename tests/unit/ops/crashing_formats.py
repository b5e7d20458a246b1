"""Readers of formats that no one should have; workers import them by name."""

import os
import signal
import time


def die(source, options):
    os.kill(os.getpid(), signal.SIGSEGV)
    yield


def hang(source, options):
    time.sleep(600)
    yield
