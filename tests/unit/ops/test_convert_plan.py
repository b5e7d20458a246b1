from pathlib import Path

import pytest

from imgconv.core.options import ReadOptions
from imgconv.errors import UnknownFormat, UsageError
from imgconv.events import ignore_events
from imgconv.ops.convert_plan import make_plan
from imgconv.ops.report import Status

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def plan(tmp_path, *inputs, **more):
    return make_plan(
        inputs, tmp_path / "staging", options=ReadOptions(), listener=ignore_events, **more
    )


def test_make_plan_names_files_after_themselves(tmp_path):
    tasks = plan(tmp_path, FIXTURES / "nifti").tasks
    assert [task.volumes[0].stem for task in tasks] == ["big", "dwi", "packed", "pair", "plain"]


def test_make_plan_fills_a_template_for_files(tmp_path):
    (task,) = plan(tmp_path, FIXTURES / "nifti" / "plain.nii", name="{Folder}-{File}").tasks
    assert task.volumes[0].stem == "nifti-plain"


def test_make_plan_of_a_named_text_is_a_failure_and_of_a_found_one_a_skip(tmp_path):
    (tmp_path / "x.txt").write_text("text")
    (named,) = plan(tmp_path, tmp_path / "x.txt").left_out
    assert (named.status, type(named.error)) == (Status.FAILED, UnknownFormat)
    (found,) = plan(tmp_path, tmp_path).left_out
    assert (found.status, found.error) == (Status.SKIPPED, None)


def test_make_plan_leaves_archives_in_folders_alone_and_says_so(tmp_path):
    outcomes = plan(tmp_path, FIXTURES / "archives").left_out
    assert {outcome.reason for outcome in outcomes} == {"an archive; name it to have it opened"}


def test_make_plan_with_a_bad_template_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError):
        plan(tmp_path, FIXTURES / "ct", name="{Nope}")


def test_make_plan_takes_a_file_that_is_named_twice_once(tmp_path):
    tasks = plan(tmp_path, FIXTURES / "nifti" / "plain.nii", FIXTURES / "nifti").tasks
    assert sum(task.volumes[0].stem.startswith("plain") for task in tasks) == 1
