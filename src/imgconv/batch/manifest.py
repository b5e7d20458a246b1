"""The manifest: one JSON line per outcome, appended, so that a run can be resumed.

A line is written after the outputs it tells of are on the disk under their
final names, in one write call. A crash can tear the last line only; such a
line is ignored, its job is done again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Self

import imgconv
from imgconv.batch.attempt import file_fact, hash_file
from imgconv.batch.job import FileFact, Job, Outcome, Status
from imgconv.errors import InputError, output_error

__all__ = ["ManifestIndex", "ManifestWriter", "digest_options", "outcome_record", "read_manifest"]

Record = dict[str, Any]  # JSON

_SYNC_EVERY = 256  # records: what a power cut may cost, at most


def digest_options(options: object) -> str:
    """Return a digest of everything that could change an output.

    Parameters
    ----------
    options
        Dataclasses, mappings, sequences, sets, enums, paths, plain values.

    Returns
    -------
    str
        16 hexadecimal digits, the same on every machine.
    """
    text = json.dumps(_plain(options), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outcome_record(outcome: Outcome, *, options_digest: str = "") -> Record:
    """Return one outcome as a JSON value."""
    record: Record = {
        "record": "job",
        "key": outcome.job.key,
        "status": outcome.status.value,
        "version": imgconv.__version__,
        "options": options_digest,
        "inputs": [_fact_record(fact) for fact in outcome.inputs],
        "outputs": [_fact_record(fact) for fact in outcome.outputs],
        "attempts": outcome.attempts,
        "seconds": round(outcome.seconds, 6),
    }
    if outcome.result.losses:
        record["losses"] = [dataclasses.asdict(loss) for loss in outcome.result.losses]
    if outcome.result.warnings:
        record["warnings"] = list(outcome.result.warnings)
    if outcome.result.facts:
        record["facts"] = _plain(outcome.result.facts)
    if outcome.result.skipped:
        record["reason"] = outcome.result.skipped
    if outcome.error is not None:
        record["error"] = type(outcome.error).__name__
        record["reason"] = outcome.error.message
        record["hint"] = outcome.error.hint
        record["path"] = str(outcome.error.path or outcome.job.path or "")
    return record


def read_manifest(path: Path) -> Iterator[Record]:
    """Iterate over the records of a manifest; torn lines are left out.

    Raises
    ------
    InputError
        It cannot be read.
    """
    return (record for _, record in _iter_lines(path))


class ManifestWriter:
    """Appends outcomes to a manifest; a context manager.

    Parameters
    ----------
    path
        Created with its folder if it is missing.
    options_digest
        Of `digest_options`.
    versions
        Names and versions of the libraries that have a part in the outputs.
    durable
        Whether it shall survive a power cut, and an outcome that cannot be
        written is an error; else writing ends there.

    Raises
    ------
    OutputError
        It cannot be created.
    """

    def __init__(
        self,
        path: Path,
        *,
        options_digest: str = "",
        versions: Mapping[str, str] | None = None,
        durable: bool = True,
    ) -> None:
        self.path = path
        self._durable = durable
        self._options_digest = options_digest
        self._unsynced = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = _ends_torn(path)
            self._handle = os.open(
                path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666 if durable else 0o600
            )
        except OSError as error:
            raise output_error(error, path) from error
        if torn:
            self._write(b"\n")
        self._write_record(
            {
                "record": "run",
                "version": imgconv.__version__,
                "versions": dict(versions or {}),
                "options": options_digest,
                "started": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def add(self, outcome: Outcome) -> None:
        """Append one outcome.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        self._write_record(outcome_record(outcome, options_digest=self._options_digest))

    def close(self) -> None:
        """Put everything on the disk."""
        if self._handle >= 0:
            self._sync()
            os.close(self._handle)
            self._handle = -1

    def _write_record(self, record: Record) -> None:
        # ASCII: a name that is no UTF-8 survives as an escaped surrogate
        self._write(json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n")

    def _write(self, data: bytes) -> None:
        if self._handle < 0:
            return
        try:
            written = os.write(self._handle, data)
            if written < len(data):  # the disk is nearly full: the next call says so
                os.write(self._handle, data[written:])
        except OSError as error:
            if not self._durable:
                os.close(self._handle)
                self._handle = -1
                return
            raise output_error(error, self.path) from error
        self._unsynced += 1
        if self._unsynced >= _SYNC_EVERY:
            self._sync()

    def _sync(self) -> None:
        self._unsynced = 0
        if not self._durable:
            return
        try:
            os.fsync(self._handle)
        except OSError as error:
            raise output_error(error, self.path) from error


class ManifestIndex:
    """Answers whether a job has been done already; 16 bytes of memory per record.

    Parameters
    ----------
    path
        A manifest; one that does not exist has no records.
    options_digest
        What a record must have been made with.

    Raises
    ------
    InputError
        The manifest cannot be read.
    """

    def __init__(self, path: Path, *, options_digest: str = "") -> None:
        self._path = path
        self._options_digest = options_digest
        self._stream: BinaryIO | None = None
        hashes, offsets = array("Q"), array("Q")
        if path.exists():
            for offset, record in _iter_lines(path):
                if record.get("record") == "job":
                    hashes.append(_hash_key(str(record.get("key", ""))))
                    offsets.append(offset)
        order = sorted(range(len(hashes)), key=hashes.__getitem__)  # stable: the last record wins
        self._hashes = array("Q", (hashes[i] for i in order))
        self._offsets = array("Q", (offsets[i] for i in order))

    def is_done(self, job: Job) -> bool:
        """Whether the job was done or skipped: same input, options and version, output intact."""
        return self.find_outputs(job) is not None

    def find_outputs(self, job: Job) -> tuple[FileFact, ...] | None:
        """Return the outputs of a job that is done, None if it is not, see `is_done`."""
        record = self._find(job.key)
        try:
            if record is None or not self._says_done(record, job):
                return None
            return tuple(
                FileFact(
                    Path(fact["path"]), fact["size_bytes"], fact["mtime_ns"], fact.get("sha256", "")
                )
                for fact in record.get("outputs", ())
            )
        except (AttributeError, KeyError, TypeError, ValueError):  # not a record of ours
            return None

    def _says_done(self, record: Record, job: Job) -> bool:
        outputs = record.get("outputs", ())
        replaced = {fact["path"] for fact in outputs}  # in place, the output stands for the input
        inputs = [
            fact for fact in record["inputs"] if os.path.realpath(fact["path"]) not in replaced
        ]
        return (
            record.get("status") in (Status.DONE, Status.SKIPPED)
            and record.get("options") == self._options_digest
            and record.get("version") == imgconv.__version__
            and _same_paths(record, job)
            and all(map(_is_unchanged, inputs))
            and all(map(_is_unchanged, outputs))
        )

    def close(self) -> None:
        """Close the manifest."""
        if self._stream is not None:
            self._stream.close()

    def _find(self, key: str) -> Record | None:
        place = bisect_right(self._hashes, _hash_key(key)) - 1
        if place < 0 or self._hashes[place] != _hash_key(key):
            return None
        try:
            if self._stream is None:
                self._stream = self._path.open("rb")
            self._stream.seek(self._offsets[place])
            record = _parse(self._stream.readline())
        except OSError as error:
            raise _unreadable(error, self._path) from error
        return record if record is not None and record.get("key") == key else None


def _same_paths(record: Record, job: Job) -> bool:
    """Whether the record is about the files of `job`; a skipped one has no outputs.

    After the inputs it may have the files that the function found by itself.
    """
    recorded = [fact["path"] for fact in record.get("inputs", ())]
    expected = [_absolute(path) for path in job.lasting_inputs]
    if recorded[: len(expected)] != expected:
        return False
    outputs = {fact["path"] for fact in record.get("outputs", ())}
    return record["status"] == Status.SKIPPED or outputs.issuperset(map(_absolute, job.outputs))


def _is_unchanged(recorded: Record) -> bool:
    """Whether a file is as recorded: by size and time, by content if only the time differs."""
    try:
        now = file_fact(Path(recorded["path"]))
        if now.size_bytes != recorded["size_bytes"]:
            return False
        if now.mtime_ns == recorded["mtime_ns"]:
            return True
        return bool(recorded.get("sha256")) and hash_file(now.path) == recorded["sha256"]
    except (OSError, KeyError):
        return False


def _iter_lines(path: Path) -> Iterator[tuple[int, Record]]:
    """Iterate over the byte offset and the record of each sound line."""
    offset = 0
    try:
        with path.open("rb") as stream:
            for line in stream:
                record = _parse(line)
                if record is not None:
                    yield offset, record
                offset += len(line)
    except OSError as error:
        raise _unreadable(error, path) from error


def _parse(line: bytes) -> Record | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _unreadable(error: OSError, path: Path) -> InputError:
    return InputError(f"the manifest cannot be read: {error.strerror}", path=path)


def _ends_torn(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            stream.seek(-1, os.SEEK_END)
            return stream.read(1) != b"\n"
    except FileNotFoundError:
        return False
    except OSError:  # empty: there is no byte before its end
        return False


def _hash_key(key: str) -> int:
    digest = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _fact_record(fact: FileFact) -> Record:
    record: Record = {
        "path": _absolute(fact.path),
        "size_bytes": fact.size_bytes,
        "mtime_ns": fact.mtime_ns,
    }
    if fact.sha256:
        record["sha256"] = fact.sha256
    return record


def _absolute(path: Path) -> str:
    """Return a path that is right in whatever folder a run is resumed."""
    return os.path.abspath(path)  # noqa: PTH100  Path.absolute keeps `..`


def _plain(value: object) -> Any:  # JSON
    """Return `value` as what JSON has, the same for equal values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: _plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted((_plain(item) for item in value), key=json.dumps)
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Iterable) and not isinstance(value, bytes):
        return [_plain(item) for item in value]
    return str(value)
