"""The exit codes of every command, the same with `--json`."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """What a command's exit status means."""

    DONE = 0
    FINDINGS = 1  # findings at or above --fail-on
    USAGE = 2  # usage, configuration, or a missing extra
    SOME_FAILED = 3  # some inputs failed, others were done
    NONE_DONE = 4  # no input could be done
    OUTPUT = 5  # output could not be written
    INTERNAL = 70  # a bug of imgconv (EX_SOFTWARE of sysexits.h)
    INTERRUPTED = 130  # 128 + SIGINT
    BROKEN_PIPE = 141  # 128 + SIGPIPE
