"""Legacy and broken DICOM to conformant DICOM, changing only what must change.

Each file is a job: read leniently, mended, checked by the rules, and written
under the same name. What cannot be mended without inventing a fact is
reported; the file is then not written, unless that is allowed.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from imgconv.batch.job import BatchOptions, Job, JobFunction, JobResult, Outcome
from imgconv.batch.ledger import Ledger, run_batch
from imgconv.batch.summary import Summary
from imgconv.core.atomic import atomic_output
from imgconv.core.finding import Finding, Severity
from imgconv.core.large_output import write_hashed
from imgconv.core.staging import scratch_folder
from imgconv.dicom.elements import Buffer, Tree
from imgconv.dicom.repair.change import Change
from imgconv.dicom.repair.encode import encode_file
from imgconv.dicom.repair.facts import apply_facts, parse_facts
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import ImgconvError, LossRefused, UnsupportedData
from imgconv.events import Listener, ignore_events
from imgconv.exitcodes import ExitCode
from imgconv.ops.inputs import InputFile, Inputs, gather, list_inputs
from imgconv.ops.mending import Hints, mend
from imgconv.ops.survey import Identity, Survey
from imgconv.records import record
from imgconv.rules.engine import Checks, check_instance, default_grades
from imgconv.rules.instance import Instance
from imgconv.standard.transfer_syntaxes import BY_UID, EXPLICIT_LITTLE

__all__ = [
    "NONCONFORMANT",
    "Running",
    "StandardizeOptions",
    "StandardizeReport",
    "can_be_dicom",
    "finish_tree",
    "iter_jobs",
    "list_left",
    "name_findings",
    "run_jobs",
    "standardize",
    "standardize_file",
]

# What `allow` names to have files written that are still not conformant.
NONCONFORMANT = "nonconformant"
_PIXEL_DATA = 0x7FE00010
_DIRECTORY_RECORDS = 0x00041220  # Directory Record Sequence; PS3.3 F.3.2.2
# What stands in a private sequence is for its owner to judge; PS3.5 7.8
_PRIVATE_STEP = re.compile(r"\([0-9A-F]{3}[13579BDF],[0-9A-F]{4}\)\[")
_EXTENSIONS = frozenset({".dcm", ".dicom", ".ima"})
_MAX_NAMED = 3
_SMALL_BYTES = 1 << 12


@record
class StandardizeOptions:
    """How to standardize.

    Parameters
    ----------
    charset
        Defined term of Specific Character Set for text whose own is missing
        or wrong; empty: only what is UTF-8 by its form is mended.
    facts
        Keyword -> value, as text: what the caller knows and the files do not
        say. It fills what is missing or empty, and replaces nothing else.
    history
        Whether replaced values are kept in Original Attributes Sequence.
    allow
        ``nonconformant``: write a file though something is left.
    when
        Date and time of the history, as DT; empty: now.
    dry_run
        Mend and report, write nothing.
    overwrite
        Whether an output that exists is replaced; else it is refused.
    """

    charset: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    history: bool = True
    allow: frozenset[str] = frozenset()
    when: str = ""
    dry_run: bool = False
    overwrite: bool = False

    def time_of_change(self) -> str:
        """Return `when`, or the present time, as DT."""
        return self.when or datetime.now(UTC).strftime("%Y%m%d%H%M%S.%f+0000")


@record
class _Payload:
    """What the job of one file knows besides its paths."""

    options: StandardizeOptions
    hints: Hints
    when: str


@record(frozen=False)
class StandardizeReport:
    """What became of every input.

    `outcomes` holds the outcomes with their changes in ``result.facts``;
    `refused` the inputs that were no job.
    """

    summary: Summary = field(default_factory=Summary)
    outcomes: list[Outcome] = field(default_factory=list)
    refused: list[tuple[str, ImgconvError]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        code = self.summary.exit_code
        done = self.summary.total - self.summary.failed
        if code is ExitCode.DONE and (self.refused or not done):
            return ExitCode.SOME_FAILED if done else ExitCode.NONE_DONE
        return code

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values; it holds no value of any attribute."""
        files = [
            {
                "input": outcome.job.key,
                "output": [str(path) for path in outcome.job.outputs],
                "status": outcome.status.value,
                "reason": outcome.reason,
                "changes": list(outcome.result.facts.get("changes", ())),
                "left": list(outcome.result.facts.get("left", ())),
            }
            for outcome in sorted(self.outcomes, key=lambda outcome: outcome.job.key)
        ]
        rest = [
            {"input": name, "status": "failed", "reason": error.message, "changes": [], "left": []}
            for name, error in self.refused
        ]
        rest += [
            {"input": name, "status": "skipped", "reason": reason, "changes": [], "left": []}
            for name, reason in self.skipped
        ]
        return {"files": files + rest, "exit_code": int(self.exit_code)}


