"""Plan a transcoding: the options, and a job for each input file."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import field
from pathlib import Path

from imgconv.batch.job import Job
from imgconv.codecs.encode import EncodeOptions
from imgconv.dicom.recode import Verify
from imgconv.errors import ImgconvError, OutputError, UnknownFormat, UsageError
from imgconv.ops.detect import read_head
from imgconv.ops.inputs import InputFile, gather, holds_files
from imgconv.records import record

__all__ = ["Payload", "TranscodeOptions", "is_single", "iter_jobs", "share_cores"]

# Frames are read, recoded and written one by one, however large the file is.
_MEMORY_BYTES = 256 << 20


@record
class TranscodeOptions:
    """What is done to every file.

    Parameters
    ----------
    to
        A transfer syntax: one of our names, or a UID.
    encode
        The quality of a lossy target.
    verify
        ``none``, ``fast`` or ``full``; see `imgconv.dicom.recode.Verify`.
    only_if_smaller
        Keep the file as it was unless the result is smaller.
    skip_compressed
        Keep files that are compressed already as they are.
    where
        A condition on attributes, see `imgconv.core.expression`; other files
        are left out.
    keep_sop_instance_uid
        Whether a lossy result keeps the SOP Instance UID.
    choice
        Pairs of codec family and library.
    digests
        Whether the SHA-256 of the decoded pixels is wanted.
    overwrite
        Whether existing outputs may be replaced.
    threads
        How many frames of a file are worked on at a time; 0 shares the cores
        among the files where there are fewer files than cores, else it is 1.
    """

    to: str
    encode: EncodeOptions = field(default_factory=EncodeOptions)
    verify: str = Verify.FAST
    only_if_smaller: bool = False
    skip_compressed: bool = False
    where: str = ""
    keep_sop_instance_uid: bool = False
    choice: tuple[tuple[str, str], ...] = ()
    digests: bool = False
    overwrite: bool = False
    threads: int = 0


@record
class Payload:
    """A job's own part: what is known about this file beforehand."""

    problem: ImgconvError | None = None
    skipped: str = ""
    in_place: bool = False


def iter_jobs(
    inputs: Sequence[str | os.PathLike[str]],
    output: Path | None,
    staging: Path,
) -> Iterator[Job]:
    """Yield a job for each file below the inputs, in an order that does not change.

    Parameters
    ----------
    output
        A folder, in which the structure of the inputs is kept; or a file, if
        there is one input file; None to replace the inputs themselves.
    staging
        A folder for what archives hold.

    Raises
    ------
    InputError
        An input does not exist.
    UsageError
        A member of an archive cannot be replaced.
    """
    targets = _Targets(output, single=is_single(inputs, output))
    several = len(inputs) > 1
    for item in inputs:
        base = _base_of(item)
        for file in gather([item], staging, exclude=output, among_others=several):
            yield _job(file, _key(file, base), targets)


def share_cores(jobs: Sequence[Job], worker_count: int) -> int:
    """Return how many threads work on the frames of each of few files, so that no core is idle."""
    real = sum(not job.payload.skipped and job.payload.problem is None for job in jobs)
    return worker_count // max(1, real)


def is_single(inputs: Sequence[str | os.PathLike[str]], output: Path | None) -> bool:
    """Whether `output` is the name of the one output file."""
    if output is None or len(inputs) != 1 or output.is_dir() or not output.suffix:
        return False
    source = Path(inputs[0])
    try:
        return source.is_file() and not holds_files(source, read_head(source))
    except (OSError, ImgconvError):  # the job will say so
        return True


def _base_of(item: str | os.PathLike[str]) -> Path:
    """Return the folder that output paths are relative to: what is before ``/./``, if given."""
    root, marked, _ = os.fspath(item).partition("/./")
    if marked:
        return Path(root or "/")
    path = Path(item)
    if path.is_dir():
        return path
    if path.exists():
        return path.parent
    fixed = []
    for part in path.parts[:-1]:  # of a pattern: what stands before the first sign
        if set(part) & set("*?["):
            break
        fixed.append(part)
    return Path(*fixed)


def _key(file: InputFile, base: Path) -> str:
    """Return a file's path below its input; below the archive's name for a member."""
    if file.archive is not None:
        member = file.shown.removeprefix(f"{file.archive}/")
        # A name that was refused stays as it is: `..` would make another one of it.
        name = member if file.problem is not None else posixpath.normpath(member)
        return f"{_below(file.archive, base)}/{name}"
    return _below(file.path, base)


def _below(path: Path, base: Path) -> str:
    relative = os.path.relpath(path, base)
    return Path(relative).as_posix() if not relative.startswith("..") else path.name


class _Targets:
    """Which output each input gets, and which input has got it."""

    def __init__(self, output: Path | None, *, single: bool) -> None:
        self._output = output
        self._single = single
        self._owners: dict[int, int] = {}  # hashes: a million paths would need 600 MB

    @property
    def in_place(self) -> bool:
        """Whether the inputs are replaced."""
        return self._output is None

    def name(self, file: InputFile, key: str) -> Path:
        """Return the output of an input."""
        if self._output is None:
            return Path(os.path.realpath(file.path))
        return self._output if self._single else self._output / key

    def find_clash(self, file: InputFile, target: Path) -> tuple[ImgconvError | None, str]:
        """Give the output to an input; if it is taken, say what is wrong, or why that is well."""
        source = target if self.in_place else os.path.abspath(file.path)  # noqa: PTH100  keeps `..`
        mark, owner = hash(os.path.normcase(target)), hash(os.fspath(source))
        if mark not in self._owners:
            self._owners[mark] = owner
            return None, ""
        if self._owners[mark] == owner:
            return None, "met before, by this or another name"
        return UsageError(f"another input has the same output `{target}`"), ""


def _job(file: InputFile, key: str, targets: _Targets) -> Job:
    target = targets.name(file, key)
    problem, skipped = _verdict(file, target, in_place=targets.in_place)
    if not problem and not skipped:
        problem, skipped = targets.find_clash(file, target)
    return Job(
        key,
        (file.path,),
        (target,),
        file.size_bytes,
        Payload(problem, skipped, targets.in_place),
        memory_bytes=min(file.size_bytes, _MEMORY_BYTES),
        archive=file.archive,
    )


def _verdict(file: InputFile, target: Path, *, in_place: bool) -> tuple[ImgconvError | None, str]:
    """Return what is wrong with an input, or why it is left alone."""
    if file.problem is not None:
        return file.problem, ""
    reason = file.skipped or _reason_against(file)
    if reason:
        return (UnknownFormat(reason, path=file.path), "") if file.is_named else (None, reason)
    if in_place:
        writable = os.access(file.path.parent, os.W_OK)
        return (None if writable else OutputError("its folder is read-only", path=file.path)), ""
    if target.exists() and target.samefile(file.path):
        hint = "replace files by `--in-place`"
        return UsageError("the output is the input itself", path=file.path, hint=hint), ""
    return None, ""


def _reason_against(file: InputFile) -> str:
    from imgconv.dicom.scan import looks_like_dicom

    if not file.head:
        return "the file is empty; expected DICOM"
    if holds_files(file.path, file.head):
        return "an archive in a folder or an archive; name it itself to have it unpacked"
    known = looks_like_dicom(file.path, file.head)
    return "" if known else "no DICOM: neither the prefix `DICM` nor a data element"
