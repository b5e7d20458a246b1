"""What became of every input of a conversion, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any

from imgconv.core.loss import Loss
from imgconv.errors import ImgconvError, OutputError
from imgconv.exitcodes import ExitCode
from imgconv.records import record

__all__ = ["ConvertReport", "FileOutcome", "Status", "VolumeOutcome"]


class Status(StrEnum):
    """How something ended."""

    CONVERTED = "converted"
    UNCHANGED = "unchanged"  # the same output was there already
    ALREADY_DONE = "already-done"  # by an earlier run, seen in its manifest
    PLANNED = "planned"  # a dry run would convert it
    OTHER_SHARD = "other-shard"  # another part of a divided run does it
    SKIPPED = "skipped"
    FAILED = "failed"

    @property
    def is_good(self) -> bool:
        """Whether the output is there, or would be."""
        return self in _GOOD


_GOOD = frozenset({Status.CONVERTED, Status.UNCHANGED, Status.ALREADY_DONE, Status.PLANNED})


@record
class VolumeOutcome:
    """What became of one image.

    Parameters
    ----------
    name
        Of its output, without the extension.
    files
        The inputs that it was made from, as reports name them.
    outputs
        The files written.
    facts
        Shape, data type, series number and the like, as JSON values.
    losses, warnings
        What the output does not carry; what the user should know.
    error
        Why it failed.
    """

    name: str
    status: Status
    files: tuple[str, ...] = ()
    outputs: tuple[Path, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    losses: tuple[Loss, ...] = ()
    warnings: tuple[str, ...] = ()
    error: ImgconvError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "name": self.name,
            "status": self.status.value,
            "outputs": [str(path) for path in self.outputs],
            "inputs": len(self.files),
            **self.facts,
            "losses": [
                {"name": loss.name, "message": loss.message, "harmful": loss.harmful}
                for loss in self.losses
            ],
            "warnings": list(self.warnings),
            **_error_json(self.error),
        }


@record
class FileOutcome:
    """What became of one input file.

    `path` is the file as reports name it; `reason` says why it was skipped or
    failed; `volumes` are the names of the outputs that hold it.
    """

    path: str
    status: Status
    reason: str = ""
    volumes: tuple[str, ...] = ()
    error: ImgconvError | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values."""
        return {
            "path": self.path,
            "status": self.status.value,
            "reason": self.reason,
            "volumes": list(self.volumes),
        }


@record
class ConvertReport:
    """The outcome of a whole conversion; `interrupted` if the user stopped it."""

    volumes: tuple[VolumeOutcome, ...]
    files: tuple[FileOutcome, ...]
    interrupted: bool = False

    @property
    def errors(self) -> tuple[ImgconvError, ...]:
        """Each failure once, of volumes first."""
        found: list[ImgconvError] = []
        for error in (*(v.error for v in self.volumes), *(f.error for f in self.files)):
            if error is not None and not any(error is known for known in found):
                found.append(error)
        return tuple(found)

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        done = any(volume.status.is_good for volume in self.volumes)
        errors = self.errors
        if any(isinstance(error, OutputError) for error in errors):
            return ExitCode.OUTPUT
        if any(error.exit_code == ExitCode.INTERNAL for error in errors):
            return ExitCode.INTERNAL
        if not done and self.is_other_shards:
            return ExitCode.DONE
        if not done:
            codes = {error.exit_code for error in errors}
            return codes.pop() if codes == {ExitCode.USAGE} else ExitCode.NONE_DONE
        return ExitCode.SOME_FAILED if errors else ExitCode.DONE

    @property
    def is_other_shards(self) -> bool:
        """Whether everything that there was to do is the business of other shards."""
        return bool(self.volumes) and all(
            volume.status is Status.OTHER_SHARD for volume in self.volumes
        )

    def count(self, status: Status) -> int:
        """Return how many files ended so."""
        return sum(file.status is status for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "schema": "imgconv.convert/1",
            "exit_code": int(self.exit_code),
            "volumes": [volume.to_json() for volume in self.volumes],
            "files": [file.to_json() for file in self.files],
        }


def _error_json(error: ImgconvError | None) -> dict[str, Any]:
    if error is None:
        return {}
    return {"error": {"type": type(error).__name__, "message": str(error), "hint": error.hint}}
