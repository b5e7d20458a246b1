"""What a rule about several files answers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["RelationHit"]


class RelationHit(NamedTuple):
    """One place where a rule about a series, study or set is broken.

    `path` is the file to look at first. `severity` overrides the rule's own.
    """

    rule: str
    message: str
    path: str
    tag: str = ""
    severity: str = ""
