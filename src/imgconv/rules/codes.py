"""Codes that nobody can look up (M013), or that nobody has defined (M019).

Source
------
PS3.3 8.1 to 8.3 (code sequence macro), C.8.4.6 and C.8.11.7 (context groups); PS3.16 annexes B
and D
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.standard.codes import find_members, is_known_scheme, is_own_code

__all__ = ["check_codes", "check_known_codes"]

_VALUES = {0x00080100: "CodeValue", 0x00080119: "LongCodeValue", 0x00080120: "URNCodeValue"}
_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_SCHEMES = 0x00080110  # Coding Scheme Identification Sequence
# Sequences whose attribute names a context group as defined (DCID).
_GROUPS = {0x00540410: 19, 0x00540412: 20, 0x00540414: 21}
# Procedures and protocols: hospitals have names of their own for their schemes.
_LOCAL = frozenset({0x00081032, 0x00321064, 0x00400008, 0x00400260, 0x0040100A, 0x00401012})
_VIEWS = {0x00540220: 4014, 0x00540222: 4015}
_STORAGE = "1.2.840.10008.5.1.4.1.1."
_MAMMOGRAMS = frozenset(_STORAGE + n for n in ("1.2", "1.2.1", "13.1.3"))

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


def check_known_codes(instance: Instance) -> Iterator[Hit]:
    """Check codes against DICOM's own terms, coding schemes and defined groups (M019).

    Groups that may be extended, and schemes of others, are no matter of the file: whatever is
    found here is a warning.
    """
    identified = {item.text(_SCHEME) for item in instance.dataset.items_of(_SCHEMES)}
    mammogram = instance.sop_class in _MAMMOGRAMS
    for element in instance.elements:
        if element.tag == _VALUE and element.item.depth:
            scheme = element.item.text(_SCHEME)
            if scheme:
                yield from _check_code(element, scheme, identified, mammogram=mammogram)


def _check_code(
    element: Element, scheme: str, identified: set[str], *, mammogram: bool
) -> Iterator[Hit]:
    item = element.item
    name, value = name_tag(item.tag), item.text(_VALUE)
    if not is_known_scheme(scheme) and scheme not in identified:
        message = f"{name} has a coding scheme that is neither registered nor private"
        severity = "info" if item.tag in _LOCAL else ""
        yield Hit("M019", message, item.path_to(_SCHEME), scheme, severity)
        return
    group = _find_group(item, mammogram=mammogram)
    if scheme == "DCM" and not is_own_code(value):
        yield Hit("M019", f"{name} has a code that DCM does not have", element.path, value)
    elif group is not None and (scheme, value) not in find_members(group):
        message = f"{name} has a code that is not in the context group {group}"
        yield Hit("M019", message, element.path, f"{scheme} {value}")


def _find_group(item: Item, *, mammogram: bool) -> int | None:
    return _GROUPS.get(item.tag) or (_VIEWS.get(item.tag) if mammogram else None)
