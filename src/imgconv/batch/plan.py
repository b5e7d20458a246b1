"""The plan of a batch: which jobs are whose, and how a plan is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from imgconv.batch.job import Job, Status
from imgconv.errors import UsageError
from imgconv.records import record

__all__ = ["PlanStep", "Shard", "iter_plan_records", "iter_shard"]


@record
class Shard:
    """One of `count` parts of a batch; `index` counts from 1."""

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise UsageError(
                f"shard `{self.index}/{self.count}` does not exist; "
                f"expected 1/{max(self.count, 1)} to {max(self.count, 1)}/{max(self.count, 1)}"
            )

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Return the shard that ``i/n`` names.

        Raises
        ------
        UsageError
            `text` is no such thing.
        """
        index, _, count = text.partition("/")
        if not (index.isascii() and index.isdigit() and count.isascii() and count.isdigit()):
            raise UsageError(f"unknown shard `{text}`; expected i/n, as in 2/8")
        return cls(int(index), int(count))

    def has(self, job: Job) -> bool:
        """Whether a job belongs to it; the key alone decides, so every machine agrees."""
        if self.count == 1:
            return True
        digest = hashlib.blake2b(job.key.encode(errors="surrogateescape"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index - 1


@record
class PlanStep:
    """A job and what would become of it.

    `status` is None if it would run; then `action` is a word for what it would
    do, if that is known, and `reason` says why it would not do more.
    """

    job: Job
    status: Status | None = None
    action: str = ""
    reason: str = ""


def iter_shard(jobs: Iterable[Job], shard: Shard) -> Iterator[Job]:
    """Iterate over the jobs that belong to `shard`."""
    return (job for job in jobs if shard.has(job))


def iter_plan_records(steps: Iterable[PlanStep]) -> Iterator[dict[str, Any]]:
    """Iterate over the steps of a plan as JSON values, for `--dry-run --json`."""
    for step in steps:
        known = step.action or "run" if step.status is None else step.status.value
        yield {
            "record": "plan",
            "key": step.job.key,
            "action": known,
            **({"reason": step.reason} if step.reason else {}),
            "path": str(step.job.path or ""),
            "inputs": [str(path) for path in step.job.lasting_inputs],
            "outputs": [str(path) for path in step.job.outputs],
            "size_bytes": step.job.size_bytes,
        }
