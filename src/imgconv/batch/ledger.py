"""Run a batch with its books: manifest, resume, shard, list of failures, summary."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import field, replace
from pathlib import Path
from typing import BinaryIO

from imgconv.batch.engine import run
from imgconv.batch.job import BatchOptions, Job, JobFunction, Outcome, Status
from imgconv.batch.journal import prune_journals
from imgconv.batch.manifest import ManifestIndex, ManifestWriter, digest_options
from imgconv.batch.plan import PlanStep, Shard, iter_shard
from imgconv.batch.summary import Summary
from imgconv.batch.sweep import Sweeper
from imgconv.errors import OutputError, UsageError, output_error
from imgconv.events import Event, EventKind, Listener, ignore_events
from imgconv.records import record

__all__ = ["Ledger", "iter_plan", "run_batch"]


@record
class Ledger:
    """What is written about a run, and what of it is used again.

    Parameters
    ----------
    manifest
        Where outcomes are recorded, with digests; None is nowhere.
    journal
        Where they are recorded if there is no manifest: without digests, and
        only as well as it goes. A run that does not resume begins it anew.
    resume
        Whether to leave out what the manifest, or the journal, says is done.
    failed_list
        Gets the first input of every job that failed, one path a line; ``/./`` in
        it stands before what its output is named by.
    shard
        The part of the plan that is ours.
    settings
        Everything that could change an output; for `digest_options`.
    versions
        Names and versions of libraries, for the manifest.
    """

    manifest: Path | None = None
    journal: Path | None = None
    resume: bool = False
    failed_list: Path | None = None
    shard: Shard = field(default_factory=Shard)
    settings: object = None
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.resume and self.source is None:
            raise UsageError(
                "nothing to resume: there is no manifest", hint="add `--manifest FILE`"
            )

    @property
    def source(self) -> Path | None:
        """What a run is resumed from."""
        return self.manifest or self.journal


def run_batch(
    jobs: Iterable[Job],
    function: JobFunction,
    options: BatchOptions,
    ledger: Ledger,
    *,
    listener: Listener = ignore_events,
    on_outcome: Callable[[Outcome], None] | None = None,
    phase: str = "",
    total: int = 0,
) -> Summary:
    """Run a batch to its end, or to Ctrl-C, which the summary tells.

    Parameters
    ----------
    jobs, function, options, listener
        As for `imgconv.batch.engine.run`.
    ledger
        What is recorded, resumed, and ours.
    on_outcome
        Called with each outcome, those of an earlier run included.
    phase
        The name of the phase that the listener is told.
    total
        The number of jobs if it is known: for the progress.

    Raises
    ------
    OutputError
        The manifest or the list of failures cannot be written.
    InputError
        The manifest to resume from cannot be read.
    UsageError, InternalError
        As for `imgconv.batch.engine.run`.
    """
    summary = Summary()
    began = time.monotonic()
    with ExitStack() as stack:
        books = _Books(ledger, stack, summary, on_outcome)
        wanted = replace(options, digests=options.digests or ledger.manifest is not None)
        listener(Event(EventKind.PHASE, phase, total=total))
        try:
            outcomes = run(books.iter_todo(jobs, listener), function, wanted, listener)
            with closing(outcomes):
                for outcome in outcomes:
                    books.enter(outcome)
        except KeyboardInterrupt:
            summary.interrupted = True
    summary.seconds = time.monotonic() - began
    return summary


def iter_plan(jobs: Iterable[Job], ledger: Ledger) -> Iterator[PlanStep]:
    """Iterate over what `run_batch` would do, without doing anything."""
    with ExitStack() as stack:
        index = _open_index(ledger, stack)
        for job in iter_shard(jobs, ledger.shard):
            done = index is not None and index.is_done(job)
            yield PlanStep(job, Status.ALREADY_DONE if done else None)


class _Books:
    """The open files of a ledger, and the outcomes that go into them."""

    def __init__(
        self,
        ledger: Ledger,
        stack: ExitStack,
        summary: Summary,
        on_outcome: Callable[[Outcome], None] | None,
    ) -> None:
        self._shard = ledger.shard
        self._summary = summary
        self._on_outcome = on_outcome
        self._index = _open_index(ledger, stack)
        self._manifest = _open_writer(ledger, stack)
        self._failed_list: _FailedList | None = None
        if ledger.failed_list is not None:
            self._failed_list = _FailedList(ledger.failed_list)
            stack.callback(self._failed_list.close)

    def iter_todo(self, jobs: Iterable[Job], listener: Listener) -> Iterator[Job]:
        """Iterate over what is ours and not done; sweep the output folders on the way."""
        sweeper = Sweeper()
        for job in iter_shard(jobs, self._shard):
            sweeper.visit(job.folders)
            outputs = None if self._index is None else self._index.find_outputs(job)
            if outputs is not None:
                self._count(Outcome(job, Status.ALREADY_DONE, outputs=outputs, attempts=0))
                name = Status.ALREADY_DONE.value
                size = job.size_bytes
                listener(Event(EventKind.STEP, name, item=job.key, size_bytes=size))
            else:
                yield job

    def enter(self, outcome: Outcome) -> None:
        """Record one outcome."""
        if self._manifest is not None:
            self._manifest.add(outcome)
        if self._failed_list is not None and outcome.status is Status.FAILED:
            self._failed_list.add(outcome.job)
        self._count(outcome)

    def _count(self, outcome: Outcome) -> None:
        self._summary.add(outcome)
        if self._on_outcome is not None:
            self._on_outcome(outcome)


class _FailedList:
    """A text file with one path a line, complete at any moment."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archives: set[Path] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream: BinaryIO = path.open("wb", buffering=0)
        except OSError as error:
            raise output_error(error, path) from error

    def add(self, job: Job) -> None:
        if job.archive is not None:
            if job.archive in self._archives:
                return
            self._archives.add(job.archive)
        try:
            self._stream.write(_named_below(job) + b"\n")
        except OSError as error:
            raise output_error(error, self._path) from error

    def close(self) -> None:
        self._stream.close()


def _named_below(job: Job) -> bytes:
    """Return the path of an input, with ``/./`` before what its output is named by.

    So that a run which is given the list puts the output where this one would have.
    """
    name = os.fsencode(next(iter(job.lasting_inputs), job.key))
    key = os.fsencode(job.key)
    if b"/" in key and name.endswith(b"/" + key):
        return name[: -len(key)] + b"./" + key
    return name


def _open_index(ledger: Ledger, stack: ExitStack) -> ManifestIndex | None:
    if not ledger.resume or ledger.source is None:
        return None
    index = ManifestIndex(ledger.source, options_digest=digest_options(ledger.settings))
    stack.callback(index.close)
    return index


def _open_writer(ledger: Ledger, stack: ExitStack) -> ManifestWriter | None:
    digest = digest_options(ledger.settings)
    if ledger.manifest is not None:
        writer = ManifestWriter(ledger.manifest, options_digest=digest, versions=ledger.versions)
        return stack.enter_context(writer)
    if ledger.journal is None:
        return None
    try:
        ledger.journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not ledger.resume:
            ledger.journal.unlink(missing_ok=True)
        writer = ManifestWriter(ledger.journal, options_digest=digest, durable=False)
    except (OSError, OutputError):
        return None  # nobody asked for it: without a home there is no journal
    prune_journals(ledger.journal.parent)
    return stack.enter_context(writer)
