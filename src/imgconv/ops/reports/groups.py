"""Equal findings of many files as one group: what the reports for people show."""

from __future__ import annotations

import re
from dataclasses import field

from imgconv.core.finding import Finding, Severity
from imgconv.records import record

__all__ = ["FindingGroup", "Groups"]

_MAX_EXAMPLES = 3
_MAX_GROUPS = 100_000  # a bound for hostile input; further ones are counted together
_INDEX = re.compile(r"\[\d+\]")


@record(frozen=False)
class FindingGroup:
    """Findings of one rule with the same message at the same place of different files."""

    rule: str
    severity: Severity
    message: str
    tag: str
    level: str
    count: int = 0
    files: int = 0
    examples: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)
    last: str = ""


class Groups:
    """Collects findings into groups; its size depends on their variety, not their number."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str, str, str], FindingGroup] = {}

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        tag = _INDEX.sub("[]", finding.tag)
        key = (finding.rule, finding.severity.value, finding.message, tag)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= _MAX_GROUPS:
                key = (finding.rule, finding.severity.value, "further findings", "")
                tag, message = "", "further findings"
            else:
                message = finding.message
            group = self._groups.setdefault(
                key, FindingGroup(finding.rule, finding.severity, message, tag, finding.level)
            )
        group.count += 1
        if finding.path != group.last:
            group.files += 1
            group.last = finding.path
            if len(group.examples) < _MAX_EXAMPLES:
                group.examples.append(finding.path)
        if finding.value and len(group.values) < _MAX_EXAMPLES:
            group.values.append(finding.value)

    def sorted(self) -> list[FindingGroup]:
        """Return the groups, worst first, then by rule and place."""
        order = list(Severity)
        return sorted(
            self._groups.values(), key=lambda g: (order.index(g.severity), g.rule, g.tag, g.message)
        )
