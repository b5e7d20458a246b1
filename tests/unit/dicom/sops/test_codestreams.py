"""Codestreams of pictures: the transfer syntax that holds them unchanged."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pydicom
import pytest
from tests.unit.dicom.sops.writing import errors_of, options

from imgconv.core.image import Encoded, Image, Source
from imgconv.core.values import ValueMap
from imgconv.dicom.sops.codestreams import find_compression, find_lossy_source
from imgconv.dicom.writer import write

_BASE = "1.2.840.10008.1.2.4."
_SMOOTH = np.add.outer(np.arange(32), np.arange(32)).astype(np.uint8)
GRAY = _SMOOTH
RGB = np.stack([_SMOOTH, _SMOOTH[::-1], _SMOOTH.T[:, ::-1]], axis=-1)

CASES = {
    "jpegls": (imagecodecs.jpegls_encode(GRAY), GRAY, "80", "MONOCHROME2", ""),
    "jpegls-near": (
        imagecodecs.jpegls_encode(GRAY, level=3),
        GRAY,
        "81",
        "MONOCHROME2",
        "ISO_14495_1",
    ),
    "j2k": (
        imagecodecs.jpeg2k_encode(GRAY, codecformat="j2k", reversible=True),
        GRAY,
        "90",
        "MONOCHROME2",
        "",
    ),
    "j2k-colour": (
        imagecodecs.jpeg2k_encode(RGB, codecformat="j2k", reversible=True, mct=True),
        RGB,
        "90",
        "YBR_RCT",
        "",
    ),
    "lossless": (imagecodecs.ljpeg_encode(GRAY), GRAY, "57", "MONOCHROME2", ""),
}


def _image(stream, samples) -> Image:
    array = samples[None]
    axes = "kjic" if samples.ndim == 3 else "kji"
    photometric = "RGB" if samples.ndim == 3 else "MONOCHROME2"
    return Image(
        array,
        axes,
        values=ValueMap(bits_stored=8, photometric=photometric),
        encoded=Encoded((stream,), array),
    )


@pytest.mark.parametrize("name", list(CASES))
def test_find_compression_names_the_transfer_syntax(name):
    stream, samples, suffix, photometric, method = CASES[name]
    found = find_compression(_image(stream, samples))
    assert (found.transfer_syntax_uid, found.photometric, found.method) == (
        _BASE + suffix,
        photometric,
        method,
    )


@pytest.mark.parametrize("name", list(CASES))
def test_write_keeps_the_codestream_and_pydicom_decodes_it(tmp_path, name):
    stream, samples, suffix, _, method = CASES[name]
    paths = write(_image(stream, samples), tmp_path / "a.dcm", options("secondary-capture"))
    dataset = pydicom.dcmread(paths[0])
    assert dataset.file_meta.TransferSyntaxUID == _BASE + suffix
    (stored,) = pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=1)
    assert stored.rstrip(b"\0") == stream.rstrip(b"\0")
    if not method:
        assert np.array_equal(dataset.pixel_array, samples)
    assert errors_of(*paths) == []


@pytest.mark.parametrize("stream", [b"", b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\x0a", b"x"])
def test_find_compression_of_what_dicom_cannot_hold_is_none(stream):
    assert find_compression(_image(stream, GRAY)) is None


def test_find_lossy_source_knows_lossy_files_only(tmp_path):
    lossy, lossless = tmp_path / "a.jpg", tmp_path / "b.jls"
    lossy.write_bytes(imagecodecs.jpeg8_encode(GRAY))
    lossless.write_bytes(CASES["jpegls"][0])
    found = [
        find_lossy_source(Image(GRAY[None], "kji", sources=(Source(path),)))
        for path in (lossy, lossless, tmp_path / "none")
    ]
    assert found[0][0] == "ISO_10918_1"
    assert found[1:] == [None, None]
