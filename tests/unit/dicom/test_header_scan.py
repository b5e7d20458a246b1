import random
import zlib
from itertools import pairwise

import pytest
from tests.unit.dicom.files import DEFLATED, EXPLICIT, encode, make_slice

from imgconv.dicom.header_scan import HeaderScan, inflate, inflate_file, inflate_part, walk_meta
from imgconv.errors import CorruptData, UnsupportedData


def scan(data, reads=None):
    def fetch(start, length):
        if reads is not None:
            reads.append((start, length))
        return data[start : start + length]

    return HeaderScan("x", len(data), fetch)


def test_read_stops_in_front_of_the_pixels():
    data = encode(make_slice())
    scanned = scan(data).read()
    pixels = scanned.pixel_data
    assert data[pixels.offset : pixels.offset + 24] == make_slice().PixelData
    assert len(scanned.buffer) == pixels.offset - 12
    assert scanned.transfer_syntax_uid == EXPLICIT


def test_read_fetches_each_byte_once():
    dataset = make_slice()
    dataset.private_block(0x0029, "BIG", create=True).add_new(0x10, "OB", bytes(400_000))
    reads = []
    scan(encode(dataset), reads).read()
    assert reads[0][0] == 0
    assert all(before[0] + before[1] == after[0] for before, after in pairwise(reads))


def test_read_file_that_shrinks_meanwhile_is_corrupt():
    dataset = make_slice()
    dataset.private_block(0x0029, "BIG", create=True).add_new(0x10, "OB", bytes(400_000))
    data = encode(dataset)
    with pytest.raises(CorruptData, match="shorter"):
        HeaderScan(
            "x", len(data), lambda start, length: data[:70_000][start : start + length]
        ).read()


def test_inflate_file_keeps_the_meta_information():
    data = encode(make_slice(), DEFLATED)
    inflated = inflate_file(data)
    start, syntax = walk_meta(data, {})
    assert syntax == DEFLATED
    assert inflated[:start] == data[:start]
    assert make_slice().PixelData in inflated


def deflate(*parts):
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return b"".join((*(packer.compress(part) for part in parts), packer.flush()))


def test_inflate_takes_large_data_that_shrink_as_images_do():
    block = random.Random(1).randbytes(1 << 20)
    assert inflate(deflate(*[block] * 4, bytes(100 << 20))) == block * 4 + bytes(100 << 20)


def test_inflate_stops_early_in_a_bomb():
    data = deflate(*[bytes(1 << 20)] * 120)
    with pytest.raises(UnsupportedData, match="inflates too far"):
        inflate(data)
    # Data behind it do not make it harmless: they are not reached.
    with pytest.raises(UnsupportedData, match="inflates too far"):
        inflate(data + bytes(8 << 20))


def test_inflate_truncated():
    data = deflate(b"0123456789" * 1000)
    with pytest.raises(CorruptData, match="truncated"):
        inflate(data[:-3])
    part, complete = inflate_part(data[:-3])
    assert not complete
    assert (b"0123456789" * 1000).startswith(part)
    assert inflate_part(data) == (b"0123456789" * 1000, True)
