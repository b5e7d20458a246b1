"""A worker's edge: run one job once, and turn whatever happens into a value."""

from __future__ import annotations

import copy
import errno
import hashlib
import os
import pickle
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import field, replace
from pathlib import Path

from imgconv.batch.job import FileFact, Job, JobFunction, JobResult
from imgconv.core.atomic import UnfinishedOutput, defer_outputs
from imgconv.errors import ImgconvError, InputError, InternalError, WorkerError, output_error
from imgconv.records import record

__all__ = [
    "Attempt",
    "Computed",
    "Terminated",
    "attempt",
    "compute",
    "describe",
    "file_fact",
    "finish",
    "hash_file",
]

# I/O errors that may pass by themselves: a busy disk, a network file system that stalls.
_TRANSIENT = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNRESET,
        errno.EIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
    }
)
# Only writing fails like this, so the target is at fault.
_TARGET_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


@record
class Attempt:
    """What one try of a job gave; picklable.

    `transient` says that the same try may succeed later; `spent` that the
    process which made it should make no other (its memory ran out).
    """

    result: JobResult = field(default_factory=JobResult)
    error: ImgconvError | None = None
    inputs: tuple[FileFact, ...] = ()
    outputs: tuple[FileFact, ...] = ()
    seconds: float = 0.0
    transient: bool = False
    spent: bool = False


class Terminated(SystemExit):
    """The process shall end; what a job raises by `sys.exit` does not mean that."""


@record(frozen=False)
class Computed:
    """A job whose function has returned or failed; its outputs may be unfinished."""

    job: Job
    inputs: tuple[FileFact, ...]
    result: JobResult
    error: Exception | SystemExit | None
    began: float  # monotonic seconds
    unfinished: list[UnfinishedOutput]


def attempt(function: JobFunction, job: Job, *, digests: bool) -> Attempt:
    """Run `function` on `job`; every failure is in the result, none is raised."""
    return finish(compute(function, job, digests=digests), digests=digests)


def compute(
    function: JobFunction, job: Job, *, defer: bool = False, digests: bool = False
) -> Computed:
    """Run `function` on `job`, and leave the outputs unfinished if `defer` is set.

    `digests` has the inputs hashed that the outputs will replace; the others can wait.
    """
    began = time.monotonic()
    # Before the work: if an input changes meanwhile, the next run sees it.
    inputs = tuple(_existing_facts(job.lasting_inputs))
    if digests:
        inputs = tuple(_hash_what_is_replaced(fact, job) for fact in inputs)
    outputs: AbstractContextManager[list[UnfinishedOutput]]
    outputs = defer_outputs() if defer else nullcontext([])
    try:
        with outputs as unfinished:
            result = function(job)
    except Terminated:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  a worker's edge: one bad job must not stop the rest
        return Computed(job, inputs, JobResult(), error, began, [])
    return Computed(job, inputs, result, None, began, unfinished)


def finish(computed: Computed, *, digests: bool) -> Attempt:
    """Finish the outputs and return what the job gave."""
    if computed.error is not None:
        return _failed(computed, computed.error)
    remaining = list(computed.unfinished)
    try:
        while remaining:
            remaining.pop(0).finish()
        return describe(computed, digests=digests)
    except Exception as error:  # noqa: BLE001  a worker's edge, as above
        for output in remaining:
            output.discard()
        return _failed(computed, error)


def describe(computed: Computed, *, digests: bool) -> Attempt:
    """Return the attempt of a job whose outputs are in place.

    Raises
    ------
    OSError
        An input or output cannot be read for its digest.
    InternalError
        An output that was announced is missing.
    """
    job, result = computed.job, computed.result
    given = result.digests
    written = job.outputs if result.outputs is None else result.outputs
    outputs = () if result.skipped else tuple(_facts(written, given, digests=digests))
    inputs = (*computed.inputs, *_existing_facts(result.companions))
    if digests and job.archive is None:  # else each member would read the whole archive
        inputs = tuple(_with_digests(inputs, given))
    return Attempt(
        result,
        result.error,
        inputs,
        outputs,
        time.monotonic() - computed.began,
        transient=_is_transient(result.error),
    )


