"""`imgconv transcode`: parse the options, call `ops.transcode`, render what became of the files."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imgconv.cli import completion
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
    holds_more,
    may_fork,
)
from imgconv.cli.options import (
    DryRunOption,
    InputsArgument,
    JsonOption,
    OverwriteChoice,
    OverwriteOption,
    QuietOption,
    VerboseOption,
)
from imgconv.cli.progress import ProgressMode

if TYPE_CHECKING:
    from imgconv.batch.job import Outcome

__all__ = ["transcode"]

_LOSSY = "Lossy targets"
_FEW = 8  # files that are done without workers


class _Verify(StrEnum):
    NONE = "none"
    FAST = "fast"
    FULL = "full"


def transcode(  # noqa: PLR0917  a command's options
    inputs: InputsArgument,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="SYNTAX",
            help="Name or UID; see `imgconv transfer-syntaxes`.",
            autocompletion=completion.transfer_syntaxes,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Folder, or file, to write."),
    ] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the inputs.")] = False,
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="Only these: \"Modality == 'CT'\".")
    ] = None,
    skip_compressed: Annotated[
        bool, typer.Option("--skip-compressed", help="Copy compressed files as they are.")
    ] = False,
    only_if_smaller: Annotated[
        bool, typer.Option("--only-if-smaller", help="Copy files that would not shrink.")
    ] = False,
    verify: Annotated[
        _Verify, typer.Option(help="Decode and compare; full: by 2 libraries.")
    ] = _Verify.FAST,
    codec: Annotated[
        list[str], typer.Option("--codec", metavar="FAMILY=LIBRARY", help="Use this library.")
    ] = [],  # noqa: B006  typer copies it
    overwrite: OverwriteOption = OverwriteChoice.NEVER,
    near: Annotated[
        int | None,
        typer.Option(metavar="N", help="JPEG-LS: largest error.", rich_help_panel=_LOSSY),
    ] = None,
    ratio: Annotated[
        float | None,
        typer.Option(
            metavar="R", help="JPEG 2000, HTJ2K, JPEG XL: size ratio.", rich_help_panel=_LOSSY
        ),
    ] = None,
    quality: Annotated[
        int | None,
        typer.Option(metavar="1..100", help="JPEG, JPEG XL: 100 is best.", rich_help_panel=_LOSSY),
    ] = None,
    psnr: Annotated[
        float | None,
        typer.Option(
            metavar="DB", help="JPEG 2000, HTJ2K: signal to noise, in dB.", rich_help_panel=_LOSSY
        ),
    ] = None,
    keep_sop_instance_uid: Annotated[
        bool,
        typer.Option(
            "--keep-sop-instance-uid",
            help="Give no new UID to a lossy image.",
            rich_help_panel=_LOSSY,
        ),
    ] = False,
    effort: Annotated[
        int, typer.Option(metavar="1..9", min=1, max=9, help="JPEG XL: 1 fast, 9 small.")
    ] = 3,
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
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Change the transfer syntax of DICOM files; all but the pixels stays as it is.

    Lossless results are decoded and compared. Exit code 3: some inputs failed,
    the others were done; 4: none was done; 5: an output could not be written.
    """
    # One file is not worth progress in a log; on a terminal it is.
    unasked = progress is ProgressMode.AUTO and len(inputs) == 1 and Path(inputs[0]).is_file()
    mode = ProgressMode.NONE if quiet or (unasked and not sys.stderr.isatty()) else progress
    fork = may_fork(mode)
    if executor == "local" and not dry_run and not fork:
        _start_workers_early(inputs, to)

    from imgconv.cli.batch_options import build_ledger, build_options, format_summary
    from imgconv.cli.progress import show_progress
    from imgconv.cli.render import tell
    from imgconv.codecs.encode import EncodeOptions
    from imgconv.errors import InputError
    from imgconv.ops.transcode import TranscodeOptions, show_plan, transcode

    folder = _target(output, in_place=in_place)
    options = TranscodeOptions(
        to=to,
        encode=EncodeOptions(near=near, ratio=ratio, quality=quality, psnr=psnr, effort=effort),
        verify=verify.value,
        only_if_smaller=only_if_smaller,
        skip_compressed=skip_compressed,
        where=_condition(where),
        keep_sop_instance_uid=keep_sop_instance_uid,
        choice=_choice(codec),
        digests=manifest is not None or json,
        # What an interrupted run has finished but not recorded is made again, the same.
        overwrite=resume or overwrite is OverwriteChoice.ALWAYS,
    )
    ledger = build_ledger(
        folder,
        # What changes no output does not keep a run from being resumed.
        replace(options, overwrite=False, digests=False, threads=1),
        manifest=manifest,
        resume=resume,
        shard=shard,
        failed_list=failed_list,
        versions=_versions() if manifest is not None else {},
    )
    if dry_run:
        plan = _Plan(json=json)
        for record in show_plan(inputs, folder, options, ledger):
            plan.add(record)
        if not (plan.counts or shard):
            raise InputError("there is no file to transcode")
        if not quiet:
            tell(plan.summary)
        return 0
    batch = build_options(
        jobs=jobs,
        timeout=timeout,
        memory_limit=memory_limit,
        retries=retries,
        fail_fast=fail_fast,
        executor=executor,
        fork=fork,
    )
    report = _Report(json=json, verbose=verbose and not quiet)
    with show_progress(mode, verbose=verbose) as listener:
        summary = transcode(
            inputs,
            folder,
            options,
            batch=batch,
            ledger=ledger,
            listener=listener,
            on_outcome=report.add,
        )
    if not (summary.total or shard or summary.interrupted):
        raise InputError("there is no file to transcode")
    if not quiet and (summary.total > 1 or not summary.failed or fail_fast):
        tell(format_summary(summary, "transcoded", fail_fast=fail_fast) + report.remark)
    return summary.exit_code


