"""Derive a draft profile from good examples: a protocol template.

What all examples of a SOP class and modality have becomes required; values
that never differ become fixed; numbers become ranges. Attributes that identify
a person, a place or an instance are left out, and so is all free text.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imgconv.dicom.elements import Element, Item
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import ImgconvError, InputError, UsageError
from imgconv.standard.confidentiality import find_action
from imgconv.standard.elements import find_keyword
from imgconv.standard.sop_classes import find_name

__all__ = ["learn_profile"]

_SCOPE = (0x00080016, 0x00080060)
_MAX_VALUES = 8
# Acquisition parameters whose values make a protocol; others are only required to be there.
_PROTOCOL_GROUPS = {0x0018, 0x0028}
_FIXED_TAGS = {0x00080008, 0x00080060, 0x00080070, 0x00081090}
_VARYING = {0x00281050, 0x00281051, 0x00280106, 0x00280107, 0x00181150, 0x00181151, 0x00181152}
_NUMERIC = {"DS", "IS", "US", "SS", "FL", "FD", "UL", "SL"}
_MARGIN = 0.05  # a range is wider than the examples by this part of their values


@dataclass(slots=True)
class _Seen:
    """What the examples have at one tag."""

    count: int = 0
    values: Counter[tuple[str, ...]] = field(default_factory=Counter)
    numbers: list[tuple[float, ...]] = field(default_factory=list)
    vr: str = ""


@dataclass(slots=True)
class _Group:
    """The examples of one SOP class and modality."""

    count: int = 0
    tags: dict[int, _Seen] = field(default_factory=lambda: defaultdict(_Seen))


def learn_profile(name: str, folders: Sequence[Path], *, jobs: int = 0) -> str:
    """Return the text of a draft profile, as YAML.

    Parameters
    ----------
    name
        Its name.
    folders
        Folders, or files, with good examples.
    jobs
        Not used yet: reading headers is quick.

    Raises
    ------
    UsageError
        The name is none.
    InputError
        There is no DICOM file in the folders.
    """
    del jobs
    if not name.replace("-", "").replace("_", "").isalnum():
        raise UsageError(f"`{name}` is no name; expected letters, digits and hyphens")
    groups: dict[tuple[str, str], _Group] = defaultdict(_Group)
    for path in _iter_files(folders):
        try:
            dataset = read_tree(path).dataset
        except ImgconvError:
            continue
        _learn(groups[dataset.text(_SCOPE[0]), dataset.text(_SCOPE[1])], dataset)
    if not groups:
        raise InputError("no DICOM file to learn from", path=folders[0])
    return "\n".join(_write(name, groups)) + "\n"


def _iter_files(folders: Iterable[Path]) -> Iterable[Path]:
    for folder in folders:
        if not folder.exists():
            raise InputError("no such file or folder", path=folder)
        if folder.is_file():
            yield folder
        else:
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _learn(group: _Group, dataset: Item) -> None:
    group.count += 1
    for tag, element in dataset.elements.items():
        if tag >> 16 & 1 or tag >= 0x7FE00000 or element.is_empty or tag in _SCOPE:
            continue
        if find_keyword(tag) is None or find_action(tag) is not None:
            continue  # identifies somebody or something, by PS3.15 table E.1-1
        seen = group.tags[tag]
        seen.count += 1
        seen.vr = element.vr
        if element.items is None and len(seen.values) <= _MAX_VALUES:
            seen.values[tuple(str(value) for value in element.values())] += 1
        if element.vr in _NUMERIC:
            _widen(seen, element)


def _widen(seen: _Seen, element: Element) -> None:
    """Keep the smallest and the largest number of all examples."""
    numbers = element.item.numbers(element.tag)
    if numbers:
        low, high = min(numbers), max(numbers)
        if seen.numbers:
            low, high = min(low, seen.numbers[0][0]), max(high, seen.numbers[0][1])
        seen.numbers = [(low, high)]


def _write(name: str, groups: dict[tuple[str, str], _Group]) -> Iterable[str]:
    total = sum(group.count for group in groups.values())
    yield f"profile: {name}"
    yield f"title: Draft, derived from {total} examples"
    yield "version: 1"
    yield "extends: [dicom]"
    yield "rules:"
    number = 0
    for (sop_class, modality), group in sorted(groups.items()):
        scope = f'{{SOPClassUID: "{sop_class}", Modality: "{modality}"}}'
        yield f"  # {find_name(sop_class) or sop_class}: {group.count} examples"
        for lines in _rules(group):
            number += 1
            yield f"  - id: L{number:03d}"
            yield f"    for: {scope}"
            yield from lines


def _rules(group: _Group) -> Iterable[list[str]]:
    always = [tag for tag, seen in sorted(group.tags.items()) if seen.count == group.count]
    names = [find_keyword(tag) or "" for tag in always]
    if names:
        yield [f"    require: [{', '.join(names)}]"]
    for tag in always:
        seen, keyword = group.tags[tag], find_keyword(tag)
        if tag in _VARYING or (tag >> 16 not in _PROTOCOL_GROUPS and tag not in _FIXED_TAGS):
            continue
        if len(seen.values) == 1 and seen.vr in ("CS", "US", "LO", "SH"):
            values = next(iter(seen.values))
            words = ", ".join(_quote(value) for value in dict.fromkeys(values))
            if words and "*" not in words:
                yield [f"    tag: {keyword}", f"    values: [{words}]", "    level: warning"]
        elif seen.numbers and seen.vr in ("DS", "IS", "FD", "FL"):
            low, high = seen.numbers[0]
            margin = _MARGIN * max(abs(low), abs(high))
            limits = f"{{ge: {low - margin:g}, le: {high + margin:g}}}"
            yield [f"    tag: {keyword}", f"    range: {limits}", "    level: warning"]


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
