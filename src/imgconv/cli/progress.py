"""Show the events of a long operation on stderr: a bar on a terminal, JSON lines otherwise.

rich is imported only if a bar is drawn.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from imgconv.core.printable import printable
from imgconv.events import Event, EventKind, Listener

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["ProgressMode", "show_progress"]

_EVERY_S = 1.0  # between two lines of progress
_SLOWER = 1.5  # in a log that nobody asked to have progress in, by this factor each time,
_SELDOM_S = 60.0  # until there is a line a minute
_QUIET_S = 2.0  # a run that is over sooner needs no progress in its log
_HINTS = 32  # different hints that are shown, each once


class ProgressMode(StrEnum):
    """How progress is shown."""

    AUTO = "auto"  # a bar on a terminal, now and then a JSON line otherwise
    BAR = "bar"
    JSON = "json"  # every phase, warning and error as a JSON line
    NONE = "none"  # warnings and errors only


@contextmanager
def show_progress(
    mode: ProgressMode = ProgressMode.AUTO, *, verbose: bool = False, stream: TextIO | None = None
) -> Iterator[Listener]:
    """Give a listener that shows what it hears until the block ends.

    Parameters
    ----------
    mode
        How it is shown.
    verbose
        Whether details are shown too.
    stream
        Where to; stderr if None.
    """
    out = sys.stderr if stream is None else stream
    if mode is ProgressMode.AUTO and out.isatty():
        mode = ProgressMode.BAR
    if mode is ProgressMode.BAR:
        with _bar(out) as (bar, write):
            yield _BarView(bar, _Speaker(write, verbose=verbose))
    else:
        yield _LineView(mode, out, _Speaker(_writer(out), verbose=verbose))


class _Speaker:
    """Prints warnings, errors and details for people; each hint once."""

    def __init__(self, write: Callable[[str], None], *, verbose: bool) -> None:
        self._write = write
        self._verbose = verbose
        self._hints: set[str] = set()

    def say(self, event: Event) -> None:
        """Print an event unless it is mere progress."""
        if event.kind in {EventKind.PHASE, EventKind.STEP}:
            return
        if event.kind is EventKind.INFO and not self._verbose:
            return
        place = f"{printable(event.item)}: " if event.item else ""
        self._write(f"{event.kind.value}: {place}{printable(event.message)}")
        if event.hint and event.hint not in self._hints and len(self._hints) < _HINTS:
            self._hints.add(event.hint)
            self._write(f"hint: {printable(event.hint)}")


class _BarView:
    """Draws a bar for each phase: done of total, files and bytes per second, time left."""

    def __init__(self, bar: Progress, speaker: _Speaker) -> None:
        self._bar = bar
        self._speaker = speaker
        self._task: TaskID | None = None
        self._tally = _Tally()

    def __call__(self, event: Event) -> None:
        self._speaker.say(event)
        if event.kind is EventKind.PHASE:
            self._tally = _Tally(event.message, event.total)
            if self._task is not None:
                self._bar.remove_task(self._task)
            total = event.total or None
            self._task = self._bar.add_task(printable(event.message), total=total, rate="")
        elif event.kind is EventKind.STEP and self._task is not None:
            self._tally.add(event)
            self._bar.update(self._task, advance=1, rate=self._tally.rate_text)


class _LineView:
    """Writes JSON lines: from the start, or only if the run takes long."""

    def __init__(self, mode: ProgressMode, out: TextIO, speaker: _Speaker) -> None:
        self._mode = mode
        self._out = out
        self._speaker = speaker
        self._tally = _Tally()
        self._due = 0.0
        self._pause_s = _EVERY_S

    def __call__(self, event: Event) -> None:
        full = self._mode is ProgressMode.JSON
        if event.kind is EventKind.PHASE:
            self._tally = _Tally(event.message, event.total)
            self._due = time.monotonic() + (_EVERY_S if full else _QUIET_S)
            if full:
                self._write({"phase": event.message, "total": event.total}, event)
        elif event.kind is EventKind.STEP:
            self._tally.add(event)
            over = full and self._tally.done == self._tally.total
            if self._mode is not ProgressMode.NONE and (over or time.monotonic() >= self._due):
                self._due = time.monotonic() + self._pause_s
                if not full:
                    self._pause_s = min(self._pause_s * _SLOWER, _SELDOM_S)
                self._write(self._tally.record(), event)
        elif full:
            facts = {"item": event.item, "message": event.message, "hint": event.hint}
            self._write({name: value for name, value in facts.items() if value}, event)
        else:
            self._speaker.say(event)

    def _write(self, facts: dict[str, Any], event: Event) -> None:
        kind = "progress" if event.kind is EventKind.STEP else event.kind.value
        self._out.write(json.dumps({"event": kind, **facts}) + "\n")
        self._out.flush()


class _Tally:
    """Counts the steps of a phase."""

    def __init__(self, phase: str = "", total: int = 0) -> None:
        self.phase = phase
        self.total = total
        self.done = 0
        self._failed = 0
        self._size_bytes = 0
        self._began = time.monotonic()

    def add(self, event: Event) -> None:
        """Count one step."""
        self.done += 1
        self._failed += event.message == "failed"
        self._size_bytes += event.size_bytes

    @property
    def rate_text(self) -> str:
        """Items and bytes per second, for people."""
        seconds = self._seconds
        failed = f" {self._failed} failed" if self._failed else ""
        return f"{self.done / seconds:.1f}/s {self._size_bytes / seconds / 1e6:.1f} MB/s{failed}"

    def record(self) -> dict[str, Any]:
        """Return what has been done, how fast, and when it will be over."""
        seconds = self._seconds
        record = {
            "phase": self.phase,
            "done": self.done,
            "total": self.total,
            "failed": self._failed,
            "size_bytes": self._size_bytes,
            "seconds": round(seconds, 3),
            "items_per_s": round(self.done / seconds, 3),
            "bytes_per_s": round(self._size_bytes / seconds),
        }
        if self.total:
            record["eta_s"] = round((self.total - self.done) * seconds / self.done, 1)
        return record

    @property
    def _seconds(self) -> float:
        return max(time.monotonic() - self._began, 1e-6)


@contextmanager
def _bar(out: TextIO) -> Iterator[tuple[Progress, Callable[[str], None]]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(file=out, markup=False, highlight=False, emoji=False, soft_wrap=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        yield bar, console.print


def _writer(out: TextIO) -> Callable[[str], None]:
    def write(line: str) -> None:
        out.write(line + "\n")

    return write
