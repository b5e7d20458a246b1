import errno
import os
from pathlib import Path

import pytest

from imgconv.errors import InputError, UsageError
from imgconv.ops.inputs import _find_listed, count_files, gather, list_inputs


def test_count_files_agrees_with_gather(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name in ("a/1", "a/b/2", "3", "out/4", ".imgconv-x.part"):
        (tmp_path / name).write_bytes(b"x")
    for inputs in ([tmp_path], [tmp_path / "3", tmp_path / "a"], [str(tmp_path / "a" / "*")]):
        found = list(gather(inputs, tmp_path / "staging", exclude=tmp_path / "out"))
        assert count_files(inputs, exclude=tmp_path / "out") == len(found)


def test_gather_tells_of_links_to_folders_and_of_broken_links(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "in" / "folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "broken").symlink_to(tmp_path / "nowhere")
    reasons = {Path(f.shown).name: f.skipped for f in gather([tmp_path / "in"], tmp_path / "s")}
    followed = "a link to a folder, which is not followed"
    assert reasons == {"folder": followed, "loop": followed, "broken": "a broken link"}


def test_gather_tells_of_a_folder_that_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "open.txt").write_text("x")
    scandir = os.scandir

    def refuse(path):
        if str(path).endswith("closed"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = list(gather([tmp_path], tmp_path / "s"))
    problems = [file.problem for file in found if file.problem]
    assert [str(problem) for problem in problems] == [
        f"{tmp_path / 'closed'}: cannot be read: Permission denied"
    ]


def test_gather_does_not_open_pipes(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (file,) = gather([tmp_path], tmp_path / "s")
    assert file.skipped == "neither a file nor a folder"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x"])
def test_gather_of_a_dicomdir_stays_below_it(tmp_path, name):
    assert _find_listed(tmp_path, tuple(name.split("/"))) is None


def test_gather_finds_listed_files_whatever_their_case(tmp_path):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "im1").write_text("x")
    assert _find_listed(tmp_path, ("IMG", "IM1")) == tmp_path / "img" / "im1"


@pytest.mark.parametrize("given", ["scans", Path("scans"), ["scans"]])
def test_list_inputs_takes_one_path_or_several(given):
    assert [os.fspath(item) for item in list_inputs(given)] == ["scans"]


@pytest.mark.parametrize("given", ["", [""], ["scans", ""]])
def test_list_inputs_refuses_an_empty_text(given):
    with pytest.raises(UsageError, match="empty"):
        list_inputs(given)


def test_gather_one_of_several_that_does_not_exist_does_not_stop_the_others(tmp_path):
    there = tmp_path / "there"
    there.write_bytes(b"x")
    inputs = [tmp_path / "gone", there]
    lost, found = gather(inputs, tmp_path / "staging")
    assert lost.problem is not None
    assert lost.problem.message == "no such file or folder"
    assert found.path == there
    assert count_files(inputs) == 2


def test_gather_the_only_input_that_does_not_exist_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        list(gather([tmp_path / "gone"], tmp_path / "staging"))
    with pytest.raises(InputError, match="no such file"):
        count_files([tmp_path / "gone"])
