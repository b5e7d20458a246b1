"""Annotations for GitHub Actions: one per group of equal findings.

GitHub shows ten annotations of a kind per step, so equal ones are put together.

Source
------
GitHub documentation, "Workflow commands for GitHub Actions"
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from imgconv.core.finding import Finding, Severity
from imgconv.ops.reports.groups import Groups
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.reports.text import format_summary, printable
from imgconv.ops.validate import ValidateSummary

__all__ = ["GithubReport"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GithubReport:
    """Groups findings and writes a command for each group."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        self._stream = stream
        self._verbose = context.verbose
        self._groups = Groups()

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        """Count the findings of a file."""
        for finding in findings:
            self._groups.add(finding)

    def add_related(self, finding: Finding) -> None:
        """Count a finding about several files."""
        self._groups.add(finding)

    def finish(self, summary: ValidateSummary) -> None:
        """Write the commands, then the counts as plain text."""
        for group in self._groups.sorted():
            if group.severity is Severity.INFO and not self._verbose:
                continue
            more = f" (and {group.files - 1} more files)" if group.files > 1 else ""
            message = _data(f"{group.tag} {group.message}{more}".strip())
            properties = f"file={_property(group.examples[0])},title={_property(group.rule)}"
            self._stream.write(f"::{_COMMANDS[group.severity]} {properties}::{message}\n")
        self._stream.write(format_summary(summary) + "\n")


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
