import os
import tarfile

import pytest
from tests.unit.dicom.pixel_files import make_file, ramp

from imgconv.errors import OutputError, UnknownFormat, UsageError
from imgconv.ops.transcode_plan import is_single, iter_jobs, share_cores


def _jobs(inputs, output, tmp_path):
    return list(iter_jobs([str(item) for item in inputs], output, tmp_path / "staging"))


def test_is_single_only_for_one_file_and_a_name_with_extension(tmp_path):
    source = make_file(tmp_path / "a.dcm", ramp())
    assert is_single([source], tmp_path / "b.dcm")
    assert not is_single([source], tmp_path / "folder")
    assert not is_single([source, source], tmp_path / "b.dcm")
    assert not is_single([tmp_path], tmp_path / "b.dcm")
    assert not is_single([source], None)


def test_iter_jobs_keys_are_relative_to_the_input(tmp_path):
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    make_file(folder / "a", ramp())
    (job,) = _jobs([tmp_path / "in"], tmp_path / "out", tmp_path)
    assert job.key == "deep/a"
    assert job.outputs == (tmp_path / "out" / "deep" / "a",)


def test_iter_jobs_named_rubbish_is_an_error_found_rubbish_is_skipped(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "notes.txt").write_text("nothing to see here")
    (found,) = _jobs([folder], tmp_path / "out", tmp_path)
    assert "no DICOM" in found.payload.skipped
    (named,) = _jobs([folder / "notes.txt"], tmp_path / "out", tmp_path)
    assert isinstance(named.payload.problem, UnknownFormat)


def test_iter_jobs_in_place_follows_links(tmp_path):
    source = make_file(tmp_path / "a.dcm", ramp())
    (tmp_path / "link.dcm").symlink_to(source)
    (job,) = _jobs([tmp_path / "link.dcm"], None, tmp_path)
    assert job.outputs == (source.resolve(),)


def test_iter_jobs_same_output_twice_is_a_problem_of_the_second(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        make_file(tmp_path / name / "a.dcm", ramp())
    one, two = _jobs([tmp_path / "x", tmp_path / "y"], tmp_path / "out", tmp_path)
    assert one.payload.problem is None
    assert isinstance(two.payload.problem, UsageError)


def test_iter_jobs_output_that_is_the_input_is_a_problem(tmp_path):
    source = make_file(tmp_path / "a.dcm", ramp())
    (job,) = _jobs([source], tmp_path, tmp_path)
    assert isinstance(job.payload.problem, UsageError)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_iter_jobs_in_place_in_a_read_only_folder_is_a_problem(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    make_file(folder / "a.dcm", ramp())
    folder.chmod(0o500)
    (job,) = _jobs([folder], None, tmp_path)
    assert isinstance(job.payload.problem, OutputError)


def test_few_files_share_the_cores_and_those_that_are_left_out_take_none(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    make_file(folder / "a.dcm", ramp())
    (folder / "notes.txt").write_text("nothing")
    jobs = _jobs([folder], tmp_path / "out", tmp_path)
    assert len(jobs) == 2
    assert share_cores(jobs, 4) == 4
    assert share_cores(jobs * 3, 4) == 1
    assert share_cores(jobs * 8, 4) == 0


def test_iter_jobs_file_met_twice_is_done_once(tmp_path):
    source = make_file(tmp_path / "a.dcm", ramp())
    (tmp_path / "link.dcm").symlink_to(source)
    one, two = _jobs([source, source], tmp_path / "out", tmp_path)
    assert (one.payload.skipped, two.payload.problem) == ("", None)
    assert "met before" in two.payload.skipped
    one, two = _jobs([source, tmp_path / "link.dcm"], None, tmp_path)
    assert (one.payload.skipped, two.payload.problem) == ("", None)
    assert "met before" in two.payload.skipped


def test_iter_jobs_same_name_in_another_folder_is_not_met_before(tmp_path):
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        make_file(tmp_path / name / "a.dcm", ramp())
    other = make_file(tmp_path / "x" / "b.dcm", ramp())
    *_, last = _jobs([other, tmp_path / "y", tmp_path / "x" / "a.dcm"], tmp_path / "o", tmp_path)
    assert isinstance(last.payload.problem, UsageError)


def test_iter_jobs_refused_members_are_told_below_their_archive(tmp_path):
    archive = tmp_path / "a.tar"
    with tarfile.open(archive, "w") as opened:
        for name in ("/up", "../up", "up"):
            opened.addfile(tarfile.TarInfo(name))
    jobs = _jobs([archive], tmp_path / "out", tmp_path)
    assert [job.key for job in jobs] == ["a.tar//up", "a.tar/../up", "a.tar/up"]
    assert [str(job.path) for job in jobs[:2]] == [f"{archive}/up", f"{archive}/../up"]
    assert all(job.lasting_inputs == (archive,) for job in jobs)


@pytest.mark.parametrize("name", ["a.tar.xz", "a.tar.bz2", "a", "DICOMDIR"])
def test_is_single_not_for_what_holds_files(tmp_path, name):
    source = make_file(tmp_path / "x.dcm", ramp())
    named = tmp_path / name
    if name == "DICOMDIR":
        named.write_bytes(source.read_bytes())
    else:
        with tarfile.open(named, f"w:{named.suffix[1:]}" if named.suffix else "w") as opened:
            opened.add(source, "x.dcm")
    assert not is_single([named], tmp_path / "out.v2")


def test_iter_jobs_archive_in_a_folder_says_how_it_is_unpacked(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with tarfile.open(folder / "a.tar", "w") as opened:
        opened.add(make_file(tmp_path / "x.dcm", ramp()), "x.dcm")
    (job,) = _jobs([folder], tmp_path / "out", tmp_path)
    assert "name it itself" in job.payload.skipped
