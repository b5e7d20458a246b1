"""One page without scripts or outside resources: counts, then findings grouped by rule."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import IO

from imgconv import registry
from imgconv.core.finding import Finding
from imgconv.core.printable import printable
from imgconv.ops.reports.groups import FindingGroup, Groups
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.reports.text import format_summary
from imgconv.ops.validate import ValidateSummary

__all__ = ["HtmlReport"]

_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>imgconv validate</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .6rem; text-align: left }
td { vertical-align: top }
.error { color: #b00020 } .warning { color: #8a5a00 } .info { color: #555 }
code { font-size: 90% } h2 { margin-top: 2rem }
</style></head><body>
<h1>Validation report</h1>
"""


class HtmlReport:
    """Groups findings and writes the page at the end."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        del context
        self._stream = stream
        self._groups = Groups()

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        """Count the findings of a file."""
        for finding in findings:
            self._groups.add(finding)

    def add_related(self, finding: Finding) -> None:
        """Count a finding about several files."""
        self._groups.add(finding)

    def finish(self, summary: ValidateSummary) -> None:
        """Write the page."""
        write = self._stream.write
        write(_HEAD)
        write(f"<p>{escape(format_summary(summary))}</p>\n")
        for rule, groups in groupby(self._groups.sorted(), key=lambda group: group.rule):
            write(_section(rule, list(groups)))
        write("</body></html>\n")


def _section(rule: str, groups: list[FindingGroup]) -> str:
    spec = registry.rules.find(rule)
    title = f"{rule}: {spec.title}" if spec is not None else rule
    about = f"<p>{escape(spec.reason)} <i>{escape(spec.source)}</i></p>" if spec is not None else ""
    rows = "".join(_row(group) for group in groups)
    return (
        f"<h2>{escape(title)}</h2>{about}\n<table><tr><th>severity</th><th>place</th>"
        f"<th>what</th><th>files</th><th>for example</th></tr>\n{rows}</table>\n"
    )


def _row(group: FindingGroup) -> str:
    severity = group.severity.value
    values = "".join(f"<br><code>{_safe(value)}</code>" for value in group.values)
    examples = "<br>".join(_safe(example) for example in group.examples)
    return (
        f'<tr><td class="{severity}">{severity}</td><td><code>{_safe(group.tag)}</code></td>'
        f"<td>{_safe(group.message)}{values}</td><td>{group.files}</td><td>{examples}</td></tr>\n"
    )


def _safe(text: str) -> str:
    return escape(printable(text))
