import numpy as np
import pydicom
import pytest
from tests.unit.dicom.seg_cases import options

from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.dicom.header import read_header
from imgconv.dicom.seg_reader import read_segmentation
from imgconv.dicom.writer import write


@pytest.mark.parametrize("frames", [1, 3])
def test_mask_of_each_frame_refers_to_it(tmp_path, frames):
    rng = np.random.default_rng(2)
    film = Image(rng.integers(0, 255, (frames, 4, 6)).astype(np.uint8), "kji")
    secondary = WriteOptions(extra={"dicom": {"as": "secondary-capture"}})
    reference = write(film, tmp_path / "film.dcm", secondary)
    mask = Image(rng.integers(0, 3, (frames, 4, 6)).astype(np.uint8), "kji")
    (path,) = write(mask, tmp_path / "mask.dcm", options(reference))
    np.testing.assert_array_equal(read_segmentation(read_header(path)).array, mask.array)
    numbers = [
        groups.DerivationImageSequence[0].SourceImageSequence[0].get("ReferencedFrameNumber")
        for groups in pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    ]
    assert set(numbers) == ({None} if frames == 1 else {1, 2, 3})
