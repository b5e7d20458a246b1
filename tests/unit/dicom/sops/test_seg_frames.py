import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import boxes, label_map, options, write_reference

from imgconv.dicom.writer import write


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return write_reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture
def made(tmp_path, reference):
    (path,) = write(label_map(boxes(1, 2)), tmp_path / "a.dcm", options(reference))
    return pydicom.dcmread(path)


def test_frames_run_by_segment_then_by_position(made):
    found = []
    for frame in made.PerFrameFunctionalGroupsSequence:
        z = float(frame.PlanePositionSequence[0].ImagePositionPatient[2])
        found.append((frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber, z))
    assert found == sorted(found)


def test_dimension_indices_are_unique_and_follow_the_pointers(made):
    pointers = [item.DimensionIndexPointer for item in made.DimensionIndexSequence]
    assert pointers == [0x0062000B, 0x00200032]
    indices = [
        tuple(frame.FrameContentSequence[0].DimensionIndexValues)
        for frame in made.PerFrameFunctionalGroupsSequence
    ]
    assert len(set(indices)) == len(indices)
    assert {segment for segment, _ in indices} == {1, 2}


def test_positions_are_exactly_those_of_the_images(made, reference):
    images = {image.SOPInstanceUID: image for image in map(pydicom.dcmread, reference)}
    for frame in made.PerFrameFunctionalGroupsSequence:
        source = frame.DerivationImageSequence[0].SourceImageSequence[0]
        image = images[source.ReferencedSOPInstanceUID]
        position = frame.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_array_equal(
            np.array(position, float), np.array(image.ImagePositionPatient, float)
        )
