"""Annotations for GitHub Actions: one per group of equal findings.

GitHub shows ten annotations of a kind per step, so equal ones are put together.

Source
------
GitHub documentation, "Workflow commands for GitHub Actions"
"""

from __future__ import annotations

from imgconv.core.finding import Severity
from imgconv.core.printable import printable
from imgconv.ops.reports.grouped import GroupedReport
from imgconv.ops.reports.text import format_summary
from imgconv.ops.validate import ValidateSummary

__all__ = ["GithubReport"]

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GithubReport(GroupedReport):
    """Groups findings and writes a command for each group."""

    def finish(self, summary: ValidateSummary) -> None:
        """Write the commands, then the counts as plain text."""
        for group in self.iter_shown():
            more = f" (and {group.files - 1} more files)" if group.files > 1 else ""
            message = _data(f"{group.tag} {group.message}{more}".strip())
            properties = f"file={_property(group.examples[0])},title={_property(group.rule)}"
            self.stream.write(f"::{_COMMANDS[group.severity]} {properties}::{message}\n")
        self.stream.write(format_summary(summary) + "\n")


def _data(text: str) -> str:
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
