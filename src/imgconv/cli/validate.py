"""`imgconv validate`: parse the options, call `ops.validate`, stream the reports."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imgconv.cli import completion
from imgconv.cli.batch_options import (
    JobsOption,
    ProgressOption,
    TimeoutOption,
    holds_more,
    may_fork,
)
from imgconv.cli.options import InputsArgument, QuietOption, ShowPhiOption, VerboseOption
from imgconv.cli.progress import ProgressMode

__all__ = ["validate"]

# What `ops.validate` names too: eight chunks of 32 files are checked without workers.
_PRELOAD = ("imgconv.ops.check_warm",)
_FEW = 8 * 32


class _Format(StrEnum):
    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    JUNIT = "junit"
    SARIF = "sarif"
    HTML = "html"
    GITHUB = "github"


class _FailOn(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


def validate(  # noqa: PLR0917  a command's options
    inputs: InputsArgument,
    profile: Annotated[
        list[str],
        typer.Option(
            "--profile",
            "-p",
            metavar="NAME|FILE",
            help="See `imgconv profile list`; several add up. [default: dicom]",
            autocompletion=completion.profiles,
        ),
    ] = [],  # noqa: B006  typer copies it
    format_name: Annotated[
        _Format, typer.Option("--format", help="What is printed.")
    ] = _Format.TEXT,
    report: Annotated[
        list[str],
        typer.Option(
            "--report", metavar="FORMAT:FILE", help="Write a further report, as sarif:out.sarif."
        ),
    ] = [],  # noqa: B006  typer copies it
    fail_on: Annotated[
        _FailOn, typer.Option(help="The least severity that makes the exit code 1.")
    ] = _FailOn.ERROR,
    select: Annotated[
        list[str], typer.Option(metavar="RULES", help="Only these: ids, or how ids begin.")
    ] = [],  # noqa: B006  typer copies it
    ignore: Annotated[list[str], typer.Option(metavar="RULES", help="Not these rules.")] = [],  # noqa: B006  typer copies it
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FILE", dir_okay=False, help="Accept the findings in this file."),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Write the findings of this run to a file for `--baseline`.",
        ),
    ] = None,
    single: Annotated[
        bool, typer.Option("--single", help="Files only, not what they make together.")
    ] = False,
    show_phi: ShowPhiOption = False,
    fix: Annotated[
        Path | None,
        typer.Option("--fix", metavar="FOLDER", file_okay=False, help="Write mended copies."),
    ] = None,
    diff: Annotated[bool, typer.Option("--diff", help="Show what `--fix` would change.")] = False,
    jobs: JobsOption = 0,
    timeout: TimeoutOption = None,
    progress: ProgressOption = ProgressMode.AUTO,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Check files, series and studies against the standard and profiles.

    Exit code 0: nothing at or above --fail-on; 1: findings; 4: nothing could
    be checked.
    """
    unasked = progress is ProgressMode.AUTO and not sys.stderr.isatty()
    mode = ProgressMode.NONE if quiet or unasked else progress
    fork = may_fork(mode)
    if not fork and jobs != 1 and any(holds_more(item, _FEW) for item in inputs):
        from imgconv.batch.preload import start_early

        # The modules of workers are imported while this process imports its own.
        start_early(_PRELOAD)
    from imgconv.cli.progress import show_progress
    from imgconv.cli.render import tell
    from imgconv.cli.validate_reports import open_reports, show_fixes
    from imgconv.core.finding import Severity
    from imgconv.ops.reports.text import format_summary
    from imgconv.ops.validate import ValidateOptions
    from imgconv.ops.validate import validate as run

    options = ValidateOptions(
        profiles=tuple(profile) or ("dicom",),
        select=_split(select),
        ignore=_split(ignore),
        fail_on=None if fail_on is _FailOn.NEVER else Severity(fail_on.value),
        baseline=baseline,
        show_values=show_phi,
        related=not single,
        jobs=jobs,
        timeout_s=timeout,
        fork=fork,
    )
    with (
        open_reports(
            "" if quiet and format_name is _Format.TEXT else format_name.value,
            report,
            inputs,
            options,
            verbose=verbose,
            write_baseline=write_baseline,
        ) as sinks,
        show_progress(mode, verbose=verbose) as listener,
    ):
        summary = run(inputs, options, sinks, listener)
    if format_name is not _Format.TEXT and format_name is not _Format.GITHUB and not quiet:
        tell(format_summary(summary))
    if fix is not None or diff:
        show_fixes(inputs, None if diff else fix, jobs=jobs)
    return summary.exit_code


def _split(values: list[str]) -> tuple[str, ...]:
    """Return the names in options that may be repeated and may hold commas, in their order."""
    names = (name.strip() for value in values for name in value.split(","))
    return tuple(dict.fromkeys(name for name in names if name))
