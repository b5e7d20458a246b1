import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgconv.core.atomic import (
    STALE_S,
    atomic_output,
    defer_outputs,
    is_temporary,
    sweep_temporaries,
    try_lock,
    write_bytes,
)
from imgconv.errors import OutputError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX locks and modes")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_atomic_output_creates_folder_and_file(tmp_path):
    target = tmp_path / "a" / "b" / "c.dcm"
    write_bytes(target, b"data")
    assert target.read_bytes() == b"data"
    assert names(target.parent) == ["c.dcm"]


def test_atomic_output_shows_nothing_before_its_end(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with atomic_output(target) as stream:
        stream.write(b"new")
        stream.flush()
        assert target.read_bytes() == b"old"
        (temporary,) = [path for path in tmp_path.iterdir() if is_temporary(path)]
        if sys.platform != "win32":
            assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
    assert target.read_bytes() == b"new"


@POSIX
def test_atomic_output_has_the_usual_mode_in_the_end(tmp_path):
    write_bytes(tmp_path / "a", b"x")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_atomic_output_error_leaves_the_target_as_it_was(tmp_path, error):
    target = tmp_path / "a"
    target.write_bytes(b"old")

    def write():
        with atomic_output(target) as stream:
            stream.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_atomic_output_refuses_to_replace(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        write_bytes(target, b"new", replace=False)
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]
    write_bytes(tmp_path / "b", b"new", replace=False)
    assert names(tmp_path) == ["a", "b"]


def test_atomic_output_target_below_a_file_is_an_output_error(tmp_path):
    (tmp_path / "a").touch()
    with pytest.raises(OutputError) as caught:
        write_bytes(tmp_path / "a" / "b", b"")
    assert caught.value.path == tmp_path / "a" / "b"


def test_atomic_output_target_that_is_a_folder_is_an_output_error(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError):
        write_bytes(tmp_path / "a", b"")
    assert names(tmp_path) == ["a"]


@POSIX
def test_sweep_removes_what_a_killed_writer_left(tmp_path):
    writer = start_writer(tmp_path)
    assert sweep_temporaries(tmp_path) == 0  # it lives
    assert len(names(tmp_path)) == 1
    writer.kill()
    writer.communicate()
    assert len(names(tmp_path)) == 1
    assert sweep_temporaries(tmp_path) == 1
    assert names(tmp_path) == []


def start_writer(folder):
    code = (
        "import sys, pathlib; from imgconv.core.atomic import atomic_output\n"
        "with atomic_output(pathlib.Path(sys.argv[1], 'a')) as stream:\n"
        "    print('ready', flush=True); sys.stdin.read()\n"
    )
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=pipe, stdout=pipe, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


@POSIX
def test_sweep_touches_nothing_else(tmp_path):
    (tmp_path / "a.part").touch()
    (tmp_path / ".imgconv-x").touch()
    (tmp_path / ".imgconv-folder.part").mkdir()
    (tmp_path / "elsewhere").write_bytes(b"x")
    (tmp_path / ".imgconv-link.part").symlink_to(tmp_path / "elsewhere")
    before = names(tmp_path)
    assert sweep_temporaries(tmp_path) == 0
    assert names(tmp_path) == before


def test_sweep_of_a_missing_folder_does_nothing(tmp_path):
    assert sweep_temporaries(tmp_path / "none") == 0


def test_sweep_without_locks_goes_by_age(tmp_path, monkeypatch):
    monkeypatch.setattr("imgconv.core.atomic.try_lock", lambda _: None)
    for name, age in (("old", STALE_S + 60), ("new", 0)):
        path = tmp_path / f".imgconv-{name}.part"
        path.touch()
        os.utime(path, (time.time() - age,) * 2)
    assert sweep_temporaries(tmp_path) == 1
    assert names(tmp_path) == [".imgconv-new.part"]


@POSIX
def test_try_lock_tells_whose_it_is(tmp_path):
    path = tmp_path / "a"
    with path.open("wb") as mine, path.open("rb") as other:
        assert try_lock(mine.fileno()) is True
        assert try_lock(other.fileno()) is False
    with path.open("rb") as other:
        assert try_lock(other.fileno()) is True


@POSIX
def test_atomic_output_beside_a_busy_sweeper(tmp_path):
    code = (
        "import sys, pathlib; from imgconv.core.atomic import sweep_temporaries\n"
        "print('ready', flush=True)\n"
        "while True: sweep_temporaries(pathlib.Path(sys.argv[1]))\n"
    )
    sweeper = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        sweeper.stdout.readline()
        for number in range(200):
            write_bytes(tmp_path / str(number), b"x")
    finally:
        sweeper.kill()
        sweeper.communicate()
    assert len(names(tmp_path)) == 200
    assert all(Path(tmp_path, str(n)).read_bytes() == b"x" for n in range(200))


def test_defer_outputs_leaves_them_unfinished_until_asked(tmp_path):
    with defer_outputs() as outputs:
        write_bytes(tmp_path / "a", b"1")
        write_bytes(tmp_path / "b", b"2")
    assert all(name.startswith(".imgconv-") for name in names(tmp_path))
    identity = outputs[0].identity
    outputs[0].finish()
    outputs[1].discard()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"1"
    status = (tmp_path / "a").stat()
    assert (status.st_dev, status.st_ino) == identity
    write_bytes(tmp_path / "c", b"3")
    assert names(tmp_path) == ["a", "c"]


def test_defer_outputs_failed_block_leaves_nothing(tmp_path):
    def write():
        with defer_outputs():
            write_bytes(tmp_path / "a", b"1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert names(tmp_path) == []


def test_unfinished_output_that_must_not_replace_is_refused_at_its_end(tmp_path):
    with defer_outputs() as outputs:
        write_bytes(tmp_path / "a", b"new", replace=False)
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(OutputError, match="exists already"):
        outputs[0].finish()
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


@POSIX
def test_unfinished_output_is_not_swept(tmp_path):
    with defer_outputs() as outputs:
        write_bytes(tmp_path / "a", b"1")
    assert sweep_temporaries(tmp_path) == 0
    outputs[0].finish()
    assert names(tmp_path) == ["a"]


@POSIX
def test_atomic_output_never_replaces_what_is_no_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match="pipe"):
        write_bytes(pipe, b"data")
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert names(tmp_path) == ["pipe"]


def test_atomic_output_blames_no_file_for_a_broken_pipe(tmp_path):
    with pytest.raises(BrokenPipeError), atomic_output(tmp_path / "a"):
        raise BrokenPipeError
    assert list(tmp_path.iterdir()) == []


@POSIX
def test_atomic_output_keeps_mode_and_owner_of_what_it_replaces(tmp_path):
    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(target, 12345, 54321)
    before = target.stat()
    write_bytes(target, b"new")
    after = target.stat()
    assert target.read_bytes() == b"new"
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


@POSIX
def test_atomic_output_in_place_of_a_link_has_the_usual_mode(tmp_path):
    (tmp_path / "b").write_bytes(b"")
    (tmp_path / "x").write_bytes(b"kept")
    (tmp_path / "x").chmod(0o600)
    (tmp_path / "a").symlink_to("x")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").lstat().st_mode == (tmp_path / "b").stat().st_mode
    assert (tmp_path / "x").read_bytes() == b"kept"
