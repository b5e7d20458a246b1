from pathlib import Path

import pytest
from tests.unit.dicom.seg_cases import boxes, label_map, options, write_reference

from imgconv.dicom.header import read_header
from imgconv.dicom.label_objects import find_label_reader, plan_label_object, referenced_series
from imgconv.dicom.writer import write
from imgconv.spec import resolve


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.mark.parametrize("kind", ["segmentation", "segmentation-labelmap", "rtstruct"])
def test_plan_label_object_finds_the_reader_and_the_images(tmp_path, reference, kind):
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", options(reference, kind))
    header = read_header(path)
    assert callable(resolve(find_label_reader(header)))
    (uid,) = referenced_series(header)
    assert uid == read_header(reference[0]).get("SeriesInstanceUID")
    plan = plan_label_object(header, {uid: [Path("x"), Path("y")], "1.2": [Path("z")]})
    assert plan.companions == (Path("x"), Path("y"))
    assert plan.paths == (path,)


def test_find_label_reader_of_an_image_is_none(reference):
    assert find_label_reader(read_header(reference[0])) == ""
    assert referenced_series(read_header(reference[0])) == ()
