import hashlib

import numpy as np
import pytest

from imgconv.codecs import PixelFormat
from imgconv.dicom.frames import FrameReader
from imgconv.dicom.pixel_digest import PixelDigest, digest_all, join_bits


def test_digest_is_of_little_endian_samples_by_pixel():
    frames = np.arange(2 * 3 * 4 * 3, dtype=np.uint16).reshape(2, 3, 4, 3)
    pixel_format = PixelFormat(
        rows=3,
        columns=4,
        bits_allocated=16,
        bits_stored=16,
        samples_per_pixel=3,
        photometric_interpretation="RGB",
        planar_configuration=1,
    )
    digest = PixelDigest(pixel_format)
    for frame in frames:
        digest.update(frame)
    expected = hashlib.sha256(frames.astype("<u2").tobytes()).hexdigest()
    assert digest.hexdigest() == expected


@pytest.mark.parametrize("shape", [(3, 2, 8), (3, 5, 7)])
def test_digest_of_bits_is_that_of_the_native_bytes(shape):
    bits = (np.arange(np.prod(shape)).reshape(shape) % 3 == 0).astype(np.uint8)
    packed = np.packbits(bits.reshape(-1), bitorder="little").tobytes()
    pixel_format = PixelFormat(rows=shape[1], columns=shape[2], bits_allocated=1, bits_stored=1)
    reader = FrameReader(
        packed,
        offset=0,
        length=len(packed),
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        pixel_format=pixel_format,
        frame_count=shape[0],
    )
    assert digest_all(reader) == hashlib.sha256(packed).hexdigest()


def test_join_bits_leaves_no_gap_between_frames():
    pixel_format = PixelFormat(rows=1, columns=3, bits_allocated=1, bits_stored=1)
    assert b"".join(join_bits([b"\x05", b"\x07"], pixel_format)) == b"\x3d"