@record
class Running:
    """How a batch is run, what is recorded, who is told.

    `staging` is an empty folder for what archives hold.
    """

    staging: Path
    batch: BatchOptions = field(default_factory=BatchOptions)
    ledger: Ledger = field(default_factory=Ledger)
    listener: Listener = ignore_events


def standardize(
    inputs: Inputs,
    output: str | os.PathLike[str],
    options: StandardizeOptions = StandardizeOptions(),  # noqa: B008  frozen
    *,
    running: Running | None = None,
) -> StandardizeReport:
    """Standardize files into a folder; the structure below each input is kept.

    Parameters
    ----------
    inputs
        Files, folders, archives, patterns: one, or several.
    output
        The folder to write into.
    running
        How the batch is run and recorded; None for the defaults, and no record.

    Raises
    ------
    InputError
        An input does not exist.
    UsageError
        A fact has no such keyword, or no value of its VR.
    """
    parse_facts(options.facts)
    report, items, folder = StandardizeReport(), list_inputs(inputs), Path(output)
    with _ready(running, items, None if options.dry_run else folder) as how:
        jobs = iter_jobs(items, folder, options, staging=how.staging, report=report)
        return run_jobs(jobs, standardize_file, how, report, "standardize")


@contextmanager
def _ready(
    running: Running | None, inputs: Sequence[str | os.PathLike[str]], output: Path | None
) -> Iterator[Running]:
    if running is not None:
        yield running
        return
    with scratch_folder(inputs, output) as staging:
        yield Running(staging)


def run_jobs(
    jobs: Iterable[Job],
    function: JobFunction,
    running: Running,
    report: StandardizeReport,
    phase: str,
) -> StandardizeReport:
    """Run jobs that mend files, and complete the report."""
    planned = list(jobs)
    report.summary = run_batch(
        planned,
        function,
        running.batch,
        running.ledger,
        listener=running.listener,
        on_outcome=report.outcomes.append,
        phase=phase,
        total=len(planned),
    )
    return report


def iter_jobs(
    inputs: Sequence[str | os.PathLike[str]],
    output: Path,
    options: StandardizeOptions,
    *,
    staging: Path,
    report: StandardizeReport,
) -> Iterator[Job]:
    """Yield a job per file; what cannot be one goes to the report at once."""
    survey = Survey()
    found: list[tuple[InputFile, Identity]] = []
    for file in gather(inputs, staging, exclude=output):
        if file.problem is not None:
            report.refused.append((file.shown, file.problem))
        elif file.skipped:
            report.skipped.append((file.shown, file.skipped))
        elif not file.is_named and not can_be_dicom(file):
            report.skipped.append((file.shown, "is no DICOM"))
        else:
            found.append((file, survey.add(file.path)))
    names = _Names(inputs)
    when = options.time_of_change()
    for file, identity in found:
        twin = survey.find_twin(file.path, identity)
        if twin is not None:
            report.skipped.append((file.shown, f"the same instance as `{twin.name}`"))
            continue
        key = names.relative(file)
        hints = Hints(
            is_clash=survey.is_clash(file.path, identity),
            is_series_clash=survey.is_series_clash(identity),
            is_stack=survey.is_stack(identity),
            odd=survey.find_odd(identity),
        )
        size = file.path.stat().st_size
        payload = _Payload(options, hints, when)
        yield Job(key, (file.path,), (output / key,), size, payload, archive=file.archive)


def can_be_dicom(file: InputFile) -> bool:
    """Whether a file that was found in a folder is DICOM, by its name or its first element."""
    if file.head[128:132] == b"DICM" or file.path.suffix.lower() in _EXTENSIONS:
        return True
    try:
        read_tree(file.path, file.head)
    except ImgconvError:
        return False
    return True


class _Names:
    """Names of outputs: relative to the input that they were found in, never twice the same."""

    def __init__(self, inputs: Sequence[str | os.PathLike[str]]) -> None:
        self._roots = [Path(item) for item in inputs if Path(item).is_dir()]
        self._taken: set[str] = set()

    def relative(self, file: InputFile) -> str:
        shown = Path(file.shown)
        name = shown.name
        # What was unpacked stands below its archive's name.
        above = [] if file.archive is None else [file.archive.parent]
        for root in (*above, *self._roots):
            if shown.is_relative_to(root):
                name = str(shown.relative_to(root))
        parts = [part for part in Path(name).parts if part not in ("..", "/")]
        name = "/".join(parts)
        stem, extension, number = name, "", 1
        if Path(name).suffix.lower() in _EXTENSIONS:
            stem, extension = name[: -len(Path(name).suffix)], Path(name).suffix
        while name in self._taken:
            number += 1
            name = f"{stem}_{number}{extension}"
        self._taken.add(name)
        return name


