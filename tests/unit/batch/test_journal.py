from pathlib import Path

import pytest

from imgconv.batch.journal import journal_path
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
