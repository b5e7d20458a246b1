"""What a long operation tells while it runs.

The library emits events to a `Listener` and prints nothing itself; the
command line turns them into a progress bar or JSON lines.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from imgconv.records import record

__all__ = ["Event", "EventKind", "Listener", "ignore_events"]


class EventKind(StrEnum):
    """The kinds of event."""

    PHASE = "phase"  # a phase begins: scan, plan, convert ...; `total` items follow
    STEP = "step"  # one item of the phase is finished
    WARNING = "warning"  # something the user should know
    ERROR = "error"  # an item failed, the rest goes on
    INFO = "info"  # detail for -v


@record
class Event:
    """One thing that happened.

    `message` is free of values that may identify a person. `item` names a
    file or series; `total` is the number of items of a phase, 0 if unknown;
    `size_bytes` is how much input a step has dealt with. `hint` is a way out of an error.
    """

    kind: EventKind
    message: str = ""
    item: str = ""
    total: int = 0
    size_bytes: int = 0
    hint: str = ""


Listener = Callable[[Event], None]


def ignore_events(event: Event) -> None:
    """Do nothing: the listener of those who do not listen."""
