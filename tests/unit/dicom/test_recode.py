import hashlib

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from tests.unit.dicom.pixel_files import UID, make_file, ramp

from imgconv.codecs import EncodeOptions, PixelFormat, encode_frame
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.header import read_header
from imgconv.dicom.recode import RecodeOptions, Verify, recode
from imgconv.dicom.splice import iter_spans, split_file
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.standard.transfer_syntaxes import TRANSFER_SYNTAXES, find_transfer_syntax

LOSSLESS = [
    syntax.aliases[0]
    for syntax in TRANSFER_SYNTAXES
    if syntax.aliases and not syntax.lossy and syntax.uid != "1.2.840.10008.1.2.4.111"
]
ALLOWED = {0x00280004, 0x00280006}


def _uid(name):
    return find_transfer_syntax(name).uid


def _recode(source, target, name, **options):
    return recode(split_file(source), target, RecodeOptions(_uid(name), **options))


def _pixels(path):
    return FrameReader.from_header(read_header(path)).read_all()


def _elements(path):
    before = split_file(path).before
    return [before[a:b] for tag, a, b in iter_spans(before) if tag not in ALLOWED]


CASES = {
    "grey": (ramp(), {}),
    "signed": (ramp(np.int16), {}),
    "frames": (ramp(np.uint16, (3, 7, 9)), {"NumberOfFrames": 3}),
    "colour": (ramp(np.uint8, (9, 8, 3), 255), {}),
    "planar": (ramp(np.uint8, (9, 8, 3), 255), {"planar": 1}),
    "odd": (ramp(np.uint8, (3, 5, 7), 255), {"NumberOfFrames": 3}),
}


def test_recode_says_what_it_takes_native_samples_of_a_codestreams_colours_for(tmp_path):
    colour = ramp(np.uint8, (9, 8, 3), 255)
    source = make_file(tmp_path / "a", colour, PhotometricInterpretation="YBR_ICT")
    recoded = _recode(source, tmp_path / "b", "rle")
    assert list(recoded.warnings) == [
        "native pixel data is never `YBR_ICT` (PS3.5 8.2); its samples are taken for RGB"
    ]
    assert pydicom.dcmread(tmp_path / "b").PhotometricInterpretation == "RGB"
    assert np.array_equal(_pixels(tmp_path / "b"), _pixels(source))


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("case", CASES)
def test_recode_there_and_back_keeps_pixels_and_all_other_elements(tmp_path, name, case):
    samples, attributes = CASES[case]
    source = make_file(tmp_path / "a", samples, **attributes)
    there, back = tmp_path / "b", tmp_path / "c"
    try:
        made = _recode(source, there, name, digests=True)
    except UnsupportedData as error:
        assert error.hint  # noqa: PT017
        assert not there.exists()
        return
    frames = samples if "NumberOfFrames" in attributes else samples[np.newaxis]
    assert np.array_equal(_pixels(there), frames)
    assert made.pixel_digest == hashlib.sha256(frames.tobytes()).hexdigest()
    _recode(there, back, "explicit")
    assert np.array_equal(_pixels(back), frames)
    if name not in ("implicit", "big-endian"):
        assert _elements(back) == _elements(source)


@pytest.mark.parametrize(
    "name", ["jpeg-ls", "rle", "jpeg-lossless", "jpeg2000", "htj2k", "deflated"]
)
def test_recode_there_and_back_is_the_same_file(tmp_path, name):
    source = make_file(tmp_path / "a", ramp())
    _recode(source, tmp_path / "b", name)
    _recode(tmp_path / "b", tmp_path / "c", "explicit")
    assert (tmp_path / "c").read_bytes() == source.read_bytes()


@pytest.mark.parametrize("name", ["jpeg-ls", "rle", "jpeg2000"])
def test_recode_is_read_by_another_implementation(tmp_path, name):
    samples = ramp(np.uint16, (3, 7, 9))
    source = make_file(tmp_path / "a", samples, NumberOfFrames=3)
    _recode(source, tmp_path / "b", name)
    data_set = pydicom.dcmread(tmp_path / "b")
    assert np.array_equal(data_set.pixel_array, samples)
    assert data_set.SOPInstanceUID == UID


