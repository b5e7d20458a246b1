"""The key ``phi`` of profile rules: what may be left of the patient, and looking for it.

Source
------
PS3.15 annex E (table E.1-1, options of E.3)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imgconv.profiles.fields import read_mapping, read_texts
from imgconv.profiles.located import Document, Place
from imgconv.profiles.model import PrivacyRule
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.privacy import TEXT_KINDS, declared_options, find_left, find_private, find_text
from imgconv.standard.confidentiality import OPTION_CODES

__all__ = ["find_identity", "parse_privacy"]

_OPTIONS = frozenset(OPTION_CODES.values())
# What a profile may write -> what it means.
_PRIVATE = {"allow": "allow", "declared": "declared", "safe-list": "declared", "forbid": "forbid"}
_BURNED_IN = {"flag": True, "ignore": False}
_ALIASES = {"names-from-header": "name"}
_BURNED_IN_TAG, _PIXELS = 0x00280301, 0x7FE00010


def parse_privacy(document: Document, raw: Any, place: Place) -> PrivacyRule | None:
    """Return the rule that ``phi`` asks for, None if the key is absent."""
    if raw is None:
        return None
    values = read_mapping(document, raw, place, "phi")
    options, declared = _parse_options(document, values.get("e1"), (*place, "e1"))
    private = str(values.get("private", "allow"))
    burned_in = str(values.get("burned_in", "ignore"))
    for key, found, known in (("private", private, _PRIVATE), ("burned_in", burned_in, _BURNED_IN)):
        if found not in known:
            document.fail((*place, key), f"unknown `{found}`; expected one of {', '.join(known)}")
    kinds = {
        _ALIASES.get(kind, kind)
        for kind in read_texts(document, values.get("text"), (*place, "text"))
    }
    for kind in kinds - TEXT_KINDS.keys():
        words = ", ".join(TEXT_KINDS)
        document.fail((*place, "text"), f"unknown kind of text `{kind}`; expected one of {words}")
    return PrivacyRule(
        options, declared, _PRIVATE[private], frozenset(kinds), _BURNED_IN[burned_in]
    )


def _parse_options(
    document: Document, raw: Any, place: Place
) -> tuple[frozenset[str] | None, bool]:
    """Return the options of ``e1: [basic, full_dates=keep, declared]``."""
    if raw is None:
        return None, False
    options, declared = set(), False
    for number, text in enumerate(read_texts(document, raw, place)):
        name, _, how = text.partition("=")
        if name == "declared":
            declared = True
        elif name != "basic":
            if name not in _OPTIONS or how not in ("", "keep", "clean"):
                words = ", ".join(("basic", "declared", *sorted(_OPTIONS)))
                document.fail((*place, number), f"unknown option `{text}`; expected one of {words}")
            options.add(name)
    return frozenset(options), declared


def find_identity(rule: PrivacyRule, instance: Instance) -> Iterator[Hit]:
    """Look for what a rule does not allow; the hits have the ids of the built-in rules."""
    declared = declared_options(instance)
    options = (rule.options or frozenset()) | (declared if rule.declared else frozenset())
    if rule.options is not None:
        yield from find_left(instance, options)
    if rule.private == "forbid" or (
        rule.private == "declared" and "safe_private" not in declared | options
    ):
        yield from find_private(instance)
    if rule.text:
        yield from find_text(instance, rule.text)
    dataset = instance.dataset
    if rule.burned_in and _PIXELS in dataset.elements and dataset.text(_BURNED_IN_TAG) != "NO":
        yield Hit("D005", "BurnedInAnnotation is not NO", "(0028,0301)")
