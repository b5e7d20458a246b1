import os
import subprocess
import sys
import textwrap

import pytest

from imgconv.core.atomic import is_temporary
from imgconv.core.options import Overwrite
from imgconv.core.staging import flush_all, place_all, staging_folder, sweep
from imgconv.errors import OutputError


def staged(folder, **texts):
    paths = []
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        paths.append(path)
    return paths


def test_staging_folder_is_hidden_and_leaves_nothing(tmp_path):
    with staging_folder(tmp_path / "out") as folder:
        assert is_temporary(folder)
        (folder / "half").write_text("x")
    assert not (tmp_path / "out").exists()


def test_staging_folder_keeps_what_was_placed(tmp_path):
    out = tmp_path / "deep" / "out"
    with staging_folder(out) as folder:
        (a,) = staged(folder, a="1")
        place_all([(a, out / "a")], Overwrite.NEVER)
    assert [path.name for path in out.iterdir()] == ["a"]


def test_staging_folder_in_a_file_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError), staging_folder(tmp_path / "file"):
        pass


def test_staging_folder_interrupted_while_it_is_made_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr("imgconv.core.staging.try_lock", interrupt)
    with pytest.raises(KeyboardInterrupt), staging_folder(tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


def test_place_all_makes_folders(tmp_path):
    (a,) = staged(tmp_path, a="1")
    assert place_all([(a, tmp_path / "x" / "y" / "a")], Overwrite.NEVER)
    assert (tmp_path / "x" / "y" / "a").read_text() == "1"


@pytest.mark.parametrize("overwrite", [Overwrite.NEVER, Overwrite.IF_DIFFERENT])
def test_place_all_of_equal_content_changes_nothing(tmp_path, overwrite):
    (a,) = staged(tmp_path, a="1")
    target = tmp_path / "b"
    target.write_text("1")
    before = target.stat().st_ino
    assert not place_all([(a, target)], overwrite)
    assert target.stat().st_ino == before


def test_place_all_never_replaces_other_content_and_places_nothing_else(tmp_path):
    a, b = staged(tmp_path, a="1", b="2")
    (tmp_path / "B").write_text("other")
    with pytest.raises(OutputError, match="another content"):
        place_all([(a, tmp_path / "A"), (b, tmp_path / "B")], Overwrite.NEVER)
    assert not (tmp_path / "A").exists()
    assert (tmp_path / "B").read_text() == "other"


@pytest.mark.parametrize("overwrite", [Overwrite.ALWAYS, Overwrite.IF_DIFFERENT])
def test_place_all_replaces_other_content_if_asked(tmp_path, overwrite):
    (a,) = staged(tmp_path, a="1")
    (tmp_path / "A").write_text("other")
    assert place_all([(a, tmp_path / "A")], overwrite)
    assert (tmp_path / "A").read_text() == "1"


def test_place_all_that_fails_midway_takes_back_what_was_new(tmp_path):
    a, b = staged(tmp_path, a="1", b="2")
    (tmp_path / "dir").mkdir()
    with pytest.raises(OutputError):
        place_all([(a, tmp_path / "A"), (b, tmp_path / "dir")], Overwrite.ALWAYS)
    assert not (tmp_path / "A").exists()


def test_place_all_over_a_folder_is_refused(tmp_path):
    (a,) = staged(tmp_path, a="1")
    (tmp_path / "dir").mkdir()
    with pytest.raises(OutputError):
        place_all([(a, tmp_path / "dir")], Overwrite.NEVER)


@pytest.mark.skipif(os.name == "nt", reason="no advisory locks")
def test_sweep_removes_folders_of_killed_runs_only(tmp_path):
    script = textwrap.dedent(
        """
        import os, signal, sys
        from pathlib import Path
        from imgconv.core.staging import staging_folder
        with staging_folder(Path(sys.argv[1])) as folder:
            (folder / "half").write_text("x")
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert len([path for path in tmp_path.iterdir() if is_temporary(path)]) == 1
    with staging_folder(tmp_path) as alive:
        assert sweep(tmp_path) == 1
        assert alive.exists()
    assert list(tmp_path.iterdir()) == []


def test_flush_all_leaves_files_as_they_are(tmp_path):
    paths = staged(tmp_path, a="1", b="2")
    flush_all(paths)
    assert [path.read_text() for path in paths] == ["1", "2"]


def test_flush_all_of_a_missing_file_is_an_output_error(tmp_path):
    with pytest.raises(OutputError):
        flush_all([tmp_path / "none"])
