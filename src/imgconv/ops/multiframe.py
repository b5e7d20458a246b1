"""Multi-frame objects to single-frame series, as batches.

What comes out goes through the same mending and the same rules as any file
that `standardize` writes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from pydicom.dataset import Dataset

from imgconv.batch.job import Job, JobResult
from imgconv.core.options import Overwrite
from imgconv.core.staging import place_all, staging_folder
from imgconv.dicom.split import SPLIT_CLASSES, split_frames
from imgconv.dicom.tree_reader import read_tree
from imgconv.ops.enhance import read_images
from imgconv.ops.mending import Hints
from imgconv.ops.standardize import (
    Running,
    StandardizeOptions,
    StandardizeReport,
    finish_tree,
    run_jobs,
)

__all__ = ["split"]


@dataclass(frozen=True, slots=True)
class _Payload:
    options: StandardizeOptions
    when: str


def split(
    inputs: Sequence[str | Path],
    output: Path,
    options: StandardizeOptions = StandardizeOptions(),  # noqa: B008  frozen
    *,
    running: Running,
) -> StandardizeReport:
    """Make a single-frame series of each multi-frame object, in a folder named like it.

    Parameters and errors are those of `standardize`.
    """
    report = StandardizeReport()
    jobs = _iter_objects(inputs, output, options, running.staging, report)
    return run_jobs(jobs, _split_object, running, report, "split")


def _iter_objects(
    inputs: Sequence[str | Path],
    output: Path,
    options: StandardizeOptions,
    staging: Path,
    report: StandardizeReport,
) -> Iterator[Job]:
    taken: set[str] = set()
    for path, shown, header in read_images(inputs, staging, output, report):
        if str(header.get("SOPClassUID", "")) not in SPLIT_CLASSES:
            report.skipped.append((shown, "no multi-frame image with a single-frame counterpart"))
            continue
        name, number = path.stem, 1
        while name in taken:
            number += 1
            name = f"{path.stem}_{number}"
        taken.add(name)
        yield Job(name, (path,), (output / name,), path.stat().st_size, _payload(options))


def _payload(options: StandardizeOptions) -> _Payload:
    return _Payload(options, options.time_of_change())


def _split_object(job: Job) -> JobResult:
    """Split one object; its frames get their final names when all are complete."""
    payload: _Payload = job.payload
    target = job.outputs[0]
    overwrite = Overwrite.ALWAYS if payload.options.overwrite else Overwrite.NEVER
    frames = split_frames(job.inputs[0])
    if payload.options.dry_run:
        return _join([_write(frame, target, payload, job.inputs[0]) for frame in frames], ())
    results: list[JobResult] = []
    with staging_folder(target.parent) as staging:
        moves: list[tuple[Path, Path]] = []
        for number, frame in enumerate(frames, 1):
            staged = staging / f"{number:05}.dcm"
            results.append(_write(frame, staged, payload, job.inputs[0]))
            moves.append((staged, target / staged.name))
        place_all(moves, overwrite)
    return _join(results, moves)


def _join(results: Sequence[JobResult], moves: Sequence[tuple[Path, Path]]) -> JobResult:
    facts = {
        name: [record for result in results for record in result.facts.get(name, ())]
        for name in ("changes", "left")
    }
    known = {path: digest for result in results for path, digest in result.digests.items()}
    digests = {target: known[staged] for staged, target in moves}
    return JobResult(outputs=tuple(target for _, target in moves), facts=facts, digests=digests)


def _write(made: Dataset, target: Path, payload: _Payload, source: Path) -> JobResult:
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    tree = read_tree(source, buffer.getvalue())
    return finish_tree(tree, target, payload.options, Hints(is_stack=True), payload.when)
