"""What the reports that group equal findings share: they count first and write at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO

from imgconv.core.finding import Finding, Severity
from imgconv.ops.reports.groups import FindingGroup, Groups
from imgconv.ops.reports.table import ReportContext

__all__ = ["GroupedReport"]


class GroupedReport:
    """Groups findings as they come; `finish` is what each report does in its own way."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        self.stream = stream
        self.groups = Groups()
        self._verbose = context.verbose

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        """Count the findings of a file."""
        for finding in findings:
            self.groups.add(finding)

    def add_related(self, finding: Finding) -> None:
        """Count a finding about several files."""
        self.groups.add(finding)

    def iter_shown(self) -> Iterator[FindingGroup]:
        """Yield the groups that are shown, worst first; information only if it is asked for."""
        for group in self.groups.sorted():
            if not self.is_hidden(group):
                yield group

    def is_hidden(self, group: FindingGroup) -> bool:
        """Whether a group is only counted."""
        return group.severity is Severity.INFO and not self._verbose
