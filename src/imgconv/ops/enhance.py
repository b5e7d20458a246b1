"""Single-frame series to enhanced multi-frame objects, as a batch.

A series becomes an Enhanced object if its files say all that one needs, else
a Legacy Converted one. What comes out goes through the same mending and the
same rules as any file that `standardize` writes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from imgconv.batch.job import Job, JobResult
from imgconv.dicom.classic_frames import ClassicFrame
from imgconv.dicom.elements import Tree
from imgconv.dicom.enhance import ENHANCED_CLASSES, build_enhanced, count_references, read_series
from imgconv.dicom.header import Header, read_header
from imgconv.dicom.repair.change import Change
from imgconv.dicom.repair.facts import apply_facts, parse_facts
from imgconv.dicom.repair.structure import mend_structure
from imgconv.errors import InputError, LossRefused
from imgconv.ops.inputs import gather
from imgconv.ops.mending import Hints, mend
from imgconv.ops.standardize import (
    Running,
    StandardizeOptions,
    StandardizeReport,
    can_be_dicom,
    finish_tree,
    list_left,
    name_findings,
    run_jobs,
)
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["EnhancedKind", "enhance", "read_images"]

_SOP_CLASS = 0x00080016
# What the frames of one object share; files of one series may differ in it.
_EQUAL = (
    "StudyInstanceUID", "SeriesInstanceUID", "SOPClassUID", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "PixelRepresentation", "PhotometricInterpretation", "PixelPaddingValue",
)  # fmt: skip


class EnhancedKind(StrEnum):
    """Which object is made of a single-frame series."""

    AUTO = "auto"  # Enhanced where the files say all that it needs, else Legacy Converted
    LEGACY = "legacy"  # always Legacy Converted Enhanced
    ENHANCED = "enhanced"  # always Enhanced; a series that lacks a fact is refused


@dataclass(frozen=True, slots=True)
class _Payload:
    options: StandardizeOptions
    when: str
    kind: EnhancedKind


def enhance(
    inputs: Sequence[str | Path],
    output: Path,
    options: StandardizeOptions = StandardizeOptions(),  # noqa: B008  frozen
    *,
    running: Running,
    kind: EnhancedKind = EnhancedKind.AUTO,
) -> StandardizeReport:
    """Make an enhanced object of each single-frame CT, MR or PET series.

    Parameters and errors are those of `standardize`. The files of a series
    are told apart by what describes their pixels, so that one object holds
    equal frames. The facts of `options` fill the single-frame images.
    """
    report = StandardizeReport()
    payload = _Payload(options, options.time_of_change(), kind)
    jobs = _iter_series(inputs, output, payload, running.staging, report)
    return run_jobs(jobs, _enhance_series, running, report, "enhance")


def read_images(
    inputs: Sequence[str | Path], staging: Path, output: Path, report: StandardizeReport
) -> Iterator[tuple[Path, str, Header]]:
    """Yield path, name for reports and header of each file; the rest goes to the report."""
    for file in gather(inputs, staging, exclude=output):
        if file.problem is not None:
            report.refused.append((file.shown, file.problem))
            continue
        if file.skipped:
            report.skipped.append((file.shown, file.skipped))
            continue
        if not file.is_named and not can_be_dicom(file):
            report.skipped.append((file.shown, "is no DICOM"))
            continue
        try:
            header = read_header(file.path)
        except InputError as error:
            report.refused.append((file.shown, error))
            continue
        yield file.path, file.shown, header


def _iter_series(
    inputs: Sequence[str | Path],
    output: Path,
    payload: _Payload,
    staging: Path,
    report: StandardizeReport,
) -> Iterator[Job]:
    series: dict[tuple[str, ...], list[Path]] = {}
    for path, shown, header in read_images(inputs, staging, output, report):
        if str(header.get("SOPClassUID", "")) in ENHANCED_CLASSES:
            syntax = BY_UID.get(header.transfer_syntax_uid)
            encoding = syntax.uid if syntax is not None and syntax.encapsulated else ""
            key = (encoding, *(str(header.get(keyword, "")) for keyword in _EQUAL))
            series.setdefault(key, []).append(path)
        else:
            report.skipped.append((shown, "no single-frame CT, MR or PET image"))
    for key, paths in series.items():
        name = f"{hashlib.sha256('|'.join(key).encode()).hexdigest()[:16]}.dcm"
        size = sum(path.stat().st_size for path in paths)
        yield Job(name, tuple(paths), (output / name,), size, payload)


def _enhance_series(job: Job) -> JobResult:
    """Make the object; only if something of it is not conformant, mend the images first."""
    payload: _Payload = job.payload
    facts = parse_facts(payload.options.facts)

    def prepare(tree: Tree) -> None:
        mend_structure(tree)
        apply_facts(tree, facts)

    try:
        return _make(job, prepare, [])
    except LossRefused:
        changes: list[Change] = []
        hints = Hints(is_stack=len(job.inputs) > 1)
        when = payload.when if payload.options.history else ""

        def mend_all(tree: Tree) -> None:
            changes.extend(apply_facts(tree, facts))
            changes.extend(mend(tree, hints, charset=payload.options.charset, when=when))

        return _make(job, mend_all, changes)


def _make(job: Job, prepare: Callable[[Tree], None], changes: list[Change]) -> JobResult:
    """Make the richest object that the series has the facts for."""
    payload: _Payload = job.payload
    frames = read_series(job.inputs, prepare)
    legacy, enhanced = ENHANCED_CLASSES[frames[0].root.text(_SOP_CLASS)]
    # Those of the frames are filled already.
    options, target = replace(payload.options, facts={}), job.outputs[0]

    def finish(sop_class: str) -> JobResult:
        tree = build_enhanced(frames, sop_class, payload.when)
        return finish_tree(tree, target, options, Hints(), payload.when)

    notes = list(changes)
    dropped = count_references(frames)
    if dropped:
        notes.append(_note_references(dropped))
    if payload.kind is EnhancedKind.ENHANCED:
        return _add_notes(finish(enhanced), notes)
    if payload.kind is EnhancedKind.AUTO:
        reason = _find_lack(frames, enhanced, payload.when)
        if not reason:
            try:
                return _add_notes(finish(enhanced), notes)
            except LossRefused as error:
                reason = error.message
        notes.append(_note_legacy(reason))
    return _add_notes(finish(legacy), notes)


def _find_lack(frames: Sequence[ClassicFrame], enhanced: str, when: str) -> str:
    """Return what the first frame lacks for an Enhanced object: most series lack something."""
    probe = build_enhanced(frames[:1], enhanced, when)
    mend(probe, Hints())
    lacking = list_left(probe)
    return name_findings(lacking) if lacking else ""


def _add_notes(result: JobResult, notes: Sequence[Change]) -> JobResult:
    records = [*(note.to_json() for note in notes), *result.facts["changes"]]
    return replace(result, facts={**result.facts, "changes": records})


def _note_references(count: int) -> Change:
    return Change(
        "reference",
        "(0008,1140)",
        f"references of {count} images",
        "removed",
        "an enhanced object names the series of what it refers to, which is not known",
        "PS3.3 C.8.13.2.1",
    )


def _note_legacy(reason: str) -> Change:
    """Say why the object is a Legacy Converted one."""
    return Change(
        "enhanced",
        "(0008,0016)",
        "single-frame series",
        "Legacy Converted Enhanced object",
        f"an Enhanced one needs what the files do not say: {reason}",
        "PS3.3 A.36, A.38, A.56, A.70 to A.72",
    )
