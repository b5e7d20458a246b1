"""Turn what the user names (files, folders, archives, globs) into a list of files."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from imgconv.core.atomic import is_temporary
from imgconv.errors import (
    CorruptData,
    ImgconvError,
    InputError,
    UnsupportedData,
    UsageError,
    input_error,
)
from imgconv.ops.detect import is_archive, read_head
from imgconv.records import record

__all__ = ["InputFile", "Inputs", "count_files", "gather", "holds_files", "list_inputs"]

# What a verb takes: one path, or several.
Inputs = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_GLOB_SIGNS = frozenset("*?[")
_DICOMDIR = "DICOMDIR"
_NOT_FOLLOWED = "a link to a folder, which is not followed"


@record
class InputFile:
    """One file that was named, or found in what was named.

    Parameters
    ----------
    path
        Where it is on the disk.
    shown
        How reports name it: ``scans.zip/a/b.dcm`` for a member of an archive.
    head
        Its first bytes, empty if it was not opened.
    problem
        Why it cannot be read, None if it can.
    skipped
        Why it is left alone, empty if it is not.
    is_named
        Whether the user named this very file.
    size_bytes
        The file's size.
    archive
        What it was unpacked from, if it was.
    """

    path: Path
    shown: str
    head: bytes = b""
    problem: ImgconvError | None = None
    skipped: str = ""
    is_named: bool = False
    size_bytes: int = 0
    archive: Path | None = None


def list_inputs(inputs: Inputs) -> list[str | os.PathLike[str]]:
    """Return the inputs of a verb as a list: a single path is one input, not its letters.

    Raises
    ------
    UsageError
        One is an empty text, which would mean the current folder.
    """
    items = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    if not all(os.fspath(item) for item in items):
        raise UsageError("an input is an empty string")
    return items


def gather(
    inputs: Sequence[str | os.PathLike[str]],
    staging: Path,
    *,
    exclude: Path | None = None,
    among_others: bool | None = None,
) -> Iterator[InputFile]:
    """Yield every file below the inputs, each once, in an order that does not change.

    Parameters
    ----------
    inputs
        Files, folders (walked recursively), archives, DICOMDIR files, or
        patterns with ``* ? [ ]`` and ``**``.
    staging
        A folder for what archives hold; made if it is needed.
    exclude
        A folder that is not entered: the output's, if it lies in an input.
    among_others
        Whether an input that does not exist is one of several: it is yielded with
        its problem, so that it does not stop the others. None if the inputs tell.

    Raises
    ------
    InputError
        The only input does not exist.
    """
    seen: set[int] = set()  # hashes: a set of a million paths would need 600 MB
    several = len(inputs) > 1 if among_others is None else among_others
    paths: list[Path] = []
    for item in inputs:
        try:
            paths += _expand(os.fspath(item))
        except InputError as error:
            if not several:
                raise
            name = os.fspath(item)
            yield InputFile(Path(name), name, problem=error, is_named=True)
    for number, path in enumerate(paths):
        for file in _iter_input(path, staging / f"archive{number}", exclude):
            if len(paths) > 1:  # only then can a file be met twice
                key = hash(file.path.absolute())
                if key in seen:
                    continue
                seen.add(key)
            yield file


def count_files(inputs: Sequence[str | os.PathLike[str]], *, exclude: Path | None = None) -> int:
    """Return how many files `gather` will find, for progress; an archive counts as one.

    Raises
    ------
    InputError
        The only input does not exist.
    """
    if len(inputs) > 1:
        return sum(_count(item, exclude) for item in inputs)
    return sum(_count_below(path, exclude) for item in inputs for path in _expand(os.fspath(item)))


def _count(item: str | os.PathLike[str], exclude: Path | None) -> int:
    """Return how many files one of several inputs has; one that does not exist fails as one."""
    try:
        return sum(_count_below(path, exclude) for path in _expand(os.fspath(item)))
    except InputError:
        return 1


def _count_below(path: Path, exclude: Path | None) -> int:
    return sum(1 for _ in _walk(path, exclude)) if path.is_dir() else 1


def _expand(item: str) -> list[Path]:
    if Path(item).exists():
        return [Path(item)]
    if _GLOB_SIGNS & set(item):
        found = [Path(path) for path in sorted(glob.glob(item, recursive=True))]  # noqa: PTH207  absolute patterns
        if found:
            return found
        raise InputError("no file matches this pattern", path=item)
    raise InputError("no such file or folder", path=item)


def _iter_input(path: Path, staging: Path, exclude: Path | None) -> Iterator[InputFile]:
    if path.is_dir():
        unread: list[InputFile] = []
        yield from (_open(found, str(found)) for found in _walk(path, exclude, unread))
        yield from unread
        return
    file = _open(path, str(path))
    if file.problem is None and is_archive(path, file.head):
        yield from _iter_archive(path, staging)
    elif _is_directory(path):
        yield from _iter_dicomdir(file)
    else:
        yield replace(file, is_named=True)


def holds_files(path: Path, head: bytes) -> bool:
    """Whether a file, if it is named, stands for others: an archive or a DICOMDIR."""
    return is_archive(path, head) or _is_directory(path)


def _is_directory(path: Path) -> bool:
    return path.name.upper() == _DICOMDIR


def _walk(
    folder: Path, exclude: Path | None, unread: list[InputFile] | None = None
) -> Iterator[Path]:
    """Yield the files below a folder; what cannot be entered goes to `unread`."""
    left_out = None if exclude is None else exclude.absolute()
    told: list[InputFile] = [] if unread is None else unread

    def tell(error: OSError) -> None:
        name = str(error.filename or folder)
        problem = input_error(error, name)
        told.append(InputFile(Path(name), name, problem=problem))

    for root, folders, names in os.walk(folder, onerror=tell):
        base = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if not is_temporary(base / name) and (base / name).absolute() != left_out
        )
        links = [base / name for name in folders if (base / name).is_symlink()]
        told += [InputFile(link, str(link), skipped=_NOT_FOLLOWED) for link in links]
        yield from (base / name for name in sorted(names) if not is_temporary(base / name))


def _open(path: Path, shown: str) -> InputFile:
    """Read a file's first bytes."""
    try:
        status = os.stat(path)  # noqa: PTH116  half of the cost of pathlib's, for each of many files
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device may block for ever
            return InputFile(path, shown, skipped="neither a file nor a folder")
        head = read_head(path)
    except OSError as error:
        if path.is_symlink():
            return InputFile(path, shown, skipped="a broken link")
        problem = input_error(error, path)
        return InputFile(path, shown, problem=problem)
    except ImgconvError as error:
        return InputFile(path, shown, problem=error)
    return InputFile(path, shown, head, size_bytes=status.st_size)