def standardize_file(job: Job) -> JobResult:
    """Mend one file and write it.

    Raises
    ------
    InputError
        It cannot be read, or is broken beyond mending.
    LossRefused
        Something is left that only an invented fact would mend.
    OutputError
        It cannot be written.
    """
    payload: _Payload = job.payload
    tree = read_tree(job.inputs[0])
    if _DIRECTORY_RECORDS in tree.dataset.elements:
        return JobResult(outputs=(), skipped="a DICOMDIR: make a new one for the new files")
    hints = replace(payload.hints, digest=hashlib.sha256(tree.data).hexdigest())
    return finish_tree(tree, job.outputs[0], payload.options, hints, payload.when)


def finish_tree(
    tree: Tree, target: Path, options: StandardizeOptions, hints: Hints, when: str
) -> JobResult:
    """Mend a data set, have the rules judge it, and write it.

    Raises
    ------
    CorruptData, LossRefused, OutputError
        As `standardize_file`.
    """
    changes = apply_facts(tree, parse_facts(options.facts))
    changes += mend(tree, hints, charset=options.charset, when=when if options.history else "")
    syntax, more = _choose_syntax(tree)
    changes += more
    left = list_left(tree)
    if left and NONCONFORMANT not in options.allow:
        raise _refuse(left, tree.path)
    facts = {
        "changes": [change.to_json() for change in changes],
        "left": [{"rule": f.rule, "tag": f.tag, "message": f.message} for f in left],
        "transfer_syntax_uid": syntax,
    }
    if options.dry_run:
        return JobResult(outputs=(), facts=facts)
    sha256 = _write(target, encode_file(tree, syntax), replace_existing=options.overwrite)
    return JobResult(outputs=(target,), facts=facts, digests={target: sha256})


def _write(target: Path, parts: Iterator[Buffer], *, replace_existing: bool) -> str:
    with atomic_output(target, replace=replace_existing) as stream:
        return write_hashed(stream, _join_small(parts))


def _join_small(parts: Iterator[Buffer]) -> Iterator[Buffer]:
    """Yield the same bytes in fewer parts: most elements have a few bytes."""
    pending: list[Buffer] = []
    for part in parts:
        if len(part) < _SMALL_BYTES:
            pending.append(part)
            continue
        yield b"".join(pending)
        pending = []
        yield part
    yield b"".join(pending)


def _choose_syntax(tree: Tree) -> tuple[str, list[Change]]:
    """Return the transfer syntax to write: native data become Explicit VR Little Endian."""
    pixels = tree.dataset.get(_PIXEL_DATA)
    old = BY_UID.get(tree.transfer_syntax)
    name = old.name if old is not None else "unknown or missing transfer syntax"
    if pixels is None or pixels.fragments is None:
        if tree.transfer_syntax == EXPLICIT_LITTLE:
            return EXPLICIT_LITTLE, []
        reason = "the transfer syntax that every reader knows"
        change = Change(
            "transfer-syntax", "", name, "Explicit VR Little Endian", reason, "PS3.5 10.1"
        )
        return EXPLICIT_LITTLE, [change]
    if old is None or not old.encapsulated:
        raise UnsupportedData(
            f"the pixel data are encapsulated, the transfer syntax is `{name}`",
            path=tree.path,
        )
    if old.retired:
        raise UnsupportedData(
            f"the transfer syntax `{name}` is retired",
            path=tree.path,
            hint="decode it first by `imgconv transcode --to explicit`",
        )
    return old.uid, []


@cache
def _checks() -> Checks:
    return Checks(default_grades())


def list_left(tree: Tree) -> list[Finding]:
    """List what the rules still find wrong in the mended data set."""
    mended = Tree(
        tree.path,
        tree.size_bytes,
        tree.data,
        preamble=bytes(128),
        meta=None,
        dataset=tree.dataset,
        transfer_syntax=tree.transfer_syntax,
    )
    findings = check_instance(Instance(mended), _checks())
    # The file meta information is written anew, so that its rules (F) have nothing to judge.
    return [
        f
        for f in findings
        if f.severity is Severity.ERROR
        and not f.rule.startswith("F")
        and not _PRIVATE_STEP.search(f.tag)
    ]


def name_findings(left: Sequence[Finding]) -> str:
    """Return the first findings as text, and how many more there are."""
    named = "; ".join(f"{f.tag} {f.message}".strip() for f in left[:_MAX_NAMED])
    return f"{named} and {len(left) - _MAX_NAMED} more" if len(left) > _MAX_NAMED else named


def _refuse(left: Sequence[Finding], path: Path) -> LossRefused:
    return LossRefused(
        f"cannot be made conformant without inventing a fact: {name_findings(left)}",
        path=path,
        hint=f"give the fact by `--set Keyword=value`, or write it all the same by "
        f"`--allow {NONCONFORMANT}`",
    )
