"""Make outputs that belong together in a private folder, and place them when all are complete.

The staging folder of a run lies inside the output folder, on the same file
system, so that placing is renaming. It is locked while its run lives; what a
kill -9 leaves behind is removed by the `sweep` of the next run.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from imgconv.core.atomic import PREFIX, STALE_S, SUFFIX, is_temporary, try_lock
from imgconv.core.options import Overwrite
from imgconv.errors import OutputError, output_error

__all__ = ["flush_all", "place_all", "scratch_folder", "staging_folder", "sweep"]

_LOCK = ".lock"
_FLUSHES = 16  # threads that only wait


@contextmanager
def staging_folder(parent: Path) -> Iterator[Path]:
    """Make a private folder inside `parent` for outputs that are not complete yet.

    It is removed when the block ends, and locked meanwhile, so that `sweep`
    of another run leaves it alone. `parent` is created if it is missing, and
    removed again if it was created and nothing was placed in it.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """
    created = _missing_folders(parent)
    # Named before it is made: an interrupt in between finds what there is to remove.
    folder = parent / f"{PREFIX}{os.urandom(8).hex()}{SUFFIX}"
    try:
        with _make_with_lock(folder) as lock:
            try_lock(lock.fileno())
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for path in created:
            with contextlib.suppress(OSError):  # it is in use by now
                path.rmdir()


def _make_with_lock(folder: Path) -> BinaryIO:
    """Make a folder of our own, and return the open file that is to be locked."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        return (folder / _LOCK).open("wb")
    except OSError as error:
        raise output_error(error, folder.parent) from error


@contextmanager
def scratch_folder(inputs: Sequence[str | os.PathLike[str]], output: Path | None) -> Iterator[Path]:
    """Give a folder for what archives hold.

    It is inside `output`, where the workers of other machines see it too and
    the next run sweeps it after a kill -9; without an output it is the
    system's. Folders need none: no archive in them is opened.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """
    if all(Path(item).is_dir() for item in inputs):
        yield Path(os.devnull)
    elif output is None:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="imgconv-") as name:
            yield Path(name)
    else:
        sweep(output)
        with staging_folder(output) as folder:
            yield folder


def _missing_folders(path: Path) -> list[Path]:
    """Return `path` and its parents that do not exist, the deepest first."""
    return [folder for folder in (path, *path.parents) if not folder.exists()]


def sweep(parent: Path) -> int:
    """Remove the staging folders in `parent` whose run has ended; return how many."""
    swept = 0
    with contextlib.suppress(OSError):
        for path in parent.iterdir():
            if is_temporary(path) and path.is_dir() and not path.is_symlink() and _is_dead(path):
                shutil.rmtree(path, ignore_errors=True)
                swept += 1
    return swept


def _is_dead(folder: Path) -> bool:
    try:
        with (folder / _LOCK).open("rb") as lock:
            locked = try_lock(lock.fileno())
    except OSError:  # killed before it was locked, or being made just now
        locked = None
    if locked is None:
        with contextlib.suppress(OSError):
            return time.time() - folder.stat().st_mtime > STALE_S
    return bool(locked)


def flush_all(paths: Iterable[Path]) -> None:
    """Have the disk hold the content of files that were written just now.

    Many are flushed at a time: one after the other, a file costs a commit of
    the file system's journal each (300 slices: 2.5 s, instead of 0.8).

    Raises
    ------
    OutputError
        The disk is full, or fails.
    """
    from concurrent.futures import ThreadPoolExecutor  # 4 ms, which a sweep does without

    with ThreadPoolExecutor(_FLUSHES) as pool:
        for _ in pool.map(_flush, paths):
            pass


def _flush(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise output_error(error, path) from error


def place_all(moves: Sequence[tuple[Path, Path]], overwrite: Overwrite) -> bool:
    """Move complete files to their final names, all or none; return whether anything changed.

    Parameters
    ----------
    moves
        (staged file, final name); the last one should be the file that tells
        that all are there.

    Raises
    ------
    OutputError
        A target exists with another content and must not be replaced, or it
        cannot be written. What this call had placed newly is removed again.
    """
    wanted = [move for move in moves if not _is_there(*move, overwrite)]
    placed: list[Path] = []
    try:
        for staged, target in wanted:
            is_new = not target.exists()
            _place(staged, target, overwrite)
            if is_new:
                placed.append(target)
    except OutputError:
        for path in placed:
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    return bool(wanted)


def _is_there(staged: Path, target: Path, overwrite: Overwrite) -> bool:
    """Whether `target` has the content already.

    Raises
    ------
    OutputError
        It has another one and must not be replaced.
    """
    import filecmp

    try:
        if overwrite is Overwrite.ALWAYS or not target.exists():
            return False
        if target.is_file() and filecmp.cmp(staged, target, shallow=False):
            return True
    except OSError as error:
        raise output_error(error, target) from error
    if overwrite is Overwrite.NEVER:
        raise OutputError(
            "exists already with another content",
            path=target,
            hint="replace it by `--overwrite if-different`",
        )
    return False


def _place(staged: Path, target: Path, overwrite: Overwrite) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if overwrite is Overwrite.NEVER:
            _link(staged, target)
        else:
            staged.replace(target)
    except FileExistsError:
        raise OutputError(
            "exists already", path=target, hint="replace it by `--overwrite always`"
        ) from None
    except OSError as error:
        raise output_error(error, target) from error


def _link(staged: Path, target: Path) -> None:
    """Move without replacing what may have appeared meanwhile."""
    try:
        os.link(staged, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(target) from None
        staged.rename(target)
    else:
        staged.unlink()
