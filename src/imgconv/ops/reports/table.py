"""The formats of reports, as a table."""

from __future__ import annotations

from dataclasses import field
from typing import IO

from imgconv.core.finding import Severity
from imgconv.errors import UsageError
from imgconv.ops.validate import Sink
from imgconv.records import record
from imgconv.spec import resolve

__all__ = ["REPORTS", "ReportContext", "ReportSpec", "make_report"]


@record
class ReportContext:
    """What a report may want to know beforehand.

    `roots` are the inputs: files are also named relative to them.
    `rules` are the rules in force with their severities.
    """

    roots: tuple[str, ...] = ()
    rules: dict[str, Severity] = field(default_factory=dict)
    verbose: bool = False


@record
class ReportSpec:
    """One format: its name, and ``"module:class"`` called as ``(stream, context)``."""

    name: str
    title: str
    factory: str


REPORTS = {
    spec.name: spec
    for spec in (
        ReportSpec(
            "text", "for people: grouped and counted", "imgconv.ops.reports.text:TextReport"
        ),
        ReportSpec("json", "a list of findings", "imgconv.ops.reports.json_list:JsonReport"),
        ReportSpec(
            "jsonl", "one line per finding", "imgconv.ops.reports.json_list:JsonLinesReport"
        ),
        ReportSpec("junit", "JUnit XML, a case per file", "imgconv.ops.reports.junit:JunitReport"),
        ReportSpec("sarif", "SARIF 2.1.0", "imgconv.ops.reports.sarif:SarifReport"),
        ReportSpec("html", "one page, grouped", "imgconv.ops.reports.html:HtmlReport"),
        ReportSpec("github", "GitHub annotations", "imgconv.ops.reports.github:GithubReport"),
    )
}


def make_report(name: str, stream: IO[str], context: ReportContext) -> Sink:
    """Return a report of a format that writes to `stream`.

    Raises
    ------
    UsageError
        There is no such format.
    """
    spec = REPORTS.get(name)
    if spec is None:
        raise UsageError(f"unknown report format `{name}`; known: {', '.join(REPORTS)}")
    report: Sink = resolve(spec.factory)(stream, context)
    return report