def test_recode_colour_declares_the_transform_of_the_stream(tmp_path):
    source = make_file(tmp_path / "a", ramp(np.uint8, (9, 8, 3), 255), planar=1)
    _recode(source, tmp_path / "b", "jpeg2000")
    header = read_header(tmp_path / "b")
    assert header.get("PhotometricInterpretation") == "YBR_RCT"
    assert header.get("PlanarConfiguration") == 0
    _recode(tmp_path / "b", tmp_path / "c", "rle")
    assert read_header(tmp_path / "c").get("PhotometricInterpretation") == "RGB"


def test_recode_threads_give_the_same_file(tmp_path):
    source = make_file(tmp_path / "a", ramp(np.uint16, (20, 30, 30)), NumberOfFrames=20)
    one = _recode(source, tmp_path / "b", "jpeg-ls", digests=True)
    two = _recode(source, tmp_path / "c", "jpeg-ls", digests=True, threads=3)
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()
    assert one == two


def test_recode_full_check_asks_a_second_library(tmp_path):
    source = make_file(tmp_path / "a", ramp())
    made = _recode(source, tmp_path / "b", "jpeg-ls", verify=Verify.FULL)
    assert made.verified == "decoded by jpeg-ls=imagecodecs, decoded by jpeg-ls=pylibjpeg"


def test_recode_damaged_frame_leaves_no_file(tmp_path):
    source = make_file(tmp_path / "a", ramp())
    _recode(source, tmp_path / "b", "jpeg-ls")
    data = (tmp_path / "b").read_bytes()
    at = data.index(b"\xff\xd8\xff")
    (tmp_path / "b").write_bytes(data[:at] + b"\0\0\0" + data[at + 3 :])
    with pytest.raises(CorruptData):
        _recode(tmp_path / "b", tmp_path / "c", "explicit")
    assert not (tmp_path / "c").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_recode_too_few_native_bytes_is_refused(tmp_path):
    source = make_file(tmp_path / "a", ramp())
    data_set = pydicom.dcmread(source)
    data_set.NumberOfFrames = 4
    data_set.save_as(source)
    for name in ("implicit", "rle"):
        with pytest.raises(CorruptData):
            _recode(source, tmp_path / "b", name)


def test_recode_float_pixels_are_refused_or_carried_over(tmp_path):
    data_set = pydicom.dcmread(make_file(tmp_path / "a", ramp(np.uint32, (4, 5))))
    del data_set.PixelData
    data_set.FloatPixelData = np.linspace(0, 1, 20, dtype="<f4").tobytes()
    data_set.save_as(tmp_path / "a")
    with pytest.raises(UnsupportedData, match="floating point") as caught:
        _recode(tmp_path / "a", tmp_path / "b", "jpeg2000")
    assert "deflated" in caught.value.hint
    _recode(tmp_path / "a", tmp_path / "b", "deflated")
    _recode(tmp_path / "b", tmp_path / "c", "explicit")
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


def test_recode_uncompressed_subsampled_is_refused_with_a_way_out(tmp_path):
    samples = ramp(np.uint8, (4, 6, 3), 255)
    source = make_file(
        tmp_path / "a",
        samples,
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=bytes(range(48)),
    )
    with pytest.raises(UnsupportedData, match="YBR_FULL_422") as caught:
        _recode(source, tmp_path / "b", "jpeg-ls")
    assert "deflated" in caught.value.hint


def test_recode_full_chroma_that_is_called_subsampled_gets_its_name(tmp_path):
    colour = ramp(np.uint8, (9, 8, 3), 255)
    source = make_file(tmp_path / "a", colour, PhotometricInterpretation="YBR_FULL_422")
    recoded = _recode(source, tmp_path / "b", "rle")
    assert pydicom.dcmread(tmp_path / "b").PhotometricInterpretation == "YBR_FULL"
    assert "there is chroma for every column" in recoded.warnings[0]
    assert np.array_equal(_pixels(tmp_path / "b")[0], colour)