def _failed(computed: Computed, error: Exception | SystemExit) -> Attempt:
    return Attempt(
        error=_named(_translate(error, computed.job), computed.job),
        inputs=computed.inputs,
        seconds=time.monotonic() - computed.began,
        transient=_is_transient(error),
        spent=isinstance(error, MemoryError),
    )


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal.

    Raises
    ------
    OSError
        It cannot be read.
    """
    with path.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_fact(path: Path, sha256: str = "") -> FileFact:
    """Return what the file system says about `path`.

    Raises
    ------
    OSError
        There is none.
    """
    status = path.stat()
    return FileFact(path, status.st_size, status.st_mtime_ns, sha256)


def _existing_facts(paths: Iterable[Path]) -> Iterable[FileFact]:
    for path in paths:
        try:
            yield file_fact(path)
        except OSError:  # the function will meet it and say so
            continue


def _facts(
    paths: Iterable[Path], given: Mapping[Path, str], *, digests: bool
) -> Iterable[FileFact]:
    for path in paths:
        known = given.get(path, "")
        try:
            wanted = digests and not known and path.is_file()
            yield file_fact(path, hash_file(path) if wanted else known)
        except FileNotFoundError as error:
            raise InternalError("an output that was announced is missing", path=path) from error


def _hash_what_is_replaced(fact: FileFact, job: Job) -> FileFact:
    if Path(os.path.realpath(fact.path)) not in job.outputs:
        return fact
    try:
        return replace(fact, sha256=hash_file(fact.path))
    except OSError:  # the function will meet it and say so
        return fact


def _with_digests(facts: Iterable[FileFact], given: Mapping[Path, str]) -> Iterable[FileFact]:
    for fact in facts:
        known = fact.sha256 or given.get(fact.path, "")
        if not known and fact.path.is_file():
            known = hash_file(fact.path)
        yield FileFact(fact.path, fact.size_bytes, fact.mtime_ns, known)


def _named(error: ImgconvError, job: Job) -> ImgconvError:
    """Return an error about what was unpacked as one about a member of the archive."""
    if job.archive is None or error.path not in job.inputs:
        return error
    named = copy.copy(error)
    named.path = job.path
    return named


def _translate(error: Exception | SystemExit, job: Job) -> ImgconvError:
    """Return one of our errors; the text of a foreign one may quote the data."""
    if isinstance(error, ImgconvError):
        ours = error if job.path is None else error.with_path(job.path)
        return ours if _is_picklable(ours) else InternalError(ours.message, path=ours.path)
    if isinstance(error, MemoryError) or _lacks_thread(error):
        return WorkerError("there is not enough memory for it", path=job.path)
    if isinstance(error, OSError) and error.errno in _TARGET_FAULTS:
        return output_error(error, _path_of(error) or job.path or "output")
    if isinstance(error, OSError):
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return InputError(f"cannot be read: {reason}", path=_path_of(error) or job.path)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).stem}.{frames[-1].name}:{frames[-1].lineno}"
    return InternalError(f"internal error `{type(error).__name__}` at {place}", path=job.path)


def _lacks_thread(error: BaseException) -> bool:
    """Whether no thread could be started: each needs some megabytes for its stack."""
    return isinstance(error, RuntimeError) and "start new thread" in str(error)


def _path_of(error: OSError) -> Path | None:
    name = error.filename
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) else None


def _is_picklable(error: ImgconvError) -> bool:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except Exception:  # noqa: BLE001  a worker's edge: a plug-in's error may be anything
        return False
    return True


def _is_transient(error: BaseException | None) -> bool:
    """Whether an I/O error that may pass is `error` or what caused it."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _TRANSIENT:
            return True
        error = error.__cause__
    return False
