"""JUnit XML: one test case per file, one failure per finding that is no info.

Cases are written to a temporary file first, because the head has their number.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from imgconv.core.finding import Finding, Severity
from imgconv.core.printable import printable
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.validate import ValidateSummary

__all__ = ["JunitReport"]


class JunitReport:
    """Collects cases, then writes head, cases and foot."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        del context
        self._stream = stream
        self._body = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115  closed by finish
        self._tests = 0
        self._failures = 0

    def add_file(self, name: str, findings: Sequence[Finding]) -> None:
        """Write the case of a file."""
        self._case("file", name, [f for f in findings if f.severity is not Severity.INFO])

    def add_related(self, finding: Finding) -> None:
        """Write a case for a finding about several files."""
        if finding.severity is not Severity.INFO:
            self._case(finding.level, finding.path, [finding])

    def _case(self, group: str, name: str, findings: Sequence[Finding]) -> None:
        self._tests += 1
        self._failures += bool(findings)
        head = f"<testcase classname={_attribute(group)} name={_attribute(name)}"
        if not findings:
            self._body.write(f"  {head}/>\n")
            return
        self._body.write(f"  {head}>\n")
        for finding in findings:
            kind = _attribute(f"{finding.rule} {finding.severity.value}")
            message = _attribute(f"{finding.tag} {finding.message}".strip())
            text = escape(printable(finding.value))
            self._body.write(f"    <failure type={kind} message={message}>{text}</failure>\n")
        self._body.write("  </testcase>\n")

    def finish(self, summary: ValidateSummary) -> None:
        """Write the whole document."""
        self._stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        self._stream.write(
            f'<testsuite name="imgconv validate" tests="{self._tests}" '
            f'failures="{self._failures}" errors="0" time="{summary.seconds:.3f}">\n'
        )
        with self._body as body:
            body.seek(0)
            shutil.copyfileobj(body, self._stream)
        self._stream.write("</testsuite>\n")


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
