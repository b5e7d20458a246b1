"""The options that every batch command shares, and what they make.

def transcode(..., jobs: JobsOption = 0, timeout: TimeoutOption = None, ...) -> int:
    options = build_options(jobs=jobs, timeout=timeout, ...)
    ledger = build_ledger(out, settings, manifest=manifest, resume=resume, shard=shard)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imgconv.cli.progress import ProgressMode

if TYPE_CHECKING:
    from imgconv.batch.job import BatchOptions
    from imgconv.batch.ledger import Ledger
    from imgconv.batch.summary import Summary

__all__ = [
    "ExecutorOption",
    "FailFastOption",
    "FailedListOption",
    "JobsOption",
    "ManifestOption",
    "MemoryLimitOption",
    "ProgressOption",
    "ResumeOption",
    "RetriesOption",
    "ShardOption",
    "TimeoutOption",
    "build_ledger",
    "build_options",
    "format_summary",
    "holds_more",
    "may_fork",
]

_PANEL = "Batch"
_MIB = 1 << 20

JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        "-j",
        metavar="N",
        min=0,
        help="Worker processes; 0 is one per core.",
        rich_help_panel=_PANEL,
    ),
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Seconds after which one file is given up; 0 is never. [default: 600, and 1 per MiB]",
        rich_help_panel=_PANEL,
    ),
]
MemoryLimitOption = Annotated[
    int,
    typer.Option(
        metavar="MIB",
        min=0,
        help="MiB that one worker may allocate; 0 is no limit.",
        rich_help_panel=_PANEL,
    ),
]
RetriesOption = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=0,
        help="Further tries after an I/O error that may pass.",
        rich_help_panel=_PANEL,
    ),
]
FailFastOption = Annotated[
    bool, typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=_PANEL)
]
ManifestOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Append each outcome to this file of JSON lines.",
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume", help="Leave out what an earlier run has done.", rich_help_panel=_PANEL
    ),
]
ShardOption = Annotated[
    str,
    typer.Option(
        metavar="I/N", help="Do one of N parts of the work, as in 2/8.", rich_help_panel=_PANEL
    ),
]
FailedListOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the paths of the inputs that failed to this file.",
        dir_okay=False,
        rich_help_panel=_PANEL,
    ),
]
ExecutorOption = Annotated[
    str,
    typer.Option(
        metavar="local|dask|dask://HOST:PORT",
        help="Where the work is done.",
        rich_help_panel=_PANEL,
    ),
]
ProgressOption = Annotated[
    ProgressMode, typer.Option(help="How progress is shown on stderr.", rich_help_panel=_PANEL)
]


def build_options(
    *,
    jobs: int = 0,
    timeout: float | None = None,
    memory_limit: int = 0,
    retries: int = 2,
    fail_fast: bool = False,
    executor: str = "local",
    isolate: bool = False,
    preload: tuple[str, ...] = (),
    fork: bool = False,
) -> BatchOptions:
    """Return how the batch is run.

    Parameters
    ----------
    jobs, timeout, memory_limit, retries, fail_fast, executor
        As they come from the command line; `timeout` in seconds,
        `memory_limit` in MiB.
    isolate, preload, fork
        The command's own choice, as in `BatchOptions`.

    Raises
    ------
    UsageError
        A value makes no sense.
    """
    from imgconv.batch.job import BatchOptions

    return BatchOptions(
        workers=jobs,
        timeout_s=timeout,
        memory_limit_bytes=memory_limit * _MIB,
        retries=retries,
        fail_fast=fail_fast,
        executor=executor,
        isolate=isolate,
        preload=preload,
        fork=fork,
    )


def build_ledger(
    folder: Path | None,
    settings: object,
    *,
    manifest: Path | None = None,
    resume: bool = False,
    shard: str = "",
    failed_list: Path | None = None,
    versions: Mapping[str, str] | None = None,
) -> Ledger:
    """Return what is recorded and resumed.

    Parameters
    ----------
    folder
        Where the outputs go: names the journal, from which `--resume` goes
        on if there is no manifest.
    settings
        Everything that could change an output.
    manifest, resume, shard, failed_list
        As they come from the command line.
    versions
        Names and versions of libraries, for the manifest.

    Raises
    ------
    UsageError
        A value makes no sense, or there is nothing to resume from.
    """
    from imgconv.batch.journal import journal_path
    from imgconv.batch.ledger import Ledger
    from imgconv.batch.plan import Shard

    part = Shard.parse(shard) if shard else Shard()
    return Ledger(
        manifest=manifest,
        journal=None if folder is None else journal_path(folder, part),
        resume=resume,
        failed_list=failed_list,
        shard=part,
        settings=settings,
        versions=versions or {},
    )


def format_summary(summary: Summary, verb: str, *, fail_fast: bool = False) -> str:
    """Return one line for people: how many were done, left out, failed, and how fast.

    `fail_fast` says that a failure has ended the run.
    """
    counts = {status.value: number for status, number in summary.counts.items()}
    done = counts.pop("done", 0)
    rest = "".join(f", {number} {name}" for name, number in sorted(counts.items()))
    state = "stopped at a failure; " if fail_fast and summary.failed else ""
    if summary.interrupted:
        state = "interrupted; "
    rate = summary.size_bytes / max(summary.seconds, 1e-6) / 1e6
    return f"{state}{done} {verb}{rest} in {summary.seconds:.1f} s ({rate:.1f} MB/s)"


def may_fork(mode: ProgressMode) -> bool:
    """Whether workers may be forked: not beside the thread that draws a bar."""
    bar = mode is ProgressMode.BAR or (mode is ProgressMode.AUTO and sys.stderr.isatty())
    return sys.platform == "linux" and not bar


def holds_more(folder: str, few: int) -> bool:
    """Whether a folder surely holds more files than are done without workers, at any depth."""
    folders, count = [folder], 0
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        count += 1
                        if count > few:
                            return True
        except (OSError, ValueError):  # no folder, or no name of one
            continue
    return False
