"""Write a file so that its final name never shows an unfinished one.

The data goes to a 0600 temporary file beside the target, is flushed to the
disk, and is renamed. Whatever happens before the rename leaves the target as
it was. The temporary file is locked as long as it is being written; the lock
dies with its process, so `sweep_temporaries` can tell what a kill -9 has
left behind from what a neighbour is writing.
"""

from __future__ import annotations

import contextlib
import functools
import os
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any

from imgconv.errors import OutputError, output_error
from imgconv.records import record

__all__ = [
    "PREFIX",
    "STALE_S",
    "SUFFIX",
    "UnfinishedOutput",
    "atomic_output",
    "defer_outputs",
    "is_temporary",
    "sweep_temporaries",
    "try_lock",
    "write_bytes",
]

PREFIX = ".imgconv-"
SUFFIX = ".part"
STALE_S = 24 * 3600.0  # where locks cannot be had, age decides


@contextmanager
def atomic_output(target: Path, *, replace: bool = True) -> Iterator[IO[Any]]:
    """Open a binary file that becomes `target` when the block ends without an error.

    Parameters
    ----------
    target
        The final name; its folder is created if it is missing.
    replace
        Whether an existing target may be replaced; its mode, and its group and
        owner as far as we may, stay as they are.

    Raises
    ------
    OutputError
        It cannot be written, exists and must not be replaced, or is a device,
        pipe or socket, which a rename would replace.
    """
    _require_file(target)
    names: list[Path] = []
    output = None
    try:
        output = _create(target, names, replace=replace)
        try:
            yield output.stream
            output.stream.flush()
        except BrokenPipeError:  # of a pipe that the block writes to as well
            raise
        except OSError as error:
            raise output_error(error, target) from error
    except BaseException:
        if output is not None:
            output.discard()
        for name in names:  # an interrupt may have come before there was an output
            with contextlib.suppress(OSError):
                name.unlink(missing_ok=True)
        raise
    deferred = _deferred.get()
    if deferred is None:
        output.finish()
    else:
        deferred.append(output)


def _require_file(target: Path) -> None:
    try:
        mode = target.stat().st_mode
    except OSError:  # it does not exist, or what writes it will say why it cannot
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OutputError("is a device, pipe or socket; expected a file's name", path=target)


@record
class UnfinishedOutput:
    """An output that is written, and neither flushed to the disk nor at its place.

    Its file stays open, and locked, until `finish` or `discard`.
    """

    stream: IO[Any]
    temporary: Path
    target: Path
    replace: bool

    @property
    def identity(self) -> tuple[int, int]:
        """Device and inode, by which the file is known under its final name."""
        status = os.fstat(self.stream.fileno())
        return (status.st_dev, status.st_ino)

    def finish(self) -> None:
        """Flush the file to the disk and give it its final name.

        Raises
        ------
        OutputError
            It cannot be done; nothing is left.
        """
        try:
            with self.stream:
                try:
                    os.fsync(self.stream.fileno())
                except OSError as error:
                    raise output_error(error, self.target) from error
                if sys.platform != "win32":  # still locked; Windows renames no open file
                    _rename(self.temporary, self.target, replace=self.replace)
            if sys.platform == "win32":
                _rename(self.temporary, self.target, replace=self.replace)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Close and remove the file, without an error."""
        with contextlib.suppress(OSError):
            self.stream.close()  # which writes what is buffered
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)


_deferred: ContextVar[list[UnfinishedOutput] | None] = ContextVar("deferred", default=None)


@contextmanager
def defer_outputs() -> Iterator[list[UnfinishedOutput]]:
    """Let the outputs of this thread be left unfinished, and collect them.

    Flushing waits for the disk and not for the processor: the caller can do
    it in another thread, while the next output is being made.
    """
    outputs: list[UnfinishedOutput] = []
    token = _deferred.set(outputs)
    try:
        yield outputs
    except BaseException:
        for output in outputs:
            output.discard()
        raise
    finally:
        _deferred.reset(token)


def write_bytes(target: Path, data: bytes, *, replace: bool = True) -> None:
    """Write `data` to `target` by `atomic_output`."""
    with atomic_output(target, replace=replace) as stream:
        stream.write(data)


def is_temporary(path: Path) -> bool:
    """Whether `path` is named like an unfinished output of `atomic_output`."""
    return path.name.startswith(PREFIX) and path.name.endswith(SUFFIX)


def sweep_temporaries(folder: Path) -> int:
    """Remove what writers that are no more have left in a folder.

    Parameters
    ----------
    folder
        Looked at itself, not below it; it need not exist.

    Returns
    -------
    int
        The number of files that were removed.
    """
    removed = 0
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if is_temporary(path) and entry.is_file(follow_symlinks=False):
                removed += _remove_if_abandoned(path)
    return removed


def _create(target: Path, names: list[Path], *, replace: bool) -> UnfinishedOutput:
    """Create and lock a temporary file; another one if a sweeper came between the two.

    Each name is added to `names` before there is a file, so that an interrupt
    in between finds what there is to remove.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        while True:
            names.append(target.parent / f"{PREFIX}{os.urandom(8).hex()}{SUFFIX}")
            handle = os.open(names[-1], flags, 0o600)
            if try_lock(handle) is not False and os.fstat(handle).st_nlink > 0:
                return UnfinishedOutput(os.fdopen(handle, "wb"), names[-1], target, replace)
            os.close(handle)
    except OSError as error:
        raise output_error(error, target) from error


def _rename(temporary: Path, target: Path, *, replace: bool) -> None:
    try:
        _set_permissions(temporary, target if replace else None)
        if replace:
            temporary.replace(target)
        else:
            os.link(temporary, target)
            temporary.unlink()
    except FileExistsError:
        raise OutputError(
            "exists already", path=target, hint="replace it by `--overwrite always`"
        ) from None
    except OSError as error:
        raise output_error(error, target) from error


def _set_permissions(temporary: Path, replaced: Path | None) -> None:
    """Give a file the usual mode, or mode, group and owner of the file that it replaces.

    Before it has that one's name: else a kill in between would leave it with another mode.
    """
    status = None
    if replaced is not None:
        with contextlib.suppress(OSError):  # there is none
            status = os.lstat(replaced)
    if status is None or not stat.S_ISREG(status.st_mode):
        temporary.chmod(0o666 & ~_umask())
        return
    mine = temporary.stat()
    for owner, group in ((-1, status.st_gid), (status.st_uid, -1)):  # who may not chown, may chgrp
        if owner not in (-1, mine.st_uid) or group not in (-1, mine.st_gid):
            with contextlib.suppress(OSError, AttributeError):  # Windows has no owners
                os.chown(temporary, owner, group)
    temporary.chmod(stat.S_IMODE(status.st_mode) & 0o777)


@functools.cache
def _umask() -> int:
    """Return the process's umask, which can be read only by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


def _remove_if_abandoned(path: Path) -> bool:
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        try:
            locked = try_lock(handle)
            stale = time.time() - os.fstat(handle).st_mtime > STALE_S
        finally:
            if sys.platform == "win32":  # which removes no open file
                os.close(handle)
        try:
            if locked or (locked is None and stale):
                path.unlink()
                return True
        finally:
            if sys.platform != "win32":
                os.close(handle)
    return False


def try_lock(handle: int) -> bool | None:
    """Lock an open file; False if another process has it, None if there are no locks."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True
