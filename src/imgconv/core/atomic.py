"""Write a file so that its final name never shows an unfinished one.

The data goes to a 0600 temporary file beside the target, is flushed to the
disk, and is renamed. Whatever happens before the rename leaves the target as
it was; a temporary file that a kill -9 leaves behind is recognised by
`is_temporary` and swept by the next run.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from imgconv.errors import OutputError, output_error

__all__ = ["atomic_output", "is_temporary", "write_bytes"]

_PREFIX = ".imgconv-"
_SUFFIX = ".part"


@contextmanager
def atomic_output(target: Path, *, replace: bool = True) -> Iterator[IO[Any]]:
    """Open a binary file that becomes `target` when the block ends without an error.

    Parameters
    ----------
    target
        The final name; its folder is created if it is missing.
    replace
        Whether an existing target may be replaced.

    Raises
    ------
    OutputError
        It cannot be written, or exists and must not be replaced.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=target.parent)
    except OSError as error:
        raise output_error(error, target) from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            try:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            except OSError as error:
                raise output_error(error, target) from error
        try:
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
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
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def write_bytes(target: Path, data: bytes, *, replace: bool = True) -> None:
    """Write `data` to `target` by `atomic_output`."""
    with atomic_output(target, replace=replace) as stream:
        stream.write(data)


def is_temporary(path: Path) -> bool:
    """Whether `path` is named like an unfinished output of `atomic_output`."""
    return path.name.startswith(_PREFIX) and path.name.endswith(_SUFFIX)