def _iter_archive(archive: Path, staging: Path) -> Iterator[InputFile]:
    from imgconv.ops.archives import unpack

    try:
        members = unpack(archive, staging)
    except ImgconvError as error:
        yield InputFile(archive, str(archive), problem=error)
        return
    if not members:
        yield InputFile(archive, str(archive), skipped="the archive holds no file")
    for member in members:
        shown = f"{archive}/{member.name}"
        if not member.name:
            problem: ImgconvError = CorruptData(
                "the archive is truncated or damaged; what is before was unpacked", path=archive
            )
            yield InputFile(archive, str(archive), problem=problem)
        elif member.path is None:
            problem = UnsupportedData(f"was not unpacked: {member.reason}", path=shown)
            yield InputFile(Path(shown), shown, problem=problem, archive=archive)
        else:
            yield replace(_open(member.path, shown), archive=archive)


def _iter_dicomdir(directory: InputFile) -> Iterator[InputFile]:
    """Yield the files that a DICOMDIR lists, and those that are missing as failed."""
    from imgconv.dicom.header import read_header

    try:
        listed = list(_referenced(read_header(directory.path).get("DirectoryRecordSequence")))
    except ImgconvError as error:
        yield InputFile(directory.path, directory.shown, problem=error)
        return
    yield InputFile(
        directory.path, directory.shown, directory.head, skipped="a directory of other files"
    )
    for parts in listed:
        path = _find_listed(directory.path.parent, parts)
        if path is None:
            shown = str(directory.path.parent.joinpath(*parts))
            problem = InputError("is listed in the DICOMDIR, but not there", path=shown)
            yield InputFile(Path(shown), shown, problem=problem)
        else:
            yield _open(path, str(path))


def _referenced(records: object) -> Iterable[tuple[str, ...]]:
    """Yield the components of each Referenced File ID; PS3.3 F.3.2.2."""
    for entry in records if isinstance(records, tuple) else ():
        value = entry.get("ReferencedFileID")
        parts = (value,) if isinstance(value, str) else value
        if isinstance(parts, tuple) and parts:
            yield tuple(str(part) for part in parts)


def _find_listed(folder: Path, parts: tuple[str, ...]) -> Path | None:
    """Return the file below `folder`, whatever case the medium's names got; PS3.10 8.2."""
    if any(part in ("", ".", "..") or "/" in part or "\\" in part for part in parts):
        return None
    for change in (str, str.lower, str.upper):
        path = folder.joinpath(*(change(part) for part in parts))
        if path.is_file():
            return path
    return None
