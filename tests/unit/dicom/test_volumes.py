import io

import numpy as np
import pydicom
import pytest
from PIL import Image as PillowImage
from tests.unit.dicom.files import make_enhanced, make_slice, write_all
from tests.unit.dicom.pixel_files import make_file, ramp
from tests.unit.dicom.sops.writing import options

from imgconv.core.image import Encoded, Image
from imgconv.core.values import ValueMap
from imgconv.dicom.header import read_header
from imgconv.dicom.series import plan_series
from imgconv.dicom.volumes import VolumeReader
from imgconv.dicom.writer import write
from imgconv.errors import CorruptData, UnsupportedData


def reader(paths, **options):
    ((volume,),) = [each.volumes for each in plan_series([read_header(path) for path in paths])]
    return VolumeReader(volume, **options)


def test_reader_promises_shape_and_type(tmp_path):
    found = reader(write_all(tmp_path, [make_slice(3 * k, k) for k in range(5)]))
    assert found.shape == (5, 4, 3)
    assert found.dtype == np.uint16
    assert found.photometric == "MONOCHROME2"
    volume = found.read(0)
    assert (volume.shape, volume.dtype) == (found.shape, found.dtype)


def test_reader_takes_frames_of_one_file_in_any_order(tmp_path):
    frames = [{"z": z, "index": [n]} for n, z in enumerate([6, 0, 3], 1)]
    found = reader(write_all(tmp_path, [make_enhanced(frames, [0x00209057])]))
    assert found.read(0)[:, 0, 0].tolist() == [100, 200, 0]


def test_reader_limit_is_per_volume(tmp_path):
    paths = write_all(tmp_path, [make_slice(0, t) for t in range(3)])
    assert reader(paths, max_bytes=24).read(2)[0, 0, 0] == 200
    with pytest.raises(UnsupportedData):
        reader(paths, max_bytes=23)


def test_reader_leaves_the_files_as_they_are(tmp_path):
    paths = write_all(tmp_path, [make_slice(0, 1)])
    before = paths[0].read_bytes()
    reader(paths).read(0)[:] = 0
    assert paths[0].read_bytes() == before


def test_reader_fills_large_volumes_by_threads_in_the_same_way(tmp_path, monkeypatch):
    paths = write_all(tmp_path, [make_slice(3 * k, k) for k in range(9)])
    one = reader(paths).read(0)
    monkeypatch.setattr("imgconv.dicom.volumes._THREADED_BYTES", 0)
    found = reader(paths)
    assert np.array_equal(found.read(0), one)
    paths[4].write_bytes(paths[4].read_bytes()[:-4])
    with pytest.raises(CorruptData, match="became shorter") as caught:
        found.read(0)
    assert caught.value.path == paths[4]


def _jpeg(shape: tuple[int, ...], seed: int = 1) -> bytes:
    samples = np.random.default_rng(seed).integers(0, 255, shape, np.uint8)
    stream = io.BytesIO()
    PillowImage.fromarray(samples).save(stream, "JPEG")
    return stream.getvalue()


def _write_jpegs(target, *streams: bytes):
    decoded = [np.array(PillowImage.open(io.BytesIO(stream))) for stream in streams]
    array = np.stack(decoded)
    colour = array.ndim == 4
    image = Image(
        array,
        "kjic" if colour else "kji",
        values=ValueMap(photometric="RGB" if colour else "MONOCHROME2", bits_stored=8),
        encoded=Encoded(streams, array),
    )
    return write(image, target, options("secondary-capture"))


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 3)])
@pytest.mark.parametrize("count", [1, 3])
def test_codestreams_are_the_bytes_that_were_stored(tmp_path, shape, count):
    streams = [_jpeg(shape, seed) for seed in range(count)]
    assert reader(_write_jpegs(tmp_path / "a.dcm", *streams)).codestreams() == tuple(streams)


def test_codestreams_are_none_where_low_values_are_bright(tmp_path):
    (path,) = _write_jpegs(tmp_path / "a.dcm", _jpeg((9, 7)))
    dataset = pydicom.dcmread(path)
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.save_as(path)
    assert reader([path]).codestreams() == ()


def test_codestreams_are_none_where_decoders_would_take_rgb_for_ycbcr(tmp_path):
    stream = _jpeg((9, 7, 3))
    plain = stream[:2] + stream[20:]  # without JFIF, whose segment has 18 bytes
    plain = plain.replace(b"\x03\x01\x22\x00", b"\x03\x01\x11\x00")  # nor subsampling
    (path,) = _write_jpegs(tmp_path / "a.dcm", stream)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = pydicom.encaps.encapsulate([plain])
    dataset.save_as(path)
    assert reader([path]).codestreams() == (plain,)
    dataset.PhotometricInterpretation = "RGB"
    dataset.save_as(path)
    assert reader([path]).codestreams() == ()


def test_codestreams_of_uncompressed_files_are_none(tmp_path):
    assert reader(write_all(tmp_path, [make_slice(0, 1)])).codestreams() == ()


@pytest.mark.parametrize(("name", "samples"), [("HSV", 3), ("ARGB", 4), ("MONOCHROME2", 2)])
def test_reader_of_colours_that_are_not_known_is_refused(tmp_path, name, samples):
    path = make_file(
        tmp_path / "a.dcm",
        ramp(np.uint8, (6, 5, samples), 255),
        SamplesPerPixel=samples,
        PhotometricInterpretation=name,
    )
    with pytest.raises(UnsupportedData, match=f"samples of `{name}`"):
        reader([path])
