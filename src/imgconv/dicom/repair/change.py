"""What a repair did to a data set, or could not do."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from imgconv.dicom.elements import Element, Item
from imgconv.dicom.repair.encode import encode_items
from imgconv.records import record
from imgconv.standard.elements import find_keyword

__all__ = ["Change", "empty_sequence", "ensure", "remove", "replace_value", "skipped"]


@record
class Change:
    """One thing that was changed, or that should be and could not.

    Parameters
    ----------
    name
        Kebab-case name of the repair: ``date-with-separators``.
    tag
        Tag path: ``(0008,0020)``, ``(0040,0275)[0].(0040,0007)``.
    before, after
        What kind of value was there and is there now, never the value itself.
        `after` is empty if nothing was done.
    reason
        Why, for a person.
    source
        The section that demands it: ``PS3.5 6.2``.
    original
        The bytes that were there, if the new value does not tell them; kept
        in the data set's Original Attributes Sequence, in no report.
    original_tag
        Whose they were.
    """

    name: str
    tag: str
    before: str
    after: str
    reason: str
    source: str
    original: bytes | None = field(default=None, repr=False)
    original_tag: int = 0

    @property
    def is_done(self) -> bool:
        """Whether the data set was changed."""
        return bool(self.after)

    def to_json(self) -> dict[str, Any]:
        """Return the report's record, without any value."""
        return {
            "name": self.name,
            "tag": self.tag,
            "keyword": _keyword_of(self.tag),
            "done": self.is_done,
            "before": self.before,
            "after": self.after,
            "reason": self.reason,
            "source": self.source,
        }


def _keyword_of(path: str) -> str:
    last = path.rpartition(".")[2].partition("[")[0]
    digits = last.strip("()").replace(",", "")
    try:
        return find_keyword(int(digits, 16)) or ""
    except ValueError:
        return ""


def skipped(name: str, path: str, before: str, reason: str, source: str) -> Change:
    """Return the record of what is wrong and was left as it is."""
    return Change(name, path, before, "", reason, source)


def ensure(
    item: Item, tag: int, vr: str, value: bytes, *, name: str, reason: str, source: str
) -> Change:
    """Add an element, or fill an empty one; return the record."""
    old = item.get(tag)
    before = "absent" if old is None else "empty"
    item.elements[tag] = Element(item, tag, vr, value, vr)
    after = "filled" if value else "present, empty"
    return Change(name, item.path_to(tag), before, after, reason, source)


def replace_value(
    element: Element,
    value: bytes,
    *,
    name: str,
    before: str,
    after: str,
    reason: str,
    source: str,
    keep: bool = False,
) -> Change:
    """Give an element another value; return the record.

    Parameters
    ----------
    keep
        The old bytes cannot be told from the new ones: remember them.
    """
    original = bytes(element.value) if keep else None
    fresh = Element(element.item, element.tag, element.vr, value, element.vr)
    element.item.elements[element.tag] = fresh
    return Change(
        name,
        element.path,
        before,
        after,
        reason,
        source,
        original,
        element.tag if keep else 0,
    )


def remove(
    element: Element, *, name: str, before: str, reason: str, source: str, keep: bool = False
) -> Change:
    """Take an element out of its data set; return the record."""
    del element.item.elements[element.tag]
    return Change(
        name,
        element.path,
        before,
        "removed",
        reason,
        source,
        _bytes_of(element) if keep else None,
        element.tag if keep else 0,
    )


def empty_sequence(element: Element, *, name: str, before: str, reason: str, source: str) -> Change:
    """Take all items out of a sequence, which stays; return the record, which keeps them."""
    original = _bytes_of(element)
    element.items = []
    return Change(
        name, element.path, before, "empty", reason, source, original, element.tag
    )  # fmt: skip


def _bytes_of(element: Element) -> bytes:
    """Return the value as bytes: of a sequence, its items in explicit VR little endian."""
    if element.items is not None:
        return b"".join(encode_items(element.items, b""))
    return bytes(element.value)
