"""Run rules: each check function once, graded by the severities in force.

Third parties' rules run like ours; one that fails is reported as a problem of
the rule, and does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from imgconv import registry
from imgconv.core.finding import Finding, Severity
from imgconv.errors import InternalError
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.record_store import RecordStore
from imgconv.rules.relation_hit import RelationHit
from imgconv.spec import RuleSpec, resolve

__all__ = ["Checks", "Grades", "check_instance", "check_records", "default_grades"]

# Rule id -> severity in force; a rule that is not in it is off.
Grades = Mapping[str, Severity]
# The severity of a hit may soften or sharpen the rule's own, unless a profile has regraded it.
_RANKS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def default_grades() -> dict[str, Severity]:
    """Return every rule that is not opt-in, with the severity of its own."""
    return {
        spec.id: Severity(spec.severity)
        for spec in registry.rules
        if not spec.opt_in and spec.check
    }


def _active_checks(grades: Grades, scope: str) -> list[Any]:
    """Return the distinct check functions of the rules in force, in the order of the table."""
    found: dict[str, RuleSpec] = {}
    for rule in grades:
        spec = registry.rules.find(rule)
        if spec is not None and spec.scope == scope and spec.check:
            found.setdefault(spec.check, spec)
    return [_load(spec) for spec in found.values()]


def _load(spec: RuleSpec) -> Any:
    try:
        return resolve(spec.check)
    except (ImportError, AttributeError) as error:
        raise InternalError(
            f"rule `{spec.id}` of {spec.provider} names a function that cannot be loaded"
        ) from error


class Checks:
    """The check functions in force, resolved once."""

    def __init__(self, grades: Grades) -> None:
        self.grades = grades
        self.instance = _active_checks(grades, "instance")
        self.series = _active_checks(grades, "series")
        self.study = _active_checks(grades, "study")
        self.set = _active_checks(grades, "set")
        # Rules of profiles are not in the registry.
        self._own = {
            spec.id: spec.severity for rule in grades if (spec := registry.rules.find(rule))
        }

    def grade(self, rule: str, override: str) -> Severity | None:
        """Return the severity of a hit, None if its rule is off."""
        graded = self.grades.get(rule)
        if graded is None or not override:
            return graded
        if graded == self._own.get(rule):
            return Severity(override)
        wanted = Severity(override)
        return wanted if _RANKS[wanted] < _RANKS[graded] else graded


def check_instance(
    instance: Instance, checks: Checks, *, show_values: bool = False, path: str = ""
) -> Iterator[Finding]:
    """Run the rules about one file, which findings name as `path`, or as it is called."""
    path = path or str(instance.tree.path)
    for check in checks.instance:
        hits: Iterable[Hit] = check(instance)
        for hit in hits:
            severity = checks.grade(hit.rule, hit.severity)
            if severity is not None:
                value = hit.value if show_values else ""
                yield Finding(hit.rule, severity, hit.message, path, hit.tag, value=value)


def check_records(records: RecordStore, checks: Checks) -> Iterator[Finding]:
    """Run the rules about series, studies and the set."""
    if checks.series:
        for series in records.iter_series():
            for check in checks.series:
                yield from _graded(check(series), checks, "series")
    if checks.study:
        for study in records.iter_studies():
            for check in checks.study:
                yield from _graded(check(study), checks, "study")
    for check in checks.set:
        yield from _graded(check(records), checks, "set")


def _graded(hits: Iterable[RelationHit], checks: Checks, level: str) -> Iterator[Finding]:
    for hit in hits:
        severity = checks.grade(hit.rule, hit.severity)
        if severity is not None:
            yield Finding(hit.rule, severity, hit.message, hit.path, hit.tag, level)
