"""What a rule is asked about, and what it answers.

A rule of the scope ``instance`` is a function from an `Instance` to `Hit`
values. It looks at raw bytes and decoded values alike, changes nothing, and
puts no value that may identify a person into a message: that goes into
`Hit.value`, which is shown on request only.
"""

from __future__ import annotations

from dataclasses import field
from functools import cached_property
from typing import NamedTuple

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.records import record
from imgconv.standard.elements import find_keyword

__all__ = ["Hit", "Instance", "name_tag"]


class Hit(NamedTuple):
    """One place where a rule is broken.

    `message` is the same for equal mistakes, so that reports can count them;
    `severity` overrides the rule's own, empty if it does not.
    """

    rule: str
    message: str
    tag: str = ""
    value: str = ""
    severity: str = ""


def name_tag(tag: int) -> str:
    """Return the keyword of a tag, or its number if it has none."""
    return find_keyword(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@record(frozen=False, slots=False, eq=False)
class Instance:
    """One DICOM file as rules see it.

    Parameters
    ----------
    tree
        Everything that could be read, and the problems of its encoding.
    edition
        The edition of the standard that the tables follow.
    """

    tree: Tree
    edition: str = "2026b"
    shared: dict[str, object] = field(default_factory=dict)

    @property
    def meta(self) -> Item | None:
        """The file meta information, None if there is none."""
        return self.tree.meta

    @property
    def dataset(self) -> Item:
        """The data set."""
        return self.tree.dataset

    @cached_property
    def sop_class(self) -> str:
        """The SOP Class UID; the file meta's where the data set has none."""
        found = self.dataset.text(0x00080016)
        return found or (self.meta.text(0x00020002) if self.meta is not None else "")

    @cached_property
    def elements(self) -> tuple[Element, ...]:
        """All elements of the data set, nested ones included."""
        return tuple(self.dataset.walk())

    @cached_property
    def is_truncated(self) -> bool:
        """Whether reading stopped before the end, so that absence proves nothing."""
        return self.tree.has_problem("truncated", "unknown-vr", "delimiter", "depth", "deflate")
