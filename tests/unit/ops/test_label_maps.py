"""Label maps to DICOM and back through the whole of `convert`."""

import json

import numpy as np
import pytest
from tests.unit.dicom.seg_cases import boxes, label_map, options, write_reference

from imgconv.core.image import Segment
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.segments import format_segments
from imgconv.formats.metaimage import read as read_metaimage
from imgconv.formats.metaimage import write as write_metaimage
from imgconv.ops.convert import ConvertOptions, convert


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


def run(inputs, folder, to, write=None, **more):
    wanted = ConvertOptions(to=to, write=write or WriteOptions(), jobs=1, **more)
    report = convert(inputs, folder, wanted)
    assert report.exit_code == 0, report
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_segment_table_goes_beside_the_image_and_is_found_there(tmp_path, reference):
    segment = Segment(5, "liver", colour=(9, 8, 7), algorithm_type="MANUAL")
    source = tmp_path / "mask.mha"
    write_metaimage(label_map(boxes(5)), source, WriteOptions())
    (tmp_path / "mask.segments.json").write_text(format_segments([segment]))

    (made,) = run([source], tmp_path / "dicom", "dicom", options(reference))
    image, table = run([made], tmp_path / "back", "metaimage")

    (back,) = read_metaimage(image, ReadOptions())
    np.testing.assert_array_equal(back.array, boxes(5))
    (described,) = json.loads(table.read_text())["segmentAttributes"][0]
    assert (described["labelID"], described["SegmentLabel"]) == (5, "liver")
    assert described["recommendedDisplayRGBValue"] == [9, 8, 7]


def test_several_files_become_the_layers_of_one_object(tmp_path, reference):
    first, second = boxes(1), np.roll(boxes(1), 1, axis=2)
    for name, array in (("a", first), ("b", second)):
        write_metaimage(label_map(array), tmp_path / f"{name}.mha", WriteOptions())
    sources = [tmp_path / "a.mha", tmp_path / "b.mha"]
    (made,) = run(sources, tmp_path / "dicom", "dicom", options(reference), layers=True)
    image, _ = run([made], tmp_path / "back", "metaimage")
    (back,) = read_metaimage(image, ReadOptions())
    np.testing.assert_array_equal(back.array, np.stack([first, second]))


def test_contours_are_read_on_the_images_among_the_inputs(tmp_path, reference):
    source = tmp_path / "mask.mha"
    write_metaimage(label_map(boxes(3)), source, WriteOptions())
    (made,) = run([source], tmp_path / "dicom", "dicom", options(reference, "rtstruct"))
    written = run([made, *reference], tmp_path / "back", "metaimage")
    arrays = [next(read_metaimage(p, ReadOptions())).array for p in written if p.suffix == ".mha"]
    assert len(arrays) == 2
    assert any(np.array_equal(array, boxes(3)) for array in arrays)
