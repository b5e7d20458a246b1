"""The report for people: findings grouped over files, worst first, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

from imgconv.core.finding import Finding, Severity
from imgconv.ops.reports.groups import FindingGroup, Groups
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.validate import ValidateSummary

__all__ = ["TextReport", "format_summary"]


def printable(text: str) -> str:
    """Escape control characters, so that a file name cannot drive the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class TextReport:
    """Groups findings and writes them at the end."""

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
        """Write the groups and the counts."""
        hidden = 0
        for group in self._groups.sorted():
            if group.severity is Severity.INFO and not self._verbose:
                hidden += group.count
                continue
            self._write(group)
        if hidden:
            self._stream.write(
                f"{hidden} findings of severity info are not shown; `-v` shows them\n"
            )
        self._stream.write(format_summary(summary) + "\n")

    def _write(self, group: FindingGroup) -> None:
        place = f" {group.tag}" if group.tag else ""
        files = f"{group.files} file{'s' if group.files != 1 else ''}"
        times = f", {group.count} times" if group.count > group.files else ""
        self._stream.write(
            printable(
                f"{group.severity.value}: {group.rule}{place} {group.message} ({files}{times})"
            )
            + "\n"
        )
        examples = ", ".join(group.examples)
        more = ", ..." if group.files > len(group.examples) else ""
        self._stream.write(printable(f"    {examples}{more}") + "\n")
        for value in group.values:
            self._stream.write(printable(f"    value: {value}") + "\n")


def format_summary(summary: ValidateSummary) -> str:
    """Return one line with the counts."""
    counts = ", ".join(
        f"{summary.severities[severity]} {severity.value}{_plural(severity, summary)}"
        for severity in Severity
    )
    known = f", {summary.known} known" if summary.known else ""
    skipped = f", {summary.skipped} skipped" if summary.skipped else ""
    rate = summary.files / max(summary.seconds, 1e-9)
    return (
        f"{summary.files} files checked{skipped}, {summary.with_findings} with findings: "
        f"{counts}{known} ({summary.seconds:.1f} s, {rate:.0f} files/s, "
        f"profile {', '.join(summary.profiles)})"
    )


def _plural(severity: Severity, summary: ValidateSummary) -> str:
    return "" if summary.severities[severity] == 1 or severity is Severity.INFO else "s"
