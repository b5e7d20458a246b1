"""The report for people: findings grouped over files, worst first, counted."""

from __future__ import annotations

from imgconv.core.finding import Severity
from imgconv.core.printable import printable
from imgconv.ops.reports.grouped import GroupedReport
from imgconv.ops.reports.groups import FindingGroup
from imgconv.ops.validate import ValidateSummary

__all__ = ["TextReport", "format_summary"]


class TextReport(GroupedReport):
    """Groups findings and writes them at the end."""

    def finish(self, summary: ValidateSummary) -> None:
        """Write the groups and the counts."""
        for group in self.iter_shown():
            self._write(group)
        hidden = sum(group.count for group in self.groups.sorted() if self.is_hidden(group))
        if hidden:
            self.stream.write(
                f"{hidden} findings of severity info are not shown; `-v` shows them\n"
            )
        self.stream.write(format_summary(summary) + "\n")

    def _write(self, group: FindingGroup) -> None:
        place = f" {group.tag}" if group.tag else ""
        files = f"{group.files} file{'s' if group.files != 1 else ''}"
        times = f", {group.count} times" if group.count > group.files else ""
        self.stream.write(
            printable(
                f"{group.severity.value}: {group.rule}{place} {group.message} ({files}{times})"
            )
            + "\n"
        )
        examples = ", ".join(group.examples)
        more = ", ..." if group.files > len(group.examples) else ""
        self.stream.write(printable(f"    {examples}{more}") + "\n")
        for value in group.values:
            self.stream.write(printable(f"    value: {value}") + "\n")


def format_summary(summary: ValidateSummary) -> str:
    """Return one line with the counts."""
    counts = ", ".join(
        f"{summary.severities[severity]} {severity.value}{_plural(severity, summary)}"
        for severity in Severity
    )
    known = f", {summary.known} known" if summary.known else ""
    skipped = f", {summary.skipped} skipped" if summary.skipped else ""
    if not summary.files:
        return f"nothing to check: no DICOM, NIfTI or sidecar was found{skipped}"
    rate = summary.files / max(summary.seconds, 1e-9)
    files = "1 file" if summary.files == 1 else f"{summary.files} files"
    related = f", {summary.related} about several files" if summary.related else ""
    return (
        f"{files} checked{skipped}, {summary.with_findings} with findings{related}: "
        f"{counts}{known} ({summary.seconds:.1f} s, {rate:.0f} files/s, "
        f"profile {', '.join(summary.profiles)})"
    )


def _plural(severity: Severity, summary: ValidateSummary) -> str:
    return "" if summary.severities[severity] == 1 or severity is Severity.INFO else "s"
