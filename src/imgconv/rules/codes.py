"""Codes that nobody can look up (M013).

Source
------
PS3.3 8.1 to 8.3 (code sequence macro)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_codes"]

_VALUES = {0x00080100: "CodeValue", 0x00080119: "LongCodeValue", 0x00080120: "URNCodeValue"}
_SCHEME, _MEANING = 0x00080102, 0x00080104

# Items of these hold whatever a classic image had in its data set; C.7.6.16.2.25.
_UNASSIGNED = frozenset({0x00209170, 0x00209171})


def check_codes(instance: Instance) -> Iterator[Hit]:
    """Check the items of every sequence of codes, also where no module names it."""
    for element in instance.elements:
        if element.tag in _UNASSIGNED:
            continue
        for item in element.items or ():
            given = [tag for tag in _VALUES if tag in item.elements]
            if not given and _MEANING in item.elements:
                message = f"{name_tag(element.tag)} has an item without a code value"
                yield Hit("M013", message, item.path_to(0x00080100))
            elif len(given) > 1:
                message = f"{name_tag(element.tag)} has several kinds of code value"
                yield Hit("M013", message, item.path_to(given[1]))
            elif given and given[0] != 0x00080120 and not item.text(_SCHEME):
                message = f"{name_tag(element.tag)} has a code without a scheme"
                yield Hit("M013", message, item.path_to(_SCHEME))
