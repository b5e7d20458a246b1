"""Show what a profile resolves to, and run the examples that it carries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgconv import registry
from imgconv.dicom.elements import Element, Item, Tree
from imgconv.errors import ConfigError
from imgconv.profiles.check import check_profile
from imgconv.profiles.grades import grade_rules
from imgconv.profiles.load import resolve_profile
from imgconv.profiles.model import PrivacyRule, Profile, ProfileRule, ProfileTest
from imgconv.rules.instance import Instance
from imgconv.standard.elements import find_tag, find_vr

__all__ = [
    "ExampleResult",
    "check_examples",
    "compare_profiles",
    "describe_profile",
    "describe_rule",
]


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """Whether an example broke the rules that it must break, and no others."""

    name: str
    line: int
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the example did what the profile says."""
        return not self.missing and not self.unexpected

    @property
    def difference(self) -> str:
        """What differs, for a person; empty if nothing does."""
        parts = [f"did not break {rule}" for rule in self.missing]
        parts += [f"broke {rule}" for rule in self.unexpected]
        return f": {', '.join(parts)}" if parts else ""


def describe_profile(name: str) -> dict[str, Any]:
    """Return a profile with every rule in force, as JSON values.

    Raises
    ------
    ConfigError
        There is no such profile, or it has a mistake.
    """
    profile = resolve_profile(name)
    own = {rule.id: rule for rule in profile.rules}
    rows = []
    for rule, severity in sorted(grade_rules(profile).items()):
        spec = registry.rules.find(rule)
        what = describe_rule(own[rule]) if rule in own else spec.title if spec is not None else ""
        rows.append({"id": rule, "severity": severity.value, "what": what})
    return {
        "profile": profile.name,
        "version": profile.version,
        "title": profile.title,
        "source": profile.source,
        "extends": list(profile.extends),
        "rules": rows,
    }


def compare_profiles(first: str, second: str) -> list[dict[str, str]]:
    """Return the rules that two profiles, all that they extend included, do not share.

    Each row has `id`, the severities `first` and `second` (``off`` if the rule is not run), and
    `what` it asks for; `change` is ``only first``, ``only second``, ``severity`` or ``content``
    (an own rule of the same id that asks for something else).

    Raises
    ------
    ConfigError
        There is no such profile, or it has a mistake.
    """
    profiles = [resolve_profile(name) for name in (first, second)]
    grades = [grade_rules(profile) for profile in profiles]
    own = [{rule.id: rule for rule in profile.rules} for profile in profiles]
    rows = []
    for rule in sorted(grades[0].keys() | grades[1].keys()):
        severities = [found[rule].value if rule in found else "off" for found in grades]
        if "off" in severities:
            change = "only second" if severities[0] == "off" else "only first"
        elif severities[0] != severities[1]:
            change = "severity"
        elif own[0].get(rule) != own[1].get(rule):
            change = "content"
        else:
            continue
        mine = own[1].get(rule) or own[0].get(rule)
        spec = registry.rules.find(rule)
        what = describe_rule(mine) if mine is not None else spec.title if spec is not None else ""
        rows.append(
            {"id": rule, "change": change, "first": severities[0], "second": severities[1]}
            | {"what": what}
        )
    return rows


def describe_rule(rule: ProfileRule) -> str:
    """Return one line for a person about a rule of a profile."""
    if rule.message:
        return rule.message
    parts = [_describe_test(test) for test in rule.tests]
    if rule.transfer_syntaxes:
        parts.append(f"transfer syntax one of {len(rule.transfer_syntaxes)}")
    if rule.sop_classes:
        parts.append(f"SOP class one of {len(rule.sop_classes)}")
    if rule.group is not None:
        names = [name for name, _tolerance in rule.group.same]
        parts += [f"same in each {rule.group.level}: {', '.join(names)}"] if names else []
        parts += [
            f"different in each {rule.group.level}: {', '.join(rule.group.different)}"
        ] * bool(rule.group.different)
        parts += [f"geometry of each {rule.group.level}"] * bool(
            rule.group.geometry or rule.group.spacing_mm is not None
        )
    if rule.pixels is not None:
        parts.append("pixels decode" if rule.pixels.decodable else "pixels")
    if rule.privacy is not None:
        parts.append(_describe_privacy(rule.privacy))
    scope = ", ".join(f"{k} {'/'.join(v)}" for k, v in rule.scope.values.items())
    return "; ".join(parts) + (f" (for {scope})" if scope else "")


def _describe_privacy(rule: PrivacyRule) -> str:
    parts = []
    if rule.options is not None:
        accepted = sorted(rule.options) + ["what the object declares"] * rule.declared
        parts.append(f"table E.1-1 with {', '.join(accepted) or 'no option'}")
    if rule.private != "allow":
        parts.append("no private element" if rule.private == "forbid" else "safe private elements")
    if rule.text:
        parts.append(f"no text with {', '.join(sorted(rule.text))}")
    if rule.burned_in:
        parts.append("no text in the pixels")
    return ", ".join(parts)


def _describe_test(test: Any) -> str:
    facts = [test.presence or ""]
    if test.values:
        facts.append(f"one of {', '.join(test.values)}")
    if test.regex is not None:
        facts.append(f"like {test.regex.pattern}")
    if test.code is not None:
        facts.append(f"code {':'.join(test.code)}")
    if test.context_group is not None:
        facts.append(f"code of CID {test.context_group}")
    if test.vrs:
        facts.append(f"of type {' or '.join(test.vrs)}")
    limits = (
        *(("above", test.above), ("at least", test.at_least)),
        *(("below", test.below), ("at most", test.at_most)),
    )
    facts += [f"{words} {limit:g}" for words, limit in limits if limit is not None]
    return f"{test.path} {', '.join(fact for fact in facts if fact)}".strip()


def check_examples(name: str) -> Iterator[ExampleResult]:
    """Run the examples of a profile against its own rules.

    Raises
    ------
    ConfigError
        The profile has a mistake, or carries no example.
    """
    profile = resolve_profile(name)
    if not profile.tests:
        raise ConfigError(f"the profile `{name}` carries no tests")
    for test in profile.tests:
        yield _run_test(profile, test)


def _run_test(profile: Profile, test: ProfileTest) -> ExampleResult:
    dataset = _make_dataset(test.data, None, 0, 0)
    tree = Tree(Path(test.name), 0, b"", dataset=dataset)
    broken = {hit.rule for hit in check_profile(profile, Instance(tree))}
    expected = set(test.expect)
    return ExampleResult(
        test.name,
        test.line,
        tuple(sorted(expected - broken)),
        tuple(sorted(broken - expected)),
    )


def _make_dataset(data: Mapping[str, Any], parent: Item | None, tag: int, index: int) -> Item:
    """Return the data set of an example: values as text, sequences as lists of mappings."""
    item = Item(parent, tag, index)
    for keyword, value in data.items():
        number = find_tag(keyword) or int(keyword.replace(",", ""), 16)
        element = Element(item, number, "SQ" if _is_sequence(value) else "LO", b"")
        if element.vr == "SQ":
            element.items = [
                _make_dataset(inner, item, number, place) for place, inner in enumerate(value)
            ]
        else:
            values = value if isinstance(value, list) else [] if value is None else [value]
            element.vr = (find_vr(number) or "LO")[:2]
            if element.vr not in ("DS", "IS", "CS", "DA", "TM", "DT", "UI", "PN", "SH", "LO"):
                element.vr = "LO"  # numbers are compared as what their text says
            element.value = "\\".join(str(one) for one in values).encode("utf-8")
        item.elements[number] = element
    return item


def _is_sequence(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)
