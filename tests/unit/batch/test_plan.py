import json
from pathlib import Path

import pytest

from imgconv.batch.job import Job, Status
from imgconv.batch.plan import PlanStep, Shard, iter_plan_records, iter_shard
from imgconv.errors import UsageError


@pytest.mark.parametrize("text", ["2", "0/2", "3/2", "a/b", "/", "1/2/3", "-1/2", "1/0", "²/3"])
def test_shard_parse_refuses(text):
    with pytest.raises(UsageError, match="shard"):
        Shard.parse(text)


def test_shard_parse():
    assert Shard.parse("2/8") == Shard(2, 8)


def test_iter_shard_splits_evenly_and_by_key_alone():
    jobs = [Job(f"{number}.dcm", (Path("/a", str(number)),)) for number in range(1000)]
    parts = [list(iter_shard(jobs, Shard(index, 4))) for index in (1, 2, 3, 4)]
    assert sum(map(len, parts)) == 1000
    assert all(200 < len(part) < 300 for part in parts)
    moved = Job("7.dcm", (Path("/elsewhere"),), size_bytes=5)
    assert [Shard(i, 4).has(moved) for i in (1, 2, 3, 4)] == [
        Shard(i, 4).has(jobs[7]) for i in (1, 2, 3, 4)
    ]


def test_iter_plan_records_are_json():
    job = Job("k", (Path("a"), Path("b")), (Path("c"),), 7, payload=object())
    steps = [
        PlanStep(job),
        PlanStep(job, Status.ALREADY_DONE),
        PlanStep(job, action="skip", reason="why"),
    ]
    records = list(iter_plan_records(steps))
    assert json.loads(json.dumps(records)) == records
    assert [record["action"] for record in records] == ["run", "already-done", "skip"]
    assert [record.get("reason") for record in records] == [None, None, "why"]
    assert records[0]["inputs"] == ["a", "b"]
