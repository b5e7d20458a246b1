import numpy as np
import pytest

from imgconv.codecs import PixelFormat, encode_frame
from imgconv.codecs.pylibjpeg import decode_jpeg, decode_jpeg2000, decode_rle
from imgconv.errors import CorruptData
from imgconv.standard.transfer_syntaxes import find_transfer_syntax

DECODERS = {
    "rle": decode_rle,
    "jpeg-lossless": decode_jpeg,
    "jpeg-ls": decode_jpeg,
    "jpeg2000": decode_jpeg2000,
    "htj2k": decode_jpeg2000,
}
COLOUR = {"samples_per_pixel": 3, "photometric_interpretation": "RGB"}


@pytest.mark.parametrize("name", DECODERS)
def test_decode_colour_is_by_pixel(name):
    samples = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    pixel_format = PixelFormat(rows=5, columns=4, bits_allocated=8, bits_stored=8, **COLOUR)
    uid = find_transfer_syntax(name).uid
    frame = encode_frame(samples, uid, pixel_format)
    assert np.array_equal(DECODERS[name](frame.data, frame.pixel_format, uid), samples)


@pytest.mark.parametrize("decoder", sorted(set(DECODERS.values()), key=lambda f: f.__name__))
@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff\xd9", b"\xff\x4f\xff\x51" + b"\0" * 60])
def test_decode_rubbish_is_corrupt(decoder, data):
    with pytest.raises(CorruptData):
        decoder(data, PixelFormat(rows=5, columns=4, bits_allocated=8, bits_stored=8), "")
