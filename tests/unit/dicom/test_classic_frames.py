from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian

from imgconv.dicom.classic_frames import find_shared, join_pixels, read_frames
from imgconv.dicom.repair.structure import mend_structure
from imgconv.errors import CorruptData, InputError, UnsupportedData


def read(*paths: Path):
    return list(read_frames(paths, mend_structure))


def test_read_frames_big_endian_has_the_same_values_and_pixels(tmp_path):
    source = Path(get_testdata_file("CT_small.dcm"))
    dataset = pydicom.dcmread(source)
    dataset.PixelData = dataset.pixel_array.byteswap().tobytes()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    big = tmp_path / "big.dcm"
    pydicom.dcmwrite(big, dataset, little_endian=False, implicit_vr=False)

    one, other = read(source, big)

    assert one.pixels == other.pixels
    shared, varying = find_shared([one, other])
    assert varying == set()
    assert shared.keys() == one.root.elements.keys()


def test_find_shared_private_element_of_another_creator_varies(tmp_path):
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    paths = [tmp_path / "0.dcm", tmp_path / "1.dcm"]
    for creator, path in zip(("A", "B"), paths, strict=True):
        dataset.add_new(0x00C10010, "LO", creator)
        dataset.add_new(0x00C11001, "LO", "the same")
        dataset.save_as(path)

    _, varying = find_shared(read(*paths))

    assert varying == {0x00C10010, 0x00C11001}


def test_join_pixels_of_compressed_frames_is_a_fragment_each():
    frames = read(*[Path(get_testdata_file("MR_small_RLE.dcm"))] * 2)

    element, data = join_pixels(frames)

    size = sum(len(part) for part in frames[0].pixels)
    assert element.fragments == [(0, 0), (0, size), (size, size)]
    assert bytes(data) == b"".join(bytes(part) for part in frames[0].pixels) * 2


@pytest.mark.parametrize("name", ["rtplan.dcm", "SC_rgb_rle_2frame.dcm"])
def test_read_frames_what_is_no_single_frame_is_refused(name):
    with pytest.raises(UnsupportedData, match="no image of one frame"):
        read(Path(get_testdata_file(name)))


def test_read_frames_truncated_pixels_are_refused(tmp_path):
    path = tmp_path / "short.dcm"
    dataset = pydicom.dcmread(get_testdata_file("CT_small.dcm"))
    dataset.Rows = 1000
    dataset.save_as(path)

    with pytest.raises(CorruptData, match="the pixel data have"):
        read(path)


def test_read_frames_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "none.dcm")
