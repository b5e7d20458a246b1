from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.dicom.files import make_slice, write_all

from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.errors import CorruptData
from imgconv.events import ignore_events
from imgconv.ops.convert import find_target
from imgconv.ops.convert_plan import make_plan
from imgconv.ops.convert_run import Run, convert_task, failed_volumes
from imgconv.ops.report import Status

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def prepare(tmp_path, source, write=WriteOptions()):  # noqa: B008  frozen
    (tmp_path / "staging").mkdir()
    options = ReadOptions()
    (task,) = make_plan(
        [source], tmp_path / "staging", options=options, listener=ignore_events
    ).tasks
    target = find_target("nifti", write)
    return task, Run(target, tmp_path / "out", tmp_path / "staging", options, write)


def test_convert_task_places_its_outputs_and_empties_its_folder(tmp_path):
    task, run = prepare(tmp_path, FIXTURES / "dwi")
    (outcome,) = convert_task(task, "0", run)
    assert outcome.status is Status.CONVERTED
    assert [path.name for path in outcome.outputs] == [
        "004_dwi.json",
        "004_dwi.bval",
        "004_dwi.bvec",
        "004_dwi.nii.gz",
    ]
    assert all(path.is_file() for path in outcome.outputs)
    assert outcome.facts["dtype"] == "uint16"
    assert list(run.staging.iterdir()) == []


def test_convert_task_reports_losses(tmp_path):
    task, run = prepare(tmp_path, FIXTURES / "colour")
    (outcome,) = convert_task(task, "0", run)
    assert {loss.name for loss in outcome.losses} == {"no-geometry"}


def test_convert_task_that_is_strict_refuses_and_writes_nothing(tmp_path):
    task, run = prepare(tmp_path, FIXTURES / "colour", WriteOptions(strict=True))
    (outcome,) = convert_task(task, "0", run)
    assert outcome.status is Status.FAILED
    assert outcome.error.hint == "accept it by `--allow no-geometry`"
    assert not run.output.exists()


def test_convert_task_names_companions_among_its_files(tmp_path):
    task, run = prepare(tmp_path, FIXTURES / "nifti" / "dwi.nii.gz")
    (outcome,) = convert_task(task, "0", run)
    assert {Path(name).name for name in outcome.files} == {
        "dwi.nii.gz",
        "dwi.json",
        "dwi.bval",
        "dwi.bvec",
    }


def test_convert_task_names_files_as_the_user_did(tmp_path):
    task, run = prepare(tmp_path, FIXTURES / "bad" / "truncated.nii.gz")
    shown = replace(task.files[0], shown="a.zip/x.nii.gz")
    (outcome,) = convert_task(replace(task, files=(shown,)), "0", run)
    assert str(outcome.error).startswith("a.zip/x.nii.gz: ")


@pytest.mark.parametrize("compress", [True, False])
def test_convert_task_that_meets_a_short_file_while_writing_leaves_nothing(tmp_path, compress):
    (tmp_path / "in").mkdir()
    paths = write_all(tmp_path / "in", [make_slice(3 * k, k) for k in range(4)])
    task, run = prepare(tmp_path, tmp_path / "in", WriteOptions(compress=compress))
    paths[3].write_bytes(paths[3].read_bytes()[:-2])
    (outcome,) = convert_task(task, "0", run)
    assert outcome.status is Status.FAILED
    assert outcome.error.path == paths[3]
    assert len(outcome.files) == 4
    assert not run.output.exists()
    assert list(run.staging.iterdir()) == []


def test_failed_volumes_tells_of_each(tmp_path):
    task, _ = prepare(tmp_path, FIXTURES / "dwi")
    error = CorruptData("gone")
    (outcome,) = failed_volumes(task, error)
    assert (outcome.status, outcome.error, len(outcome.files)) == (Status.FAILED, error, 6)
