import pickle
from pathlib import Path

from imgconv.core.options import ReadOptions
from imgconv.ops.detect import detect_format, read_head
from imgconv.ops.dicom_plan import plan_dicom, read_headers
from imgconv.ops.inputs import InputFile, gather
from imgconv.ops.naming import NameTaker
from imgconv.ops.report import Status
from imgconv.registry import formats

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def files_of(*names):
    return list(gather([FIXTURES / name for name in names], FIXTURES / "unused"))


def plan(files, name=""):
    return plan_dicom(formats.get("dicom"), files, name, NameTaker(), ReadOptions())


def test_plan_dicom_gives_a_task_per_series_with_its_files_and_names():
    tasks, left_out = plan(files_of("ct", "dwi"))
    assert left_out == []
    assert [task.volumes[0].stem for task in tasks] == ["002_Chest", "004_dwi"]
    assert sorted(len(task.files) for task in tasks) == [4, 6]
    assert tasks[0].volumes[0].facts == {"series_number": 2, "modality": "CT", "shape": [12, 12, 4]}
    assert all(task.size_bytes > 0 for task in tasks)


def test_plan_dicom_names_do_not_depend_on_the_order_of_files():
    files = files_of("ct", "dwi", "enhanced")
    first = [[v.stem for v in task.volumes] for task in plan(files, "x")[0]]
    second = [[v.stem for v in task.volumes] for task in plan(files[::-1], "x")[0]]
    assert first == second == [["x"], ["x_2"], ["x_3"]]


def test_plan_dicom_fills_special_placeholders():
    tasks, _ = plan(files_of("ct"), "{Folder}_{StudyDateTime}_{PatientID}")
    assert tasks[0].volumes[0].stem == "ct_20200102101112_CANARY42"


def test_plan_dicom_can_be_pickled():
    tasks, _ = plan(files_of("dwi"))
    back = pickle.loads(pickle.dumps(tasks))
    assert back[0].volumes[0].stem == tasks[0].volumes[0].stem


def test_read_headers_tells_what_has_none():
    path = FIXTURES / "bad" / "header.dcm"
    headers, failed = read_headers([InputFile(path, "shown/header.dcm")])
    assert headers == []
    assert [(one.path, one.status) for one in failed] == [("shown/header.dcm", Status.FAILED)]
    assert str(failed[0].error).startswith("shown/header.dcm: ")


def test_every_fixture_is_detected():
    for folder, expected in (("ct", "dicom"), ("nifti", "nifti"), ("nrrd", "nrrd")):
        found = {detect_format(path, read_head(path)) for path in (FIXTURES / folder).iterdir()}
        assert expected in {spec.name for spec in found if spec}
