"""The one exception tree.

    ImgconvError
    ├── UsageError            the caller's: arguments, options (exit 2)
    │   ├── ConfigError       a configuration or profile file has a mistake
    │   └── MissingExtra      an optional dependency is not installed
    ├── InputError            the file's: cannot be done with this input (exit 4)
    │   ├── UnknownFormat     no format recognises it
    │   ├── CorruptData       truncated, contradictory or hostile
    │   ├── UnsupportedData   legal, but not (yet) done by imgconv
    │   ├── GeometryError     positions or orientations contradict each other
    │   └── LossRefused       the target cannot hold it and nobody allowed that
    ├── OutputError           the target's: full, read-only, exists (exit 5)
    ├── WorkerError           a worker process died or hung on this input (exit 4)
    └── InternalError         a bug of imgconv (exit 70)

A message has the form ``<what is wrong, offending value in backticks>; <what
was expected>``, the path stands in front of it when printed. No message holds
the value of an attribute that may identify a person.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from imgconv.exitcodes import ExitCode

__all__ = [
    "ConfigError",
    "CorruptData",
    "GeometryError",
    "ImgconvError",
    "InputError",
    "InternalError",
    "LossRefused",
    "MissingExtra",
    "OutputError",
    "UnknownFormat",
    "UnsupportedData",
    "UsageError",
    "WorkerError",
    "input_error",
    "output_error",
]


class ImgconvError(Exception):
    """Any failure that imgconv foresees.

    Parameters
    ----------
    message
        One sentence without a full stop, without the path, without any value
        that may identify a person.
    path
        The file or folder that it is about, if it is about one.
    hint
        A way out: a command or a setting.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(
        self, message: str, *, path: str | os.PathLike[str] | None = None, hint: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = None if path is None else Path(path)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path is not None else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (type(self), (self.message,), {"path": self.path, "hint": self.hint})

    def with_path(self, path: str | os.PathLike[str]) -> ImgconvError:
        """Return the same error, about `path` unless it has one already."""
        if self.path is not None:
            return self
        return type(self)(self.message, path=path, hint=self.hint)


class UsageError(ImgconvError):
    """The call is wrong: an argument, an option, a combination of them."""

    exit_code = ExitCode.USAGE


class ConfigError(UsageError):
    """A configuration or profile file has a mistake."""


class MissingExtra(UsageError):
    """An optional dependency is not installed."""


class InputError(ImgconvError):
    """The input cannot be done."""

    exit_code = ExitCode.NONE_DONE


class UnknownFormat(InputError):
    """No registered format recognises the input."""


class CorruptData(InputError):
    """The input is truncated, contradicts itself, or is hostile."""


class UnsupportedData(InputError):
    """The input is legal, but this is not done by imgconv."""


class GeometryError(InputError):
    """Positions or orientations contradict each other."""


class LossRefused(InputError):
    """The target cannot hold what the input has, and nobody allowed the loss."""


class OutputError(ImgconvError):
    """The output cannot be written."""

    exit_code = ExitCode.OUTPUT


class WorkerError(InputError):
    """A worker process died, hung, or ran out of memory on this input."""


class InternalError(ImgconvError):
    """A bug of imgconv."""


_OUTPUT_REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EDQUOT: "the disk quota is used up",
    errno.EACCES: "permission denied",
    errno.EPERM: "operation not permitted",
    errno.EROFS: "the file system is read-only",
    errno.EFBIG: "the file would exceed the size limit",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EISDIR: "it is a folder",
    errno.ENOENT: "a folder of the path does not exist",
}


def input_error(error: OSError, path: str | os.PathLike[str]) -> InputError:
    """Translate an operating system's error about an input into ours."""
    return InputError(f"cannot be read: {error.strerror or type(error).__name__}", path=path)


def output_error(error: OSError, path: str | os.PathLike[str]) -> OutputError:
    """Translate an operating system's error about an output into ours."""
    reason = _OUTPUT_REASONS.get(error.errno or 0, error.strerror or type(error).__name__)
    return OutputError(f"cannot be written: {reason}", path=path)
