import pickle
import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.multival import MultiValue
from pydicom.uid import UID
from pydicom.valuerep import PersonName

from imgconv.dicom.header import parse_header, read_header
from imgconv.errors import CorruptData, InputError, InternalError, UnknownFormat

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"


def make_dataset(*, undefined: bool = False) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    dataset.SOPInstanceUID = "1.2.3.4"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    dataset.SeriesDescription = "t1 größe"
    dataset.EchoTime = "2.5"
    dataset.EchoNumbers = "1"
    dataset.AcquisitionMatrix = [0, 64, 64, 0]
    dataset.RealWorldValueMappingSequence = []
    inner = Dataset()
    inner.CodeValue = "abc"
    item = Dataset()
    item.ReferencedFrameNumber = [1, 2]
    item.ConceptNameCodeSequence = [inner]
    dataset.ReferencedImageSequence = [item, Dataset()]
    dataset["ReferencedImageSequence"].is_undefined_length = undefined
    item.is_undefined_length_sequence_item = undefined
    item["ConceptNameCodeSequence"].is_undefined_length = undefined
    block = dataset.private_block(0x0019, "VENDOR", create=True)
    block.add_new(0x0C, "FD", 1000.0)
    dataset.DiffusionBValue = 1.5
    dataset.Rows = dataset.Columns = 4
    dataset.BitsAllocated = 16
    dataset.PixelRepresentation = 1
    dataset.SmallestImagePixelValue = -5
    dataset["SmallestImagePixelValue"].VR = "SS"
    dataset.PixelData = np.arange(16, dtype=np.int16).tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def encode(dataset: Dataset, syntax: str) -> bytes:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = DicomBytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("syntax", [IMPLICIT, EXPLICIT, DEFLATED, BIG])
def test_get_every_encoding_gives_plain_values(tmp_path, syntax, undefined):
    path = tmp_path / "a"
    path.write_bytes(encode(make_dataset(undefined=undefined), syntax))

    header = read_header(path)

    assert header.transfer_syntax_uid == syntax
    assert header.get("SOPInstanceUID") == "1.2.3.4"
    assert header.get("ImageType") == ("ORIGINAL", "PRIMARY", "M")
    assert header.get("SeriesDescription") == "t1 größe"
    assert header.get("EchoTime") == 2.5
    assert header.get("EchoNumbers") == 1
    assert header.get("AcquisitionMatrix") == (0, 64, 64, 0)
    assert header.get("DiffusionBValue") == 1.5
    assert header.get("SmallestImagePixelValue") == -5
    first, second = header.get("ReferencedImageSequence")
    assert first.get("ReferencedFrameNumber") == (1, 2)
    assert first.items("ConceptNameCodeSequence")[0].get("CodeValue") == "abc"
    assert second.tags() == ()
    assert header.private(0x0019, "VENDOR", 0x0C, vr="FD") == 1000.0
    assert header.get("RepetitionTime", 7) == 7
    pixels = header.pixel_data
    assert pixels.length == 32
    order = ">i2" if syntax == BIG else "<i2"
    if syntax != BIG:
        assert np.frombuffer(header.read_pixel_bytes(), order).tolist() == list(range(16))
    assert header.read_pixel_bytes(2, 4) == header.read_pixel_bytes()[2:6]


def test_read_header_without_preamble_guesses_the_syntax(tmp_path):
    for syntax in (IMPLICIT, EXPLICIT, BIG):
        whole = encode(make_dataset(), syntax)
        start = 132 + 12 + struct.unpack_from("<I", whole, 140)[0]
        header = parse_header(whole[start:], "x")
        assert header.transfer_syntax_uid == syntax
        assert header.get("EchoTime") == 2.5


def test_read_header_large_header_is_read_in_parts(tmp_path):
    dataset = make_dataset()
    dataset.private_block(0x0029, "BIG", create=True).add_new(0x10, "OB", bytes(300_000))
    path = tmp_path / "a"
    path.write_bytes(encode(dataset, EXPLICIT))

    header = read_header(path)

    assert len(header.private(0x0029, "BIG", 0x10)) == 300_000
    assert header.pixel_data.length == 32


