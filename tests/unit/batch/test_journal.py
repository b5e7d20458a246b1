import os
import time
from pathlib import Path

import pytest

from imgconv.batch.journal import journal_path, prune_journals
from imgconv.batch.plan import Shard


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


def test_journal_path_is_in_the_state_folder(tmp_path):
    path = journal_path(tmp_path / "out")
    assert path.is_relative_to(tmp_path / "state" / "imgconv")
    assert not path.parent.exists()


def test_journal_path_depends_on_folder_and_shard(tmp_path):
    paths = {
        journal_path(tmp_path / "out"),
        journal_path(tmp_path / "other"),
        journal_path(tmp_path / "out", Shard(1, 2)),
        journal_path(tmp_path / "out", Shard(2, 2)),
    }
    assert len(paths) == 4
    assert journal_path(Path("out")) == journal_path(tmp_path / "out", Shard())


def test_prune_journals_removes_old_ones_and_looks_once_a_day(tmp_path):
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    months_ago = time.time() - 100 * 86400
    for path in (old, new):
        path.touch()
    os.utime(old, (months_ago, months_ago))
    prune_journals(tmp_path)
    assert not old.exists()
    assert new.exists()

    os.utime(new, (months_ago, months_ago))
    prune_journals(tmp_path)
    assert new.exists()
    os.utime(tmp_path / "pruned", (months_ago, months_ago))
    prune_journals(tmp_path)
    assert not new.exists()
