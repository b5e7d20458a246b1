"""Decide conditions of the standard on a data set: true, false, or not decidable.

An expression is a nested list, as `imgconv.standard.build` describes: ``["+", tag]``
present, ``["++", tag]`` present with a value, ``["-", tag]`` absent, ``["=", tag, [values]]``,
``["!=", ...]``, ``[">", tag, [value]]``, ``["<", ...]``, ``["=>", tag, [tag numbers]]``
points to, ``["!0", tag]`` not zero, ``["and", [...]]``, ``["or", [...]]``. A tag
ends in ``#n`` for the value of index n, counted from 0. What cannot be decided is None, and never
counts as a reason to report anything.

Source
------
PS3.5 7.4.2 and 7.4.4 (types 1C and 2C)
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from imgconv.dicom.elements import Element, Item

__all__ = ["Condition", "Scope", "compile_condition"]

# Conditions ask whether these have a value at all, not whether it is the first: Scanning Sequence,
# Sequence Variant, Shutter Shape, Collimator Shape.
_ANY_VALUE = frozenset({0x00180020, 0x00180021, 0x00181600, 0x00181700})
_SHARED, _PER_FRAME = 0x52009229, 0x52009230


class Scope:
    """Where a condition looks tags up: its own item first, then outwards to the root.

    Parameters
    ----------
    item
        The item that has the conditional attribute.
    own
        Tags that the item itself may have: they are not looked up elsewhere.
    root
        Tags that the data set itself may have. A tag that is found nowhere and
        is in neither cannot be judged.
    """

    __slots__ = ("_item", "_own", "_root")

    def __init__(self, item: Item, own: Collection[int], root: Collection[int]) -> None:
        self._item = item
        self._own = own
        self._root = root

    def find(self, tag: int) -> Element | None:
        """Return the element that the condition means, None if there is none."""
        item: Item | None = self._item
        found = self._item.elements.get(tag)
        if found is not None or tag in self._own:
            return found
        while item is not None:
            found = item.elements.get(tag)
            if found is None and item.tag in (_SHARED, _PER_FRAME):
                found = _find_in_groups(item, tag)
            if found is not None:
                return found
            item = item.parent
        return None

    def knows(self, tag: int) -> bool:
        """Whether the absence of `tag` means something here."""
        return tag in self._own or tag in self._root


def _find_in_groups(item: Item, tag: int) -> Element | None:
    """Look among the functional groups of one frame, then among the shared ones."""
    groups = [item]
    root = item.parent
    if item.tag == _PER_FRAME and root is not None:
        groups.extend(root.items_of(_SHARED)[:1])
    for group in groups:
        for macro in group.elements.values():
            if macro.items:
                found = macro.items[0].elements.get(tag)
                if found is not None:
                    return found
    return None


Condition = Callable[[Scope], bool | None]


def compile_condition(expression: list[Any]) -> Condition:
    """Turn an expression into a function of a `Scope`."""
    operator = expression[0]
    if operator in ("and", "or"):
        parts = [compile_condition(part) for part in expression[1]]
        return _all_of(parts) if operator == "and" else _any_of(parts)
    tag_text, _, number = expression[1].partition("#")
    tag, index = int(tag_text, 16), int(number or 0)
    values = expression[2] if len(expression) > 2 else []
    return _COMPARISONS[operator](tag, index, values)


def _all_of(parts: list[Condition]) -> Condition:
    def decide(scope: Scope) -> bool | None:
        results = [part(scope) for part in parts]
        if False in results:
            return False
        return None if None in results else True

    return decide


def _any_of(parts: list[Condition]) -> Condition:
    def decide(scope: Scope) -> bool | None:
        results = [part(scope) for part in parts]
        if True in results:
            return True
        return None if None in results else False

    return decide


def _is_present(tag: int, _index: int, _values: list[Any]) -> Condition:
    def decide(scope: Scope) -> bool | None:
        if scope.find(tag) is not None:
            return True
        return False if scope.knows(tag) else None

    return decide


def _has_value(tag: int, _index: int, _values: list[Any]) -> Condition:
    def decide(scope: Scope) -> bool | None:
        found = scope.find(tag)
        if found is not None:
            return not found.is_empty
        return False if scope.knows(tag) else None

    return decide


def _is_absent(tag: int, index: int, values: list[Any]) -> Condition:
    present = _is_present(tag, index, values)

    def decide(scope: Scope) -> bool | None:
        result = present(scope)
        return None if result is None else not result

    return decide


def _equals(tag: int, index: int, values: list[Any]) -> Condition:
    wanted = {str(value) for value in values}

    def decide(scope: Scope) -> bool | None:
        found = _values(scope, tag, index)
        if not found:
            element = scope.find(tag)
            if element is not None:
                return "" in wanted
            return False if scope.knows(tag) else None
        return not wanted.isdisjoint(found)

    return decide


def _differs(tag: int, index: int, values: list[Any]) -> Condition:
    unwanted = {str(value) for value in values}

    def decide(scope: Scope) -> bool | None:
        found = _values(scope, tag, index)
        return unwanted.isdisjoint(found) if found else None

    return decide


def _compare(tag: int, index: int, values: list[Any], sign: int) -> Condition:
    limit = float(values[0])

    def decide(scope: Scope) -> bool | None:
        found = _value(scope, tag, index)
        if found is None:
            return False if scope.knows(tag) else None
        try:
            return (float(found) - limit) * sign > 0
        except ValueError:
            return None

    return decide


def _exceeds(tag: int, index: int, values: list[Any]) -> Condition:
    return _compare(tag, index, values, 1)


def _is_below(tag: int, index: int, values: list[Any]) -> Condition:
    return _compare(tag, index, values, -1)


def _points_to(tag: int, _index: int, values: list[Any]) -> Condition:
    wanted = {int(str(value), 0) for value in values}

    def decide(scope: Scope) -> bool | None:
        found = scope.find(tag)
        if found is None:
            return False if scope.knows(tag) else None
        return any(value in wanted for value in found.values())

    return decide


def _is_not_zero(tag: int, index: int, _values: list[Any]) -> Condition:
    def decide(scope: Scope) -> bool | None:
        found = _value(scope, tag, index)
        if found is None:
            return None
        try:
            return float(found) != 0
        except ValueError:
            return None

    return decide


def _values(scope: Scope, tag: int, index: int) -> tuple[str, ...]:
    """Return the value that a condition is about, or all where any may be meant."""
    if tag in _ANY_VALUE and not index:
        element = scope.find(tag)
        return () if element is None else tuple(map(str, element.values()))
    value = _value(scope, tag, index)
    return () if value is None else (value,)


def _value(scope: Scope, tag: int, index: int) -> str | None:
    element = scope.find(tag)
    if element is None:
        return None
    values = element.values()
    return str(values[index]) if index < len(values) else None


_COMPARISONS: dict[str, Callable[[int, int, list[Any]], Condition]] = {
    "+": _is_present,
    "++": _has_value,
    "-": _is_absent,
    "=": _equals,
    "!=": _differs,
    ">": _exceeds,
    "<": _is_below,
    "=>": _points_to,
    "!0": _is_not_zero,
}
