"""`imgconv standardize`: parse the options, call `ops.standardize`, render its report."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgconv.cli.batch_options import (
    ExecutorOption,
    FailedListOption,
    FailFastOption,
    JobsOption,
    ManifestOption,
    MemoryLimitOption,
    ProgressOption,
    ResumeOption,
    RetriesOption,
    ShardOption,
    TimeoutOption,
    build_ledger,
    build_options,
    format_summary,
)
from imgconv.cli.options import (
    AllowOption,
    DryRunOption,
    InputsArgument,
    JsonOption,
    OverwriteChoice,
    OverwriteOption,
    QuietOption,
    VerboseOption,
    split_names,
)
from imgconv.cli.progress import ProgressMode

if TYPE_CHECKING:
    from imgconv.ops.standardize import StandardizeReport

__all__ = ["standardize"]


def standardize(  # noqa: PLR0917  a command's options
    inputs: InputsArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Folder to write.")
    ],
    charset: Annotated[
        str,
        typer.Option(
            metavar="TERM", help="Character set of text that declares none: `ISO_IR 100`."
        ),
    ] = "",
    facts: Annotated[
        list[str],
        typer.Option("--set", metavar="KEYWORD=VALUE", help="Fill what the files do not say."),
    ] = [],  # noqa: B006  typer copies it
    history: Annotated[
        bool, typer.Option(help="Keep replaced values in Original Attributes Sequence.")
    ] = True,
    enhance: Annotated[
        bool, typer.Option("--enhance", help="Make one enhanced object of each CT, MR, PET series.")
    ] = False,
    kind: Annotated[
        str,
        typer.Option("--as", metavar="KIND", help="With --enhance: auto, legacy or enhanced."),
    ] = "auto",
    split: Annotated[
        bool, typer.Option("--split", help="Make a single-frame series of each enhanced object.")
    ] = False,
    allow: AllowOption = [],  # noqa: B006  typer copies it
    overwrite: OverwriteOption = OverwriteChoice.NEVER,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    jobs: JobsOption = 0,
    timeout: TimeoutOption = None,
    memory_limit: MemoryLimitOption = 0,
    retries: RetriesOption = 2,
    fail_fast: FailFastOption = False,
    manifest: ManifestOption = None,
    resume: ResumeOption = False,
    shard: ShardOption = "",
    failed_list: FailedListOption = None,
    executor: ExecutorOption = "local",
    progress: ProgressOption = ProgressMode.AUTO,
) -> int:
    """Mend legacy and broken DICOM files, and report every change.

    A file that only an invented fact would make conformant is refused; give
    the fact by --set, or accept it by --allow nonconformant.
    """
    from dataclasses import replace

    from imgconv.cli.progress import show_progress
    from imgconv.core.staging import scratch_folder
    from imgconv.ops.standardize import Running, StandardizeOptions

    run = _choose(enhance=enhance, split=split, kind=kind)
    options = StandardizeOptions(
        charset,
        _parse_facts(facts),
        history,
        split_names(allow),
        dry_run=dry_run,
        overwrite=resume or overwrite is OverwriteChoice.ALWAYS,
    )
    batch = build_options(
        jobs=jobs,
        timeout=timeout,
        memory_limit=memory_limit,
        retries=retries,
        fail_fast=fail_fast,
        executor=executor,
        preload=("imgconv.ops.standardize",),
    )
    ledger = build_ledger(
        None if dry_run else output,
        replace(options, overwrite=False, dry_run=False),
        manifest=manifest,
        resume=resume,
        shard=shard,
        failed_list=failed_list,
    )
    with (
        scratch_folder(inputs, None if dry_run else output) as staging,
        show_progress(ProgressMode.NONE if quiet else progress) as listener,
    ):
        running = Running(staging, batch, ledger, listener)
        report = run(inputs, output, options, running=running)
    _show(report, as_json=json, quiet=quiet, verbose=verbose)
    if not quiet and (report.summary.total > 1 or not report.summary.failed):
        sys.stderr.write(format_summary(report.summary, "standardized") + "\n")
    return report.exit_code


def _choose(*, enhance: bool, split: bool, kind: str) -> Callable[..., StandardizeReport]:
    from imgconv.errors import UsageError

    if enhance and split:
        raise UsageError("`--enhance` and `--split` exclude each other")
    if kind != "auto" and not enhance:
        raise UsageError("`--as` goes with `--enhance`")
    if not enhance and not split:
        from imgconv.ops.standardize import standardize as run

        return run
    if split:
        from imgconv.ops.multiframe import split as run_split

        return run_split
    from functools import partial

    from imgconv.ops.enhance import EnhancedKind
    from imgconv.ops.enhance import enhance as run_enhance

    if kind not in list(EnhancedKind):
        raise UsageError(f"`--as {kind}` is none of {', '.join(EnhancedKind)}")
    return partial(run_enhance, kind=EnhancedKind(kind))


def _parse_facts(texts: list[str]) -> dict[str, str]:
    from imgconv.errors import UsageError

    facts = {}
    for text in texts:
        keyword, sign, value = text.partition("=")
        if not sign:
            raise UsageError(f"`--set {text}` has no value; expected KEYWORD=VALUE")
        facts[keyword.strip()] = value
    return facts


def _show(report: StandardizeReport, *, as_json: bool, quiet: bool, verbose: bool) -> None:
    from imgconv.cli.render import print_lines, tell

    if as_json:
        import json

        sys.stdout.write(json.dumps(report.to_json(), indent=1) + "\n")
    elif not quiet:
        print_lines(_list_lines(report.to_json(), verbose=verbose))
    # The progress has told of the files that failed; what was no job is told here.
    for name, error in report.refused:
        tell(f"error: {name}: {error.message}")
    if not report.outcomes and not report.refused:
        for name, reason in report.skipped[:1]:
            tell(f"error: {name}: {reason}; nothing is left to do")


def _list_lines(report: dict[str, Any], *, verbose: bool) -> list[str]:
    """Return the report for people: what was changed how often, or per file if `verbose`."""
    lines = []
    counts: dict[tuple[str, str, str], int] = {}
    left_out: dict[str, int] = {}
    for file in report["files"]:
        if verbose:
            why = f": {file['reason']}" if file["reason"] else ""
            lines.append(f"{file['input']}: {file['status']}{why}")
        elif file["status"] == "skipped":
            left_out[file["reason"]] = left_out.get(file["reason"], 0) + 1
        for change in file["changes"]:
            done = "" if change["done"] else "left: "
            place = change["keyword"] or change["tag"]
            what = f"{change['before']} -> {change['after'] or 'unchanged'}"
            if verbose:
                lines.append(f"  {done}{place} {what} ({change['reason']}; {change['source']})")
            else:
                key = (f"{done}{change['name']}", place, what)
                counts[key] = counts.get(key, 0) + 1
    lines += [
        f"{number:6} x {name}: {place} {what}".rstrip()
        for (name, place, what), number in sorted(counts.items(), key=lambda item: -item[1])
    ]
    lines += [f"{number:6} x skipped: {reason}" for reason, number in left_out.items()]
    return lines
