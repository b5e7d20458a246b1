"""Tag paths of profiles: ``SegmentSequence[*].SegmentLabel``, ``**.PatientName``.

A step is a keyword or ``gggg,eeee``; ``[n]`` picks an item, ``[*]`` or nothing
takes each; ``**`` in front means at any depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from imgconv.dicom.elements import Element, Item
from imgconv.standard.elements import find_tag

__all__ = ["Place", "Step", "find_places", "parse_path"]

_STEP = re.compile(r"(\*\*|[A-Za-z]\w*|[0-9A-Fa-f]{4},[0-9A-Fa-f]{4})(?:\[(\*|\d+)\])?")


class Step(NamedTuple):
    """One step: a tag, -1 for any depth; the item's number, None for each."""

    tag: int
    item: int | None


class Place(NamedTuple):
    """Where a path leads to: an item, and the element if it is there."""

    item: Item
    element: Element | None
    tag: int

    @property
    def path(self) -> str:
        """The tag path, as findings show it."""
        return self.item.path_to(self.tag)


@lru_cache(maxsize=4096)
def parse_path(path: str) -> tuple[Step, ...]:
    """Parse a tag path.

    Raises
    ------
    ValueError
        It is none; the text says why.
    """
    steps = []
    for part in path.split("."):
        found = _STEP.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"`{part}` is no step of a tag path")
        name = found[1]
        if name == "**":
            steps.append(Step(-1, None))
            continue
        tag = int(name.replace(",", ""), 16) if "," in name else find_tag(name)
        if tag is None:
            raise ValueError(f"unknown keyword `{name}`")
        steps.append(Step(tag, None if found[2] in (None, "*") else int(found[2])))
    if not steps or steps[-1].tag < 0:
        raise ValueError(f"`{path}` ends nowhere")
    return tuple(steps)


def find_places(root: Item, path: str) -> Iterator[Place]:
    """Iterate over the places that a path leads to; absent elements have the place too.

    A sequence that is absent or empty on the way gives one place, at itself,
    with no element; with ``**`` only what is there is found.
    """
    yield from _walk(root, parse_path(path))


def _walk(item: Item, steps: tuple[Step, ...]) -> Iterator[Place]:
    step, rest = steps[0], steps[1:]
    if step.tag < 0:
        yield from _search(item, rest)
        return
    element = item.get(step.tag)
    if not rest:
        yield Place(item, element, step.tag)
        return
    items = element.items if element is not None else None
    if not items or (step.item is not None and step.item >= len(items)):
        yield Place(item, None, step.tag)
        return
    for inner in items if step.item is None else items[step.item : step.item + 1]:
        yield from _walk(inner, rest)


def _search(item: Item, steps: tuple[Step, ...]) -> Iterator[Place]:
    if steps[0].tag in item.elements:
        yield from _walk(item, steps)
    for element in item.elements.values():
        for inner in element.items or ():
            yield from _search(inner, steps)
