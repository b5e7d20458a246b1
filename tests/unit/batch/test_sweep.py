from imgconv.batch.sweep import Sweeper, sweep_folders
from imgconv.core.atomic import atomic_output


def leave(folder):
    folder.mkdir(exist_ok=True)
    path = folder / ".imgconv-x.part"
    path.write_bytes(b"half")
    return path


def test_sweep_folders_spares_what_is_being_written(tmp_path):
    stale = leave(tmp_path)
    with atomic_output(tmp_path / "a") as stream:
        stream.write(b"a")
        sweep_folders([tmp_path, tmp_path / "none"])
        assert not stale.exists()
    assert (tmp_path / "a").read_bytes() == b"a"


def test_sweeper_looks_at_a_folder_once(tmp_path):
    sweeper = Sweeper()
    leave(tmp_path)
    sweeper.visit([tmp_path])
    stale = leave(tmp_path)
    sweeper.visit([tmp_path])
    assert stale.exists()


def test_sweeper_forgets_rather_than_grows(tmp_path, monkeypatch):
    monkeypatch.setattr("imgconv.batch.sweep._REMEMBERED", 2)
    sweeper = Sweeper()
    for name in "abcdef":
        sweeper.visit([tmp_path / name])
    assert len(sweeper._seen) <= 2
