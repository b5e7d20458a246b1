"""Run the rules that profiles bring along on one file."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Sequence
from fnmatch import fnmatchcase

from imgconv.core.expression import parse_expression
from imgconv.dicom.elements import Element, Item
from imgconv.profiles.frames import check_frames
from imgconv.profiles.model import PixelRule, Profile, ProfileRule, Scope, TagTest
from imgconv.profiles.paths import Place, find_places
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.rules.pixels import check_pixels
from imgconv.standard.codes import find_group
from imgconv.standard.elements import find_tag

__all__ = ["applies", "check_profile", "look_up"]

_BEYOND_STORED = "P010"


def check_profile(profile: Profile, instance: Instance) -> Iterator[Hit]:
    """Run a profile's own rules about single files."""
    for rule in profile.rules:
        is_single = rule.group is None or rule.group.level == "frames"
        if is_single and applies(rule.scope, instance.dataset):
            yield from _check_rule(rule, instance)


def look_up(dataset: Item, keyword: str) -> Sequence[str | float] | None:
    """Return the values of a keyword or ``gggg,eeee`` in the data set, None if absent."""
    tag = int(keyword.replace(",", ""), 16) if "," in keyword else find_tag(keyword)
    element = dataset.get(tag) if tag is not None else None
    return None if element is None else _values(element)


def _values(element: Element) -> list[str | float]:
    if element.items is not None:
        return ["item"] * len(element.items)
    if element.fragments is not None or element.vr in ("OB", "OW", "UN"):
        return [] if element.is_empty else ["bytes"]
    return list(element.values())


class _Values:
    """The data set as conditions see it."""

    __slots__ = ("_dataset",)

    def __init__(self, dataset: Item) -> None:
        self._dataset = dataset

    def get(self, keyword: str | int, /) -> Sequence[str | float] | None:
        """Return the values of an attribute, None if it is absent."""
        tag = find_tag(keyword) if isinstance(keyword, str) else keyword
        element = self._dataset.get(tag) if tag is not None else None
        return None if element is None else _values(element)


def applies(scope: Scope, dataset: Item) -> bool:
    """Whether a rule is about this data set."""
    for keyword, patterns in scope.values.items():
        values = [str(value) for value in look_up(dataset, keyword) or ()]
        if not any(fnmatchcase(value, pattern) for value in values for pattern in patterns):
            return False
    return not scope.when or parse_expression(scope.when)(_Values(dataset))


def _check_rule(rule: ProfileRule, instance: Instance) -> Iterator[Hit]:
    for test in rule.tests:
        for place in find_places(instance.dataset, test.path):
            yield from _check_place(rule, test, place, instance.dataset)
    syntax = instance.tree.transfer_syntax
    if syntax and rule.transfer_syntaxes and not _matches_any(syntax, rule.transfer_syntaxes):
        message = rule.message or "the transfer syntax is not one that the profile allows"
        yield Hit(rule.id, message, "(0002,0010)", syntax)
    if rule.sop_classes and not _matches_any(instance.sop_class, rule.sop_classes):
        message = rule.message or "the SOP class is not one that the profile allows"
        yield Hit(rule.id, message, "(0008,0016)", instance.sop_class)
    if rule.pixels is not None:
        yield from _check_pixels(rule, rule.pixels, instance)
    if rule.group is not None:
        yield from check_frames(rule, rule.group, instance.dataset)
    if rule.privacy is not None:
        from imgconv.profiles.phi import find_identity  # its patterns take 5 ms to compile

        for hit in find_identity(rule.privacy, instance):
            yield Hit(rule.id, rule.message or hit.message, hit.tag, hit.value)


def _matches_any(value: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in patterns)


