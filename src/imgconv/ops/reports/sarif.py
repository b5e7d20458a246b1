"""SARIF 2.1.0, for code scanning services.

Source
------
OASIS Static Analysis Results Interchange Format 2.1.0, sections 3.13 to 3.29
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from imgconv import registry
from imgconv.core.finding import Finding, Severity
from imgconv.ops.baseline import fingerprint
from imgconv.ops.reports.table import ReportContext
from imgconv.ops.validate import ValidateSummary

__all__ = ["SarifReport"]

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class SarifReport:
    """Writes the head with all rules at once, then each result as it comes."""

    def __init__(self, stream: IO[str], context: ReportContext) -> None:
        from imgconv import __version__

        self._stream = stream
        self._numbers = {rule: number for number, rule in enumerate(sorted(context.rules))}
        driver = {
            "name": "imgconv",
            "version": __version__,
            "rules": [_rule(rule, context.rules[rule]) for rule in sorted(context.rules)],
        }
        head = json.dumps({"driver": driver}, ensure_ascii=True)
        stream.write(
            f'{{"$schema": "{_SCHEMA}", "version": "2.1.0", "runs": [{{"tool": {head},\n'
            '"columnKind": "utf16CodeUnits", "results": ['
        )
        self._separator = "\n"

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        """Write the findings of a file."""
        for finding in findings:
            self.add_related(finding)

    def add_related(self, finding: Finding) -> None:
        """Write a finding."""
        text = json.dumps(self._result(finding), ensure_ascii=True)
        self._stream.write(self._separator + text)
        self._separator = ",\n"

    def finish(self, summary: ValidateSummary) -> None:
        """Close the document."""
        del summary
        self._stream.write("\n]}]}\n")

    def _result(self, finding: Finding) -> dict[str, Any]:
        location: dict[str, Any] = {
            "physicalLocation": {"artifactLocation": {"uri": _uri(finding.path)}}
        }
        if finding.tag:
            location["logicalLocations"] = [{"fullyQualifiedName": finding.tag}]
        value = f" ({finding.value})" if finding.value else ""
        result: dict[str, Any] = {
            "ruleId": finding.rule,
            "level": _LEVELS[finding.severity],
            "message": {"text": f"{finding.tag} {finding.message}{value}".strip()},
            "locations": [location],
            "partialFingerprints": {"imgconv/v1": fingerprint(finding)},
        }
        if finding.rule in self._numbers:
            result["ruleIndex"] = self._numbers[finding.rule]
        return result


def _uri(path: str) -> str:
    """Return a path as a relative reference, or as a file URI if it is absolute."""
    posix = Path(path).as_posix()
    return f"file://{quote(posix)}" if Path(path).is_absolute() else quote(posix)


def _rule(name: str, severity: Severity) -> dict[str, Any]:
    spec = registry.rules.find(name)
    row: dict[str, Any] = {"id": name, "defaultConfiguration": {"level": _LEVELS[severity]}}
    if spec is not None:
        row.update(
            name=spec.name,
            shortDescription={"text": spec.title},
            fullDescription={"text": f"{spec.title}. {spec.reason} Source: {spec.source}."},
            help={"text": f"Fails: {spec.fails}. Passes: {spec.passes}."},
        )
    return row
