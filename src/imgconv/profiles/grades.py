"""Work out the severity of each rule from the profiles and the options in force."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imgconv import registry
from imgconv.core.finding import Severity
from imgconv.errors import UsageError
from imgconv.profiles.model import Profile

__all__ = ["RANKS", "grade_rules", "merge_profiles", "select_rules"]

# Higher is stricter.
RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def grade_rules(profile: Profile) -> dict[str, Severity]:
    """Return the severity of every rule that a profile runs, those that are off left out.

    A family's letter is applied before single ids, whatever their order.
    """
    grades: dict[str, Severity] = {}
    own = {rule.id: rule.level for rule in profile.rules}
    builtin = {spec.id: Severity(spec.severity) for spec in registry.rules}
    opt_in = {spec.id for spec in registry.rules if spec.opt_in}
    for rule, severity in {**builtin, **own}.items():
        wish = profile.severity.get(rule) or profile.severity.get(rule[0])
        if wish == "off" or (wish is None and rule in opt_in):
            continue
        grades[rule] = severity if wish in (None, "on") else Severity(wish)
    return grades


def merge_profiles(
    graded: Iterable[Mapping[str, Severity]],
) -> dict[str, Severity]:
    """Add up the grades of several profiles: the stricter severity wins."""
    merged: dict[str, Severity] = {}
    for grades in graded:
        for rule, severity in grades.items():
            if rule not in merged or RANKS[severity] > RANKS[merged[rule]]:
                merged[rule] = severity
    return merged


def select_rules(
    grades: Mapping[str, Severity], select: Iterable[str], ignore: Iterable[str]
) -> dict[str, Severity]:
    """Keep the rules that `select` names (all if it is empty) and `ignore` does not.

    Names are ids, the beginning of ids (``M``, ``M00``), or the names of
    rules (``missing-type-1``).

    Raises
    ------
    UsageError
        No rule is called so.
    """
    names = {spec.name: spec.id for spec in registry.rules}
    wanted = [_expand(name, grades, names) for name in select]
    unwanted = [_expand(name, grades, names) for name in ignore]
    chosen = {rule for rules in wanted for rule in rules} if wanted else set(grades)
    chosen -= {rule for rules in unwanted for rule in rules}
    return {rule: severity for rule, severity in grades.items() if rule in chosen}


def _expand(name: str, grades: Mapping[str, Severity], names: Mapping[str, str]) -> set[str]:
    known = {*grades, *names.values()}
    found = {rule for rule in known if rule.startswith(names.get(name, name))}
    if not found:
        raise UsageError(f"unknown rule `{name}`", hint="`imgconv rules` lists all")
    return found
