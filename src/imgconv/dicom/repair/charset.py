"""Mend the Specific Character Set: declare what the bytes are, in UTF-8 where that was wrong.

Source
------
PS3.3 C.12.1.1.2; PS3.5 6.1
"""

from __future__ import annotations

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, remove, replace_value, skipped
from imgconv.standard.charsets import can_decode, decode, is_known_term

__all__ = ["mend_charset"]

_TAG = 0x00080005
_UTF8 = "ISO_IR 192"
_TEXT_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
# Spellings that writers use for the defined terms, in upper case.
_SPELLINGS = {
    "ISO-IR 100": "ISO_IR 100", "ISO IR 100": "ISO_IR 100", "ISO_IR_100": "ISO_IR 100",
    "ISO8859-1": "ISO_IR 100", "ISO-8859-1": "ISO_IR 100", "ISO_8859-1": "ISO_IR 100",
    "LATIN1": "ISO_IR 100", "ISO-IR 192": "ISO_IR 192", "ISO IR 192": "ISO_IR 192",
    "ISO_IR_192": "ISO_IR 192", "UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192",
    "ISO2022 IR 87": "ISO 2022 IR 87", "ISO_2022_IR_87": "ISO 2022 IR 87",
    "ISO-2022-IR 87": "ISO 2022 IR 87",
}  # fmt: skip
_SOURCE = "PS3.3 C.12.1.1.2"


def mend_charset(tree: Tree, assume: str = "") -> list[Change]:
    """Make the declared character set fit the bytes.

    Parameters
    ----------
    assume
        A defined term for text that is not ASCII and whose character set is
        missing or wrong; empty: only UTF-8 is recognised, by its form.
    """
    root = tree.dataset
    changes = _mend_spelling(root)
    element = root.get(_TAG)
    terms = root.texts(_TAG)
    foreign = [item for item in _list_texts(root) if not _is_plain(item)]
    if not any(terms) and element is not None and not foreign:
        # PS3.3 C.12.1: type 1C, so it must not be empty.
        reason = "type 1C: absent means the default repertoire"
        return [
            *changes,
            remove(
                element,
                name="empty-character-set",
                before="empty",
                reason=reason,
                source=_SOURCE,
            ),
        ]
    if all(is_known_term(term) for term in terms):
        if all(_fits(item, terms) for item in foreign):
            return changes
    elif not foreign and element is not None:
        reason = "all text is in the default repertoire"
        gone = remove(
            element,
            name="character-set",
            before="unknown term",
            reason=reason,
            source=_SOURCE,
            keep=True,
        )
        return [*changes, gone]
    return changes + _redeclare(root, foreign, assume)


def _mend_spelling(root: Item) -> list[Change]:
    element = root.get(_TAG)
    declared = root.texts(_TAG)
    terms = tuple(_SPELLINGS.get(term.upper(), term) for term in declared)
    if element is None or terms == declared:
        return []
    change = replace_value(
        element,
        "\\".join(terms).encode("ascii", "replace"),
        name="character-set",
        before="other spelling of a defined term",
        after="defined term",
        reason="only defined terms are allowed",
        source=_SOURCE,
    )
    return [change]


def _list_texts(root: Item) -> list[Element]:
    """List the elements whose bytes depend on the character set, private ones left out."""
    return [
        element
        for element in root.walk()
        if element.vr in _TEXT_VRS and element.items is None and not element.tag >> 16 & 1
    ]


def _is_plain(element: Element) -> bool:
    value = bytes(element.value)
    return value.isascii() and b"\x1b" not in value


def _fits(element: Element, terms: tuple[str, ...]) -> bool:
    value = bytes(element.value).rstrip(b" \0")
    first = terms[0] if terms else ""
    # PS3.5 6.1.2: the ISO 8859 sets leave 80 to 9F to control characters.
    is_8859 = first.startswith("ISO_IR") and first not in (_UTF8, "ISO_IR 13", "ISO_IR 166")
    if is_8859 and any(0x80 <= byte < 0xA0 for byte in value):
        return False
    return can_decode(value, terms)


def _redeclare(root: Item, foreign: list[Element], assume: str) -> list[Change]:
    """Find the character set that the bytes are in; text is written in UTF-8."""
    if all(_fits(item, (_UTF8,)) for item in foreign):
        return [_declare_utf8(root, "the bytes are UTF-8")]
    if not assume or not all(_fits(item, (assume,)) for item in foreign):
        path, before = root.path_to(_TAG), "missing or wrong"
        reason = "the text is not ASCII and not UTF-8; name its character set to mend it"
        return [skipped("character-set", path, before, reason, _SOURCE)]
    changes = [
        replace_value(
            element,
            decode(bytes(element.value), (assume,)).encode(),
            name="character-set",
            before=f"text taken for {assume}",
            after="UTF-8",
            reason="the declared character set was missing or wrong",
            source=_SOURCE,
            keep=True,
        )
        for element in foreign
    ]
    return [*changes, _declare_utf8(root, "text was converted")]


def _declare_utf8(root: Item, reason: str) -> Change:
    old = root.get(_TAG)
    before = "absent" if old is None else "another or an unknown term"
    root.elements[_TAG] = Element(root, _TAG, "CS", _UTF8.encode(), "CS")
    return Change("character-set", root.path_to(_TAG), before, _UTF8, reason, _SOURCE)
