"""Findings as JSON: one list, or one object per line.

Each finding has ``file`` (relative to the input that holds it), ``path`` (as
given), ``tag`` (eight hex digits of the element itself), ``tag_path``,
``rule``, ``severity``, ``message``, ``level``; ``fix`` and ``value`` if there are any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from imgconv.core.finding import Finding
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.validate import ValidateSummary

__all__ = ["JsonLinesReport", "JsonReport", "finding_to_json"]

_LEAF = re.compile(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)$")


def finding_to_json(finding: Finding, roots: Sequence[Path]) -> dict[str, Any]:
    """Return a finding as JSON values."""
    leaf = _LEAF.search(finding.tag)
    row: dict[str, Any] = {
        "file": _relative(finding.path, roots),
        "path": finding.path,
        "tag": f"{leaf[1]}{leaf[2]}" if leaf else "",
        "tag_path": finding.tag,
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "level": finding.level,
    }
    row.update({key: v for key in ("uid", "fix", "value") if (v := getattr(finding, key))})
    return row


def _relative(path: str, roots: Sequence[Path]) -> str:
    for root in roots:
        if root == Path(path):
            return root.name
        if Path(path).is_relative_to(root):
            return Path(path).relative_to(root).as_posix()
    return Path(path).as_posix()


class JsonReport:
    """One list of findings."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        self._stream = stream
        self._roots = [Path(root) for root in context.roots]
        self._separator = "[\n"

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        """Write the findings of a file."""
        for finding in findings:
            self.add_related(finding)

    def add_related(self, finding: Finding) -> None:
        """Write a finding."""
        text = json.dumps(finding_to_json(finding, self._roots), ensure_ascii=True)
        self._stream.write(self._separator + text)
        self._separator = ",\n"

    def finish(self, summary: ValidateSummary) -> None:
        """Close the list."""
        del summary
        self._stream.write("[]\n" if self._separator == "[\n" else "\n]\n")


class JsonLinesReport(JsonReport):
    """One object per line; the last one holds the counts as ``summary``."""

    def add_related(self, finding: Finding) -> None:
        """Write a finding."""
        text = json.dumps(finding_to_json(finding, self._roots), ensure_ascii=True)
        self._stream.write(text + "\n")

    def finish(self, summary: ValidateSummary) -> None:
        """Write the counts."""
        self._stream.write(json.dumps({"summary": summary.to_json()}) + "\n")
