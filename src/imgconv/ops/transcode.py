"""Transcode DICOM files to another transfer syntax: plan the jobs, do one, run all.

`transcode_file` is the job's function: it runs in this process, in a worker,
or on another machine.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgconv.batch.job import BatchOptions, Job, JobResult, Outcome
from imgconv.batch.ledger import Ledger, iter_plan, run_batch
from imgconv.batch.plan import PlanStep, iter_plan_records
from imgconv.batch.summary import Summary
from imgconv.codecs.encode import require_quality
from imgconv.codecs.select import find_decoder, find_encoder, find_second_decoder
from imgconv.core.atomic import atomic_output
from imgconv.core.staging import scratch_folder
from imgconv.dicom.lossy import describe_lossy
from imgconv.dicom.recode import Recoded, RecodeOptions, Verify, recode
from imgconv.dicom.splice import FileParts, split_file
from imgconv.errors import ImgconvError, OutputError, UsageError, input_error
from imgconv.events import Listener, ignore_events
from imgconv.ops.inputs import Inputs, count_files, list_inputs
from imgconv.ops.transcode_plan import (
    Payload,
    TranscodeOptions,
    is_single,
    iter_jobs,
    share_cores,
)
from imgconv.ops.transcode_preload import preload_for
from imgconv.standard.transfer_syntaxes import (
    BY_UID,
    JPEG_XL_RECOMPRESSION,
    TransferSyntax,
    find_transfer_syntax,
)

if TYPE_CHECKING:
    from imgconv.core.expression import Expression

__all__ = [
    "TranscodeOptions",
    "find_target_syntax",
    "iter_jobs",
    "require_possible",
    "show_plan",
    "transcode",
    "transcode_file",
]

_DIRECTORY = "1.2.840.10008.1.3.10"  # Media Storage Directory Storage
_COPY_BYTES = 4 << 20


class _NotSmaller(Exception):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


def find_target_syntax(name: str) -> TransferSyntax:
    """Return the transfer syntax that `name` means.

    Raises
    ------
    UsageError
        There is none.
    """
    syntax = find_transfer_syntax(name.strip())
    if syntax is None:
        raise UsageError(
            f"unknown transfer syntax `{name}`", hint="list them by `imgconv transfer-syntaxes`"
        )
    return syntax


def require_possible(options: TranscodeOptions) -> TransferSyntax:
    """Check the options before any file is touched; return the target.

    Raises
    ------
    UsageError
        The target, a library, the quality or the condition makes no sense.
    UnsupportedData
        No codec writes the target.
    """
    syntax = find_target_syntax(options.to)
    families = sorted({one.family for one in BY_UID.values() if one.family})
    for family, _ in options.choice:
        if family not in families:
            raise UsageError(
                f"--codec names the unknown family `{family}`", hint=f"choose {', '.join(families)}"
            )
    if syntax.uid == JPEG_XL_RECOMPRESSION:  # made of JPEG streams as they are; it has no encoder
        require_quality(syntax.uid, options.encode)
        return syntax
    find_encoder(syntax.uid, dict(options.choice))
    require_quality(syntax.uid, options.encode)
    if options.verify not in Verify.ALL:
        raise UsageError(f"--verify is `{options.verify}`; expected none, fast or full")
    if options.verify == Verify.FULL and syntax.encapsulated:
        find_second_decoder(syntax.uid, find_decoder(syntax.uid))
    if options.where:
        _parse_condition(options.where)
    return syntax


def transcode_file(job: Job, *, options: TranscodeOptions) -> JobResult:
    """Transcode the first input of a job to its first output.

    Raises
    ------
    InputError
        The file cannot be read, is damaged, or does not go into the target.
    OutputError
        The output cannot be written.
    """
    payload: Payload = job.payload
    syntax = find_target_syntax(options.to)
    parts, reason = _look_at(job, syntax, options)
    if parts is None:
        return JobResult(outputs=(), skipped=reason)
    source, target = job.inputs[0], job.outputs[0]
    facts: dict[str, Any] = {"from": parts.syntax.uid, "to": syntax.uid}
    if not reason:
        try:
            done, made = _recode(parts, target, syntax, options, in_place=payload.in_place)
        except _NotSmaller as result:
            reason = f"the result would not be smaller: {result.size} bytes"
        except ImgconvError as error:
            raise error.with_path(source) from error.__cause__
        else:
            return JobResult(warnings=done.warnings, facts={**facts, **made})
    if payload.in_place:
        return JobResult(outputs=(), skipped=reason)
    _copy(source, target, replace_existing=options.overwrite)
    return JobResult(facts={**facts, "to": parts.syntax.uid, "action": "copied", "reason": reason})


def _look_at(
    job: Job, syntax: TransferSyntax, options: TranscodeOptions
) -> tuple[FileParts | None, str]:
    """Return the parts of a file, and why it is carried over as it is, if it is.

    No parts if it is left out, for the reason.
    """
    payload: Payload = job.payload
    if payload.problem is not None:
        raise payload.problem
    if payload.skipped:
        return None, payload.skipped
    target = job.outputs[0]
    if not (options.overwrite or payload.in_place) and os.path.lexists(target):
        hint = "replace it by `--overwrite always`"
        raise OutputError("exists already", path=target, hint=hint)
    parts = split_file(job.inputs[0], choice=dict(options.choice))
    skipped = _reason_to_skip(parts, options)
    if skipped:
        return None, skipped
    return parts, _reason_to_copy(parts, syntax, options)


def _foresee(step: PlanStep, options: TranscodeOptions) -> PlanStep:
    """Return a step with what `transcode_file` would do, as far as headers tell."""
    if step.status is not None:
        return step
    try:
        parts, reason = _look_at(step.job, find_target_syntax(options.to), options)
    except ImgconvError as error:
        return replace(step, action="fail", reason=error.message)
    if parts is None or (reason and step.job.payload.in_place):
        return replace(step, action="skip", reason=reason)
    return replace(step, action="copy" if reason else "transcode", reason=reason)


def _reason_to_skip(parts: FileParts, options: TranscodeOptions) -> str:
    if parts.header.get(0x00020002) == _DIRECTORY or "DirectoryRecordSequence" in parts.header:
        return "a DICOMDIR: make a new one for the new files"
    if options.where and not _parse_condition(options.where)(parts.header):
        return "the condition of --where is not satisfied"
    return ""


def _parse_condition(where: str) -> Expression:
    from imgconv.core.expression import parse_expression  # few runs have a condition

    return parse_expression(where)


def _reason_to_copy(parts: FileParts, syntax: TransferSyntax, options: TranscodeOptions) -> str:
    """Say why a file is carried over as it is, empty if it is not."""
    if parts.syntax == syntax and not options.encode.given:
        return f"it is in {syntax.name} already"
    if parts.syntax == syntax and _is_result(parts, syntax, options):
        return f"it was compressed to {syntax.name} with this quality before"
    if options.skip_compressed and parts.syntax.encapsulated and parts.syntax.family != "native":
        return f"it is compressed already: {parts.syntax.name}"
    if parts.frames is None and syntax.encapsulated and parts.syntax.family != "video":
        return "it has no pixel data to compress"
    return ""


def _is_result(parts: FileParts, syntax: TransferSyntax, options: TranscodeOptions) -> bool:
    """Whether a file is what these options made: each time more would lose more."""
    told = parts.header.get("DerivationDescription")
    made = describe_lossy(syntax.name, options.encode.quality_text)
    return isinstance(told, str) and told.endswith(made)


def _recode(
    parts: FileParts,
    target: Path,
    syntax: TransferSyntax,
    options: TranscodeOptions,
    *,
    in_place: bool,
) -> tuple[Recoded, dict[str, Any]]:
    """Write a file anew; return what was done, also as facts for the manifest."""
    size = parts.size  # in place, the file is another one afterwards

    def accept(new_size: int) -> None:
        if options.only_if_smaller and new_size >= size:
            raise _NotSmaller(new_size)

    wanted = RecodeOptions(
        target=syntax.uid,
        encode=options.encode,
        verify=options.verify,
        keep_sop_instance_uid=options.keep_sop_instance_uid,
        choice=options.choice,
        digests=options.digests,
        threads=max(1, options.threads),
    )
    done = recode(
        parts, target, wanted, accept=accept, replace_existing=options.overwrite or in_place
    )
    return done, _facts(done, size)


def _facts(done: Recoded, size_before: int) -> dict[str, Any]:
    facts = {
        "action": "transcoded",
        "frames": done.frame_count,
        "decoder": done.decoder,
        "encoder": done.encoder,
        "verified": done.verified,
        "pixel_sha256": done.pixel_digest,
        "sop_instance_uid": done.sop_instance_uid,
        "size_before": size_before,
        "size_after": done.size_bytes,
    }
    return {name: value for name, value in facts.items() if value != ""}


def _copy(source: Path, target: Path, *, replace_existing: bool) -> None:
    try:
        with source.open("rb") as stream, atomic_output(target, replace=replace_existing) as out:
            shutil.copyfileobj(stream, out, _COPY_BYTES)
    except OSError as error:
        raise input_error(error, source) from error


def transcode(
    inputs: Inputs,
    output: str | os.PathLike[str] | None,
    options: TranscodeOptions,
    *,
    batch: BatchOptions | None = None,
    ledger: Ledger | None = None,
    listener: Listener = ignore_events,
    on_outcome: Callable[[Outcome], None] | None = None,
) -> Summary:
    """Transcode everything in `inputs`.

    Parameters
    ----------
    inputs
        Files, folders, archives, patterns: one, or several.
    output
        A folder, or a file for a single file; None replaces the inputs.
    options
        What is done to each file.
    batch, ledger
        How the batch is run, and what is recorded.
    on_outcome
        Called with the outcome of each file.

    Raises
    ------
    UsageError, UnsupportedData
        The options make no sense, see `require_possible`.
    InputError
        An input does not exist.
    """
    syntax = require_possible(options)
    items, folder = list_inputs(inputs), None if output is None else Path(output)
    books = ledger or Ledger()
    heard = listener is not ignore_events
    total = count_files(items, exclude=folder) // books.shard.count if heard else 0
    scratch = None if folder is None or is_single(items, folder) else folder
    with scratch_folder(items, scratch) as staging:
        jobs = iter_jobs(items, folder, staging)
        first = list(islice(jobs, _FEW))
        how = batch or BatchOptions()
        if not options.threads and len(first) < _FEW:
            options = replace(options, threads=share_cores(first, how.worker_count))
        how = replace(
            how,
            preload=(*how.preload, *preload_for(syntax)),
            overlap=True,
            isolate=how.isolate or any(_may_crash(job) for job in first),
        )
        return run_batch(
            chain(first, jobs),
            partial(transcode_file, options=options),
            how,
            books,
            listener=listener,
            on_outcome=on_outcome,
            phase="transcode",
            total=total,
        )


def show_plan(
    inputs: Sequence[str | os.PathLike[str]],
    output: Path | None,
    options: TranscodeOptions,
    ledger: Ledger | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield what `transcode` would do, as JSON objects; nothing is written.

    `action` is ``transcode``, ``copy``, ``skip``, ``fail`` or ``already-done``, as far
    as headers tell: what is wrong with pixels is not seen, nor which result would be smaller.
    """
    require_possible(options)
    with scratch_folder(inputs, None) as staging:
        jobs = iter_jobs(inputs, output, staging)
        steps = iter_plan(jobs, ledger or Ledger())
        yield from iter_plan_records(_foresee(step, options) for step in steps)


_FEW = 16  # more files than that are done by workers anyway


def _may_crash(job: Job) -> bool:
    """Whether large C libraries will decode what may come from anyone."""
    if job.payload.skipped or job.payload.problem is not None:  # a pipe may block for ever
        return False
    try:
        with job.inputs[0].open("rb") as file:
            return b"1.2.840.10008.1.2.4." in file.read(2048)
    except OSError:
        return False