def _start_workers_early(inputs: list[str], to: str) -> None:
    """Let the workers' modules be imported beside our own, if there will be workers."""
    from imgconv.standard.transfer_syntaxes import find_transfer_syntax

    syntax = find_transfer_syntax(to.strip())
    if syntax is not None and any(holds_more(item, _FEW) for item in inputs):
        from imgconv.batch.preload import start_early
        from imgconv.ops.transcode_preload import preload_for

        start_early(preload_for(syntax))


def _target(output: Path | None, *, in_place: bool) -> Path | None:
    from imgconv.errors import UsageError

    if in_place == (output is not None):
        raise UsageError("say either `--output OUT` or `--in-place`")
    return output


def _condition(where: str | None) -> str:
    """Return the condition; that of an unset variable must not mean every file."""
    from imgconv.errors import UsageError

    if where is not None and not where.strip():
        raise UsageError(
            "the condition of --where is empty", hint="leave out `--where` to take every file"
        )
    return where or ""


def _choice(codec: list[str]) -> tuple[tuple[str, str], ...]:
    from imgconv.errors import UsageError

    pairs = []
    for item in codec:
        family, equals, library = item.partition("=")
        if not (family and equals and library):
            raise UsageError(
                f"--codec is `{item}`; expected FAMILY=LIBRARY, as in `jpeg-ls=pylibjpeg`"
            )
        pairs.append((family, library))
    return tuple(pairs)


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from imgconv import __version__

    names = ("imagecodecs", "numpy")
    return {"imgconv": __version__, **{name: version(name) for name in names}}


class _Plan:
    """Prints what would be done as a line each, for programs or for people."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._size_bytes = 0
        self.counts: Counter[str] = Counter()

    def add(self, record: dict[str, Any]) -> None:
        """Print one step and count it."""
        action = record["action"]
        self.counts[action] += 1
        self._size_bytes += record["size_bytes"] * (action in {"transcode", "copy"})
        if self._json:
            _print_record(record)
            return
        from imgconv.core.printable import printable

        target = f" -> {record['outputs'][0]}" if action in {"transcode", "copy"} else ""
        reason = f": {record['reason']}" if "reason" in record else ""
        line = f"would {action}" if action != "already-done" else action
        sys.stdout.write(printable(f"{line}: {record['path']}{target}{reason}") + "\n")

    @property
    def summary(self) -> str:
        """One line for people."""
        words = [f"{number} {action}" for action, number in sorted(self.counts.items())]
        return f"would: {', '.join(words)} ({self._size_bytes / 1e6:.1f} MB); nothing was written"


class _Report:
    """Prints an outcome as a line: JSON, or for people if they asked for one."""

    def __init__(self, *, json: bool, verbose: bool) -> None:
        self._json = json
        self._verbose = verbose
        self._copied = 0

    @property
    def remark(self) -> str:
        """What the summary should not leave out."""
        return f"; {self._copied} of them copied as they were" if self._copied else ""

    def add(self, outcome: Outcome) -> None:
        self._copied += outcome.result.facts.get("action") == "copied"
        if self._json:
            from imgconv.batch.manifest import outcome_record

            _print_record(outcome_record(outcome))
        elif self._verbose:
            facts = outcome.result.facts
            what = outcome.reason or facts.get("reason") or _sizes(facts)
            sys.stdout.write(f"{outcome.status.value}: {_shown(outcome)}: {what}\n")


def _shown(outcome: Outcome) -> str:
    from imgconv.core.printable import printable

    return printable(str(outcome.job.path))


def _sizes(facts: Any) -> str:
    before, after = facts.get("size_before", 0), facts.get("size_after", 0)
    return f"{before} -> {after} bytes, {facts.get('encoder') or 'carried over'}"


def _print_record(record: dict[str, Any]) -> None:
    import json

    sys.stdout.write(json.dumps(record, ensure_ascii=True) + "\n")
