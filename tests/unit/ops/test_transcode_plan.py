import os

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
