"""Validate files, series and studies against profiles.

Files are checked in chunks by worker processes; findings stream to the
reports in the order of the files, and nothing but counts is held. What rules
about several files need is kept in a database on the disk.

    summary = validate(["study/"], ValidateOptions(profiles=("research",)), sinks=[...])
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import field
from pathlib import Path
from typing import Protocol

from imgconv.batch.engine import run
from imgconv.batch.job import BatchOptions, Job, Outcome
from imgconv.core.finding import Finding, Severity
from imgconv.errors import ImgconvError, InputError
from imgconv.events import Event, EventKind, Listener, ignore_events
from imgconv.exitcodes import ExitCode
from imgconv.ops.baseline import Baseline
from imgconv.ops.check_files import (
    UNFINISHED,
    UNREADABLE,
    CheckedFile,
    CheckPlan,
    LoadedPlan,
    Target,
    check_chunk,
    load_plan,
    unpack,
)
from imgconv.ops.inputs import InputFile, Inputs, gather, list_inputs
from imgconv.profiles.grades import RANKS
from imgconv.profiles.groups import check_groups, group_rules
from imgconv.records import record
from imgconv.rules.engine import check_records
from imgconv.rules.record_store import RecordStore

__all__ = ["Sink", "ValidateOptions", "ValidateSummary", "list_findings", "validate"]

# A job of this size costs some 100 ms, far above what handing it to a worker costs.
_CHUNK_FILES = 32
_CHUNK_BYTES = 32 << 20
_PRELOAD = ("imgconv.ops.check_warm",)


class Sink(Protocol):
    """What findings stream into: a report."""

    def add_file(self, name: str, findings: Sequence[Finding]) -> None:
        """Take the findings of one file, also if there are none."""

    def add_related(self, finding: Finding) -> None:
        """Take a finding about a series, study or set."""

    def finish(self, summary: ValidateSummary) -> None:
        """Take the counts at the end, and complete the report."""


@record
class ValidateOptions:
    """How to validate.

    Parameters
    ----------
    profiles
        Names or files of profiles; they add up, the stricter severity wins.
    select, ignore
        Ids, beginnings of ids, or names of rules.
    fail_on
        The least severity that fails the run; None: nothing does.
    baseline
        Findings that are known and accepted.
    show_values
        Whether findings carry the offending values.
    related
        Whether the rules about series, studies and the set run.
    jobs
        Worker processes; 0 is one per core.
    timeout_s
        Seconds after which a chunk is given up; 0 is never.
    fork
        Whether workers may be forked from this process, as `BatchOptions` has it.
    """

    profiles: tuple[str, ...] = ("dicom",)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Severity | None = Severity.ERROR
    baseline: Path | None = None
    show_values: bool = False
    related: bool = True
    jobs: int = 0
    timeout_s: float | None = None
    fork: bool = False


@record(frozen=False)
class ValidateSummary:
    """Counts of a run.

    `with_findings` are files with findings of their own, `related` are findings about what
    files make together. `known` are findings that the baseline accepts; they are in no other
    count.
    """

    profiles: tuple[str, ...] = ()
    files: int = 0
    skipped: int = 0
    with_findings: int = 0
    related: int = 0
    known: int = 0
    severities: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    fail_on: Severity | None = Severity.ERROR

    @property
    def exit_code(self) -> ExitCode:
        """1 if a finding is at or above what fails the run, 4 if nothing was checked."""
        if self.fail_on is not None and any(
            self.severities[severity]
            for severity in Severity
            if RANKS[severity] >= RANKS[self.fail_on]
        ):
            return ExitCode.FINDINGS
        return ExitCode.DONE if self.files else ExitCode.NONE_DONE

    def to_json(self) -> dict[str, object]:
        """Return the counts as JSON values."""
        return {
            "profiles": list(self.profiles),
            "files": self.files,
            "skipped": self.skipped,
            "files_with_findings": self.with_findings,
            "related_findings": self.related,
            "known": self.known,
            "severities": {severity.value: self.severities[severity] for severity in Severity},
            "rules": dict(sorted(self.rules.items())),
            "seconds": round(self.seconds, 3),
        }


def validate(
    inputs: Inputs,
    options: ValidateOptions = ValidateOptions(),  # noqa: B008  frozen
    sinks: Sequence[Sink] = (),
    listener: Listener = ignore_events,
) -> ValidateSummary:
    """Validate all files below the inputs, and what they make together.

    Parameters
    ----------
    inputs
        Files, folders, archives, patterns: one, or several.
    sinks
        Reports that take the findings as they come.

    Raises
    ------
    ConfigError
        A profile or the baseline has a mistake.
    UsageError
        A rule is unknown.
    InputError
        An input does not exist.
    """
    started = time.monotonic()
    items = list_inputs(inputs)
    plan = CheckPlan(
        profiles=options.profiles,
        select=options.select,
        ignore=options.ignore,
        show_values=options.show_values,
        secret=os.urandom(16),
        related=options.related,
    )
    loaded = load_plan(plan)  # mistakes show before any file is read
    baseline = Baseline.read(options.baseline) if options.baseline is not None else None
    summary = ValidateSummary(
        profiles=tuple(profile.name for profile in loaded.profiles), fail_on=options.fail_on
    )
    tally = _Tally(summary, sinks, baseline)
    with RecordStore() as records, tempfile.TemporaryDirectory(prefix="imgconv-") as staging:
        for checked in _check_all(items, plan, options, Path(staging), listener):
            tally.add_file(checked)
            if checked.record is not None:
                records.add(checked.record)
        if options.related:
            for finding in _check_related(loaded, records):
                tally.add_related(finding)
    summary.seconds = time.monotonic() - started
    for sink in sinks:
        sink.finish(summary)
    return summary


def list_findings(
    inputs: Inputs,
    options: ValidateOptions = ValidateOptions(),  # noqa: B008  frozen
) -> list[Finding]:
    """Return all findings of a small run, in the order of the files.

    Parameters and errors are those of `validate`.
    """
    collector = _Collector()
    validate(inputs, options, [collector])
    return collector.findings


class _Collector:
    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def add_file(self, _name: str, findings: Sequence[Finding]) -> None:
        self.findings.extend(findings)

    def add_related(self, finding: Finding) -> None:
        self.findings.append(finding)

    def finish(self, summary: ValidateSummary) -> None:
        pass


class _Tally:
    """Counts findings, drops those that the baseline knows, and hands on the rest."""

    def __init__(
        self, summary: ValidateSummary, sinks: Sequence[Sink], baseline: Baseline | None
    ) -> None:
        self._summary = summary
        self._sinks = sinks
        self._baseline = baseline

    def _fresh(self, findings: Iterable[Finding]) -> list[Finding]:
        fresh = []
        for finding in findings:
            if self._baseline is not None and self._baseline.knows(finding):
                self._summary.known += 1
                continue
            fresh.append(finding)
            self._summary.severities[finding.severity] += 1
            self._summary.rules[finding.rule] += 1
        return fresh

    def add_file(self, checked: CheckedFile) -> None:
        findings = self._fresh(checked.findings)
        if checked.is_checked:
            self._summary.files += 1
            self._summary.with_findings += bool(findings)
        else:
            self._summary.skipped += 1
        for sink in self._sinks:
            sink.add_file(checked.shown, findings)

    def add_related(self, finding: Finding) -> None:
        for fresh in self._fresh([finding]):
            self._summary.related += 1
            for sink in self._sinks:
                sink.add_related(fresh)


def _check_related(loaded: LoadedPlan, records: RecordStore) -> Iterator[Finding]:
    yield from check_records(records, loaded.checks)
    offset = 0
    for profile in loaded.profiles:
        for hit in check_groups(profile, records, offset):
            severity = loaded.checks.grades.get(hit.rule)
            if severity is not None:
                yield Finding(hit.rule, severity, hit.message, hit.path, hit.tag, "series")
        offset += len(group_rules(profile))


def _check_all(
    inputs: Sequence[str | os.PathLike[str]],
    plan: CheckPlan,
    options: ValidateOptions,
    staging: Path,
    listener: Listener,
) -> Iterator[CheckedFile]:
    """Iterate over the checked files, in the order in which they were found."""
    listener(Event(EventKind.PHASE, "check"))
    batch = BatchOptions(
        workers=options.jobs, timeout_s=options.timeout_s, preload=_PRELOAD, fork=options.fork
    )
    jobs = _iter_jobs(gather(inputs, staging), plan)
    waiting: dict[int, list[CheckedFile]] = {}
    next_chunk = 0
    with closing(run(jobs, check_chunk, batch, listener)) as outcomes:
        for outcome in outcomes:
            waiting[int(outcome.job.key)] = list(_checked(outcome, plan, batch))
            while next_chunk in waiting:
                yield from waiting.pop(next_chunk)
                next_chunk += 1


def _iter_jobs(files: Iterable[InputFile], plan: CheckPlan) -> Iterator[Job]:
    chunk: list[Target] = []
    size, number = 0, 0
    for file in files:
        if file.skipped:
            continue
        chunk.append(Target(file.path, file.shown, file.is_named))
        size += file.size_bytes
        if len(chunk) >= _CHUNK_FILES or size >= _CHUNK_BYTES:
            yield _job(number, chunk, size, plan)
            chunk, size, number = [], 0, number + 1
    if chunk:
        yield _job(number, chunk, size, plan)


def _job(number: int, chunk: list[Target], size: int, plan: CheckPlan) -> Job:
    return Job(
        key=str(number),
        inputs=(chunk[0].path,),
        size_bytes=size,
        payload=(plan, tuple(chunk)),
    )


def _checked(outcome: Outcome, plan: CheckPlan, batch: BatchOptions) -> Iterator[CheckedFile]:
    """Return what a chunk found; if its worker died, its files are tried one by one."""
    if outcome.error is None:
        yield from map(unpack, outcome.result.facts["checked"])
        return
    _plan, targets = outcome.job.payload
    if len(targets) == 1:
        yield _given_up(targets[0], outcome.error, plan)
        return
    singles = [_job(number, [target], 0, plan) for number, target in enumerate(targets)]
    alone = BatchOptions(
        workers=batch.workers, timeout_s=batch.timeout_s, preload=_PRELOAD, isolate=True
    )
    found: dict[int, list[CheckedFile]] = {}
    with closing(run(singles, check_chunk, alone)) as outcomes:
        for single in outcomes:
            found[int(single.job.key)] = list(_checked(single, plan, batch))
    for number in range(len(targets)):
        yield from found.get(number, ())


def _given_up(target: Target, error: ImgconvError, plan: CheckPlan) -> CheckedFile:
    rule = UNREADABLE if type(error) is InputError else UNFINISHED
    severity = load_plan(plan).checks.grades.get(rule)
    if severity is None:
        return CheckedFile(target.shown, ())
    return CheckedFile(target.shown, (Finding(rule, severity, error.message, target.shown),))
