"""Open the reports of `imgconv validate`: one on stdout, others in files, and the baseline."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from imgconv.core.atomic import atomic_output
from imgconv.core.finding import Finding
from imgconv.errors import UsageError
from imgconv.ops.baseline import Baseline
from imgconv.ops.check_files import CheckPlan, load_plan
from imgconv.ops.reports.table import REPORTS, ReportContext, make_report
from imgconv.ops.validate import Sink, ValidateOptions, ValidateSummary

__all__ = ["open_reports", "show_fixes"]


@contextmanager
def open_reports(
    format_name: str,
    reports: Sequence[str],
    inputs: Sequence[str],
    options: ValidateOptions,
    *,
    verbose: bool = False,
    write_baseline: Path | None = None,
) -> Iterator[list[Sink]]:
    """Give the reports that a run streams into; files are complete or not there.

    Raises
    ------
    UsageError
        A report is not given as FORMAT:FILE, or its format is unknown.
    OutputError
        A file cannot be written.
    """
    plan = CheckPlan(profiles=options.profiles, select=options.select, ignore=options.ignore)
    context = ReportContext(tuple(inputs), dict(load_plan(plan).checks.grades), verbose)
    wanted = [_parse(report) for report in reports]
    with ExitStack() as stack:
        sinks: list[Sink] = []
        if format_name:
            sinks.append(make_report(format_name, sys.stdout, context))
        for name, path in wanted:
            binary = stack.enter_context(atomic_output(path))
            text = io.TextIOWrapper(binary, encoding="utf-8", newline="\n", write_through=True)
            stack.callback(text.detach)
            sinks.append(make_report(name, text, context))
        if write_baseline is not None:
            sinks.append(_BaselineSink(write_baseline))
        yield sinks


def _parse(report: str) -> tuple[str, Path]:
    name, _, path = report.partition(":")
    if not path or name not in REPORTS:
        raise UsageError(
            f"`{report}` is no report; expected FORMAT:FILE",
            hint=f"formats: {', '.join(REPORTS)}",
        )
    target = Path(path)
    if target.exists() and not target.is_file():
        raise UsageError(f"the report `{report}` would replace what is no file")
    return name, target


class _BaselineSink:
    """Accepts all findings, and writes them at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._baseline = Baseline()

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self._baseline.add(finding)

    def add_related(self, finding: Finding) -> None:
        self._baseline.add(finding)

    def finish(self, _summary: ValidateSummary) -> None:
        self._baseline.write(self._path)


def show_fixes(inputs: Sequence[str], folder: Path | None, *, jobs: int = 0) -> None:
    """Mend the inputs into `folder` by `ops.standardize`, and print each change to stderr.

    Without a folder nothing is written: the changes are only told.
    """
    import tempfile

    from imgconv.batch.job import BatchOptions
    from imgconv.cli.render import tell
    from imgconv.ops.standardize import NONCONFORMANT, Running, StandardizeOptions, standardize

    options = StandardizeOptions(allow=frozenset({NONCONFORMANT}), dry_run=folder is None)
    with tempfile.TemporaryDirectory(prefix="imgconv-") as staging:
        report = standardize(
            list(inputs),
            folder or Path(staging) / "nothing",
            options,
            running=Running(Path(staging), BatchOptions(workers=jobs)),
        )
    for file in report.to_json()["files"]:
        for change in file["changes"]:
            place = change["keyword"] or change["tag"] or "file"
            after = change["after"] or "left as it is"
            tell(f"{file['input']}: {place}: {change['before']} -> {after} ({change['reason']})")
        if file["status"] == "failed":
            tell(f"{file['input']}: not mended: {file['reason']}")