def test_recode_partial_range_is_refused(tmp_path):
    colour = ramp(np.uint8, (9, 8, 3), 255)
    source = make_file(tmp_path / "a", colour, PhotometricInterpretation="YBR_PARTIAL_422")
    with pytest.raises(UnsupportedData, match="YBR_PARTIAL_422") as error:
        _recode(source, tmp_path / "b", "rle")
    assert error.value.hint == "choose `--to deflated`"


def test_recode_bytes_behind_the_last_frame_are_told(tmp_path):
    samples = ramp(np.uint16, (7, 9))
    value = samples.tobytes() + b"\0" * 512
    source = make_file(tmp_path / "a", samples, PixelData=value)
    recoded = _recode(source, tmp_path / "b", "rle")
    assert recoded.warnings == ("512 bytes behind the last frame were dropped",)


def test_recode_two_samples_are_carried_over(tmp_path):
    samples = ramp(np.uint8, (9, 8, 2), 255)
    source = make_file(tmp_path / "a", samples, SamplesPerPixel=2)
    _recode(source, tmp_path / "b", "implicit")
    assert np.array_equal(_pixels(tmp_path / "b")[0], samples)
    with pytest.raises(UnsupportedData, match="`2` Samples per Pixel"):
        _recode(source, tmp_path / "c", "jpeg-ls")


@pytest.mark.parametrize("keep", [False, True])
def test_recode_lossy_says_so_with_history(tmp_path, keep):
    source = make_file(
        tmp_path / "a",
        ramp(np.uint16, (64, 64)),
        bits=12,
        LossyImageCompressionRatio="2.5",
        LossyImageCompressionMethod="ISO_14495_1",
        DerivationDescription="before",
    )
    options = {"encode": EncodeOptions(ratio=8), "keep_sop_instance_uid": keep}
    made = _recode(source, tmp_path / "b", "jpeg2000-lossy", **options)
    data_set = pydicom.dcmread(tmp_path / "b")
    assert data_set.LossyImageCompression == "01"
    assert list(data_set.LossyImageCompressionMethod) == ["ISO_14495_1", "ISO_15444_1"]
    first, second = data_set.LossyImageCompressionRatio
    assert first == 2.5
    assert 8 <= second < 20
    assert data_set.ImageType[0] == "DERIVED"
    assert data_set.DerivationDescription.startswith("before; Lossy compressed to JPEG 2000")
    assert data_set.DerivationCodeSequence[0].CodeValue == "113040"
    if keep:
        assert data_set.SOPInstanceUID == UID
        return
    assert data_set.SOPInstanceUID == made.sop_instance_uid != UID
    assert data_set.file_meta.MediaStorageSOPInstanceUID == made.sop_instance_uid
    reference = data_set.SourceImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == UID
    assert reference.PurposeOfReferenceCodeSequence[0].CodeValue == "121320"


def test_recode_lossy_again_gives_the_same_file(tmp_path):
    source = make_file(tmp_path / "a", ramp(np.uint8, (32, 32), 255))
    for name in "bc":
        _recode(source, tmp_path / name, "jpeg", encode=EncodeOptions(quality=90))
    assert (tmp_path / "b").read_bytes() == (tmp_path / "c").read_bytes()


def test_recode_lossy_source_never_becomes_lossless(tmp_path):
    samples = ramp(np.uint8, (32, 32), 255)
    pixel_format = PixelFormat(rows=32, columns=32, bits_allocated=8, bits_stored=8)
    frame = encode_frame(samples, _uid("jpeg-ls-near"), pixel_format, EncodeOptions(near=3))
    source = make_file(
        tmp_path / "a",
        samples,
        syntax=_uid("jpeg-ls-near"),
        PixelData=encapsulate([frame.data]),
    )
    made = _recode(source, tmp_path / "b", "explicit")
    assert read_header(tmp_path / "b").get("LossyImageCompression") == "01"
    assert "Lossy Image Compression" in made.warnings[0]


