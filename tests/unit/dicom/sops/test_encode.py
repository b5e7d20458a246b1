"""Bytes of files: what pydicom reads back is what was meant."""

from __future__ import annotations

import io

import numpy as np
import pydicom
import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from imgconv.dicom.sops.encode import Pixels, Template, encapsulate, encode_text
from imgconv.errors import UnsupportedData, UsageError


def _shared() -> Dataset:
    dataset = Dataset()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    dataset.PatientName = "Müller^Jörg"
    dataset.Rows, dataset.Columns = 1, 3
    return dataset


def _read(parts) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(b"".join(bytes(part) for part in parts)))


def test_render_writes_meta_text_in_utf8_and_pixels():
    pixels = Pixels("OB", 3, [np.array([1, 2, 3], np.uint8)])
    own = [encode_text(0x00200013, "IS", "7")]
    dataset = _read(Template(_shared()).render_elements("1.2.3", own, pixels))
    assert dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID == "1.2.3"
    assert dataset.PatientName == "Müller^Jörg"
    assert dataset.InstanceNumber == 7
    assert dataset.PixelData == b"\1\2\3\0"


def test_render_lets_own_elements_replace_shared_ones():
    own = Dataset()
    own.SOPInstanceUID = "1.2.3"
    own.PatientName = "Other"
    dataset = _read(Template(_shared()).render(own, None))
    assert dataset.PatientName == "Other"
    assert [element.tag for element in dataset] == sorted(element.tag for element in dataset)


def test_pixels_are_little_endian():
    parts = b"".join(bytes(part) for part in Pixels("OW", 4, [np.array([1, 256], ">u2")]))
    assert parts[-4:] == b"\1\0\0\1"


def test_pixels_beyond_4_gib_are_refused_with_a_way_out():
    with pytest.raises(UnsupportedData) as caught:
        Pixels("OW", 2**32, [])
    assert "--as" in caught.value.hint


def test_encapsulate_pads_fragments_and_tells_their_offsets():
    data = b"".join(encapsulate([b"abc", b"de"]))
    frames = list(pydicom.encaps.generate_frames(data, number_of_frames=2))
    assert [frame.rstrip(b"\0") for frame in frames] == [b"abc", b"de"]
    assert data[8:16] == b"\0\0\0\0\x0c\0\0\0"


def test_template_of_a_value_that_cannot_be_encoded_names_it():
    dataset = _shared()
    too_large = DataElement("PixelPaddingValue", "US", 70000, validation_mode=config.IGNORE)
    dataset.add(too_large)
    with pytest.raises(UsageError, match="PixelPaddingValue"):
        Template(dataset)
