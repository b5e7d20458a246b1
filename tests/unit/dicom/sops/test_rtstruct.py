import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import (
    SHAPE,
    boxes,
    errors_of,
    label_map,
    options,
    without_geometry,
    write_reference,
)

from imgconv.core.image import Segment
from imgconv.dicom.writer import check, write
from imgconv.errors import GeometryError, UnsupportedData, UsageError


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


def rtstruct(reference, **own):
    return options(reference, "rtstruct", **own)


def test_write_passes_the_checker(tmp_path, reference):
    segment = Segment(2, "liver", colour=(1, 2, 3), algorithm_type="MANUAL", description="d")
    image = label_map(boxes(2, 7), segments=(segment,))
    (path,) = write(image, tmp_path / "a.dcm", rtstruct(reference))
    # A structure set refers to its study by the study's UID, which no file has; C.8.8.5.
    study = pydicom.dcmread(path).StudyInstanceUID
    assert [error for error in errors_of(path, *reference) if study not in error] == []


def test_write_names_regions_and_their_images(tmp_path, reference):
    segment = Segment(2, "left kidney", colour=(1, 2, 3), algorithm_type="MANUAL")
    image = label_map(boxes(2), segments=(segment,))
    (path,) = write(image, tmp_path / "a.dcm", rtstruct(reference))
    made = pydicom.dcmread(path)
    (region,) = made.StructureSetROISequence
    assert (region.ROINumber, region.ROIName) == (2, "left kidney")
    assert region.ROIGenerationAlgorithm == "MANUAL"
    (contours,) = made.ROIContourSequence
    assert list(contours.ROIDisplayColor) == [1, 2, 3]
    used = contours.ContourSequence[0].ContourImageSequence[0].ReferencedSOPInstanceUID
    assert used == pydicom.dcmread(reference[1]).SOPInstanceUID
    frame = made.ReferencedFrameOfReferenceSequence[0]
    series = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert len(series.ContourImageSequence) == SHAPE[0]


def test_write_contours_lie_in_the_planes_of_their_images(tmp_path, reference):
    (path,) = write(label_map(boxes(1)), tmp_path / "a.dcm", rtstruct(reference))
    sources = {s.SOPInstanceUID: s for s in map(pydicom.dcmread, reference)}
    for contour in pydicom.dcmread(path).ROIContourSequence[0].ContourSequence:
        source = sources[contour.ContourImageSequence[0].ReferencedSOPInstanceUID]
        heights = np.array(contour.ContourData, float).reshape(-1, 3)[:, 2]
        np.testing.assert_allclose(heights, float(source.ImagePositionPatient[2]), atol=1e-6)


def test_check_without_reference_is_refused_with_the_way_out():
    with pytest.raises(UsageError) as caught:
        check(label_map(boxes(1)), rtstruct(None))
    assert "--reference" in caught.value.hint


def test_check_empty_or_without_position_is_refused(reference):
    with pytest.raises(UnsupportedData):
        check(label_map(np.zeros(SHAPE, np.uint8)), rtstruct(reference))
    with pytest.raises(GeometryError):
        check(without_geometry(label_map(boxes(1))), rtstruct(reference))