def test_recode_jpeg_to_jpeg_xl_and_back_is_the_same_stream(tmp_path):
    source = make_file(tmp_path / "a", ramp(np.uint8, (32, 32, 3), 255))
    _recode(source, tmp_path / "b", "jpeg", encode=EncodeOptions(quality=90))
    made = _recode(tmp_path / "b", tmp_path / "c", "jpeg-xl-recompression")
    assert made.verified == "same JPEG stream"
    _recode(tmp_path / "c", tmp_path / "d", "jpeg")
    streams = [
        FrameReader.from_header(read_header(tmp_path / name)).raw(0).rstrip(b"\0") for name in "bd"
    ]
    assert streams[0] == streams[1]
    with pytest.raises(UnsupportedData, match="JPEG Baseline files only"):
        _recode(source, tmp_path / "e", "jpeg-xl-recompression")


def test_recode_icon_of_a_compressed_file_is_decompressed(tmp_path):
    icon_samples = ramp(np.uint8, (8, 8), 255)
    icon_format = PixelFormat(rows=8, columns=8, bits_allocated=8, bits_stored=8)
    icon = Dataset()
    icon.SamplesPerPixel, icon.PhotometricInterpretation = 1, "MONOCHROME2"
    icon.Rows, icon.Columns = 8, 8
    icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation = 8, 8, 7, 0
    data = encode_frame(icon_samples, _uid("jpeg-ls"), icon_format).data
    icon.PixelData = encapsulate([data])
    icon["PixelData"].VR = "OB"
    icon["PixelData"].is_undefined_length = True
    samples = ramp()
    pixel_format = PixelFormat(rows=24, columns=20, bits_allocated=16, bits_stored=16)
    frame = encode_frame(samples, _uid("jpeg-ls"), pixel_format)
    source = make_file(
        tmp_path / "a",
        samples,
        syntax=_uid("jpeg-ls"),
        IconImageSequence=Sequence([icon]),
        PixelData=encapsulate([frame.data]),
    )
    made = _recode(source, tmp_path / "b", "rle")
    data_set = pydicom.dcmread(tmp_path / "b")
    assert data_set.IconImageSequence[0].PixelData == icon_samples.tobytes()
    assert np.array_equal(data_set.pixel_array, samples)
    assert "icon" in made.warnings[0]


def test_recode_file_without_meta_gets_one(tmp_path):
    source = make_file(tmp_path / "a", ramp())
    data = source.read_bytes()
    bare = tmp_path / "b"
    bare.write_bytes(data[data.index(b"\x08\0\x08\0CS") :])
    _recode(bare, tmp_path / "c", "rle")
    meta = pydicom.dcmread(tmp_path / "c").file_meta
    assert meta.MediaStorageSOPInstanceUID == UID
    assert meta.TransferSyntaxUID == _uid("rle")


def test_recode_of_frames_that_are_not_counted_is_refused_unless_all_are_carried(tmp_path):
    samples = ramp(np.uint16, (3, 7, 9))
    source = make_file(tmp_path / "a", samples, NumberOfFrames=2)
    with pytest.raises(CorruptData, match="hold 3 frames, but Number of Frames is `2`") as caught:
        _recode(source, tmp_path / "b", "rle")
    assert "--to deflated" in caught.value.hint
    assert not (tmp_path / "b").exists()
    _recode(source, tmp_path / "c", "deflated")
    assert pydicom.dcmread(tmp_path / "c").PixelData[:378] == samples.tobytes()


@pytest.mark.parametrize("name", ["rle", "jpeg-ls", "jpeg2000"])
def test_recode_of_one_padded_byte_is_one_frame(tmp_path, name):
    source = make_file(tmp_path / "a", np.full((1, 1), 7, np.uint8))
    assert _recode(source, tmp_path / "b", name).frame_count == 1