def _check_place(rule: ProfileRule, test: TagTest, place: Place, root: Item) -> Iterator[Hit]:
    name, element = name_tag(place.tag), place.element
    if element is None or element.is_empty:
        state = "missing" if element is None else "empty"
        bad = test.presence == "required" or (test.presence == "type2" and element is None)
        if bad:
            yield Hit(rule.id, rule.message or f"{name} is {state}", place.path)
        return
    if test.presence == "forbidden":
        yield Hit(rule.id, rule.message or f"{name} is not allowed here", place.path)
        return
    wrong = _find_wrong(test, place, root)
    if wrong:
        value = "\\".join(str(v) for v in element.values())[:80]
        yield Hit(rule.id, rule.message or f"{name} {wrong}", place.path, value)


def _find_wrong(test: TagTest, place: Place, root: Item) -> str:
    """Return what is wrong with a value that is there, empty if nothing is."""
    element = place.element
    if element is None:
        return ""
    texts = [str(value) for value in element.values()]
    count = len(element.items) if element.items is not None else len(texts)
    if count < test.count_min or (test.count_max is not None and count > test.count_max):
        return "has a number of values that the profile does not allow"
    if test.values and not all(_matches_any(text, test.values) for text in texts):
        return f"is not one of {', '.join(test.values[:8])}"
    if test.forbidden_values and any(_matches_any(t, test.forbidden_values) for t in texts):
        return "has a value that the profile forbids"
    if test.regex is not None and not all(test.regex.search(text) for text in texts):
        return f"does not match `{test.regex.pattern}`"
    if test.equals:
        others = [p.element.values() for p in find_places(root, test.equals) if p.element]
        if element.values() not in others:
            return f"is not the same as {test.equals}"
    return _find_wrong_kind(test, element) or _find_wrong_number(test, place)


def _find_wrong_kind(test: TagTest, element: Element) -> str:
    if test.vrs and element.held_vr not in test.vrs:
        return f"is not of the type {' or '.join(test.vrs)}"
    if test.code is not None and not _has_code(element.items or (), {test.code}):
        return f"has no item with the code {':'.join(test.code)}"
    group = test.context_group
    if group is not None and not _has_code(element.items or (), find_group(group)):
        return f"has no code of the context group {group}"
    return ""


def _has_code(items: Sequence[Item], codes: Collection[tuple[str, str]]) -> bool:
    return any((item.text(0x00080102), item.text(0x00080100)) in codes for item in items)


def _find_wrong_number(test: TagTest, place: Place) -> str:
    limits = (test.above, test.at_least, test.below, test.at_most)
    if not test.near and all(limit is None for limit in limits):
        return ""
    numbers = place.item.numbers(place.tag)
    if not numbers:
        return "is no number"
    if test.near and (
        len(numbers) != len(test.near)
        or any(abs(a - b) > test.tolerance for a, b in zip(numbers, test.near, strict=True))
    ):
        return f"differs from {', '.join(f'{n:g}' for n in test.near)} by more than allowed"
    for limit, holds, words in (
        (test.above, operator.gt, "above"),
        (test.at_least, operator.ge, "at least"),
        (test.below, operator.lt, "below"),
        (test.at_most, operator.le, "at most"),
    ):
        if limit is not None and not all(holds(number, limit) for number in numbers):
            return f"must be {words} {limit:g}"
    return ""


def _check_pixels(rule: ProfileRule, pixels: PixelRule, instance: Instance) -> Iterator[Hit]:
    dataset, path = instance.dataset, "(7FE0,0010)"
    frames = dataset.integer(0x00280008) or 1
    if frames < pixels.min_frames or (pixels.max_frames is not None and frames > pixels.max_frames):
        message = rule.message or "the number of frames is not what the profile allows"
        yield Hit(rule.id, message, "(0028,0008)")
    if pixels.within_stored:
        for hit in check_pixels(instance):
            if hit.rule == _BEYOND_STORED:
                yield Hit(rule.id, rule.message or hit.message, hit.tag)
    if not (pixels.decodable or pixels.not_constant) or 0x7FE00010 not in dataset.elements:
        return
    from imgconv.profiles.decode import check_decoding

    problem = check_decoding(instance, want_varied=pixels.not_constant)
    if problem:
        yield Hit(rule.id, rule.message or problem, path)