def test_release_then_get_reads_again_and_pickle_survives(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(encode(make_dataset(), DEFLATED))
    header = read_header(path)
    copies = [pickle.loads(pickle.dumps(header))]
    header.release()
    copies += [header, pickle.loads(pickle.dumps(header))]
    for copy in copies:
        assert copy.get("EchoTime") == 2.5
        assert copy.pixel_data.length == 32
        assert copy.items("ReferencedImageSequence")[0].get("ReferencedFrameNumber") == (1, 2)


def test_icon_is_not_taken_for_the_image():
    dataset = make_dataset()
    icon = Dataset()
    icon.Rows = 2
    icon.PixelData = b"\1\2\3\4"
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    for undefined in (True, False):
        dataset["IconImageSequence"].is_undefined_length = undefined
        header = parse_header(encode(dataset, EXPLICIT), "x")
        assert header.pixel_data.length == 32
        assert header.items("IconImageSequence")[0].get("Rows") == 2


def test_un_of_undefined_length_is_implicit_little_endian():
    implicit = struct.pack("<HHI2s", 0x0008, 0x0100, 2, b"ab")
    content = (
        struct.pack(">HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)[:0]
        + struct.pack("<HHI", 0xFFFE, 0xE000, len(implicit))
        + implicit
        + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    )
    for order, syntax in (("<", EXPLICIT), (">", BIG)):
        element = struct.pack(order + "HH2sHI", 0x0040, 0xA043, b"UN", 0, 0xFFFFFFFF) + content
        first = struct.pack(order + "HH2sH", 0x0008, 0x0060, b"CS", 2) + b"MR"
        header = parse_header(first + element, "x")
        assert header.transfer_syntax_uid == syntax
        assert header.items("ConceptNameCodeSequence")[0].get("CodeValue") == "ab"


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", UnknownFormat, "empty"),
        (b"just a text, nothing else to see here, really", UnknownFormat, "no DICOM"),
        (b"\0" * 128 + b"DICM", None, ""),
        (b"\0" * 128 + b"DICM" + b"\2\0\x10\0UI\xff\x00abc", CorruptData, "meta information"),
    ],
)
def test_read_header_bad_file_says_what_is_wrong(tmp_path, data, error, words):
    path = tmp_path / "bad"
    path.write_bytes(data)
    if error is None:
        assert read_header(path).pixel_data is None
        return
    with pytest.raises(error, match=words) as caught:
        read_header(path)
    assert caught.value.path == path


def test_read_header_every_truncation_is_an_input_error_or_a_header(tmp_path):
    whole = encode(make_dataset(undefined=True), EXPLICIT)
    pixels = parse_header(whole, "x").pixel_data
    for length in range(len(whole)):
        try:
            header = parse_header(whole[:length], "x")
        except InputError:
            continue
        if header.pixel_data is not None:
            assert length >= pixels.offset
            assert header.pixel_data.available == length - pixels.offset


def test_read_pixel_bytes_truncated_raises(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(encode(make_dataset(), EXPLICIT)[:-4])
    with pytest.raises(CorruptData, match="28"):
        read_header(path).read_pixel_bytes()


def test_read_header_deep_nesting_is_refused():
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    sequence = struct.pack("<HH2sHI", 0x0040, 0xA730, b"SQ", 0, 0xFFFFFFFF)
    data = struct.pack("<HH2sH", 0x0008, 0x0060, b"CS", 2) + b"MR" + (sequence + item) * 5000
    with pytest.raises(CorruptData, match="nested deeper"):
        parse_header(data, "x")


def test_read_header_broken_deflated_stream_is_corrupt():
    whole = encode(make_dataset(), DEFLATED)
    start = 132 + 12 + struct.unpack_from("<I", whole, 140)[0]
    with pytest.raises(CorruptData, match="inflated"):
        parse_header(whole[:start] + b"\xff" * 50, "x")


def test_get_unreadable_number_gives_default():
    dataset = make_dataset()
    raw = encode(dataset, EXPLICIT).replace(b"2.5 ", b"abc ")
    assert parse_header(raw, "x").get("EchoTime", "none") == "none"


def test_get_unknown_keyword_is_a_bug():
    with pytest.raises(InternalError):
        parse_header(encode(make_dataset(), EXPLICIT), "x").get("NoSuchKeyword")


def test_read_header_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_header(tmp_path / "none")


def test_deflated_matches_zlib(tmp_path):
    whole = encode(make_dataset(), DEFLATED)
    start = 132 + 12 + struct.unpack_from("<I", whole, 140)[0]
    inflated = zlib.decompress(whole[start:], -15)
    header = parse_header(whole, "x")
    assert header.is_deflated
    assert header.pixel_data.offset == start + inflated.index(BytesIO(b"\0\0\1\0\2\0").read())


def test_read_header_explicit_data_under_an_implicit_syntax_is_read():
    whole = encode(make_dataset(), EXPLICIT)
    stated = whole.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0", 1)
    header = parse_header(stated, "x")
    assert header.get("EchoTime") == 2.5


TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
BULK = {0x7FE00010, 0x7FE00008, 0x7FE00009}


def plain(value):
    """What our reader gives where pydicom gives `value`."""
    if isinstance(value, MultiValue | list):
        return tuple(plain(part) for part in value)
    if isinstance(value, float | int) and not isinstance(value, bool):
        return float(value) if isinstance(value, float) else int(value)
    return str(value).strip() if isinstance(value, str | PersonName | UID) else value


def compare(dataset, header):
    count = 0
    for element in dataset:
        tag = int(element.tag)
        if tag in BULK or tag >> 16 & 1 or element.value in (None, "", b""):
            continue
        if element.VR == "SQ":
            items = header.items(tag)
            assert len(items) == len(element.value)
            count += sum(map(compare, element.value, items))
            continue
        found = header.get(tag)
        assert found == plain(element.value) or found == element.value, element.tag
        count += 1
    return count


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "ExplVR_BigEnd.dcm",
        "ExplVR_LitEndNoMeta.dcm",
        "image_dfl.dcm",
        "reportsi.dcm",
        "rtplan.dcm",
        "liver_1frame.dcm",
        "waveform_ecg.dcm",
    ],
)
def test_get_gives_what_pydicom_gives(name):
    path = TEST_FILES / name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        assert compare(dataset, read_header(path)) > 0
