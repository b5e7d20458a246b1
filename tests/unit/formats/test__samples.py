import io

import numpy as np
import pytest

from imgconv.core.image import Image, LazyArray
from imgconv.core.lazy_volume import LazyVolume
from imgconv.formats._samples import LargestSample, iter_blocks, write_blocks


def test_iter_blocks_gives_the_samples_in_order_and_contiguous():
    array = np.arange(2 * 3 * 4 * 5, dtype=np.int16).reshape(2, 3, 4, 5)
    image = Image(np.flip(array, 2), "tkji")
    blocks = [block() for block in iter_blocks(image)]
    assert all(block.flags.c_contiguous for block in blocks)
    assert b"".join(block.tobytes() for block in blocks) == np.flip(array, 2).tobytes()


def test_iter_blocks_swaps_to_the_byte_order_wanted():
    image = Image(np.array([[[1, 2]]], dtype=np.uint16), "kji")
    (block,) = iter_blocks(image, byte_order=">")
    assert block().tobytes() == b"\0\1\0\2"


def test_iter_blocks_cuts_a_large_volume():
    image = Image(np.zeros((64, 256, 256), np.int16), "kji")
    assert len(list(iter_blocks(image))) > 4


def test_iter_blocks_loads_one_volume_at_a_time():
    loaded = []

    def load(t):
        loaded.append(t)
        return np.full((1, 2, 2), t, np.int16)

    blocks = iter_blocks(Image(LazyArray((3, 1, 2, 2), np.int16, load), "tkji"))
    next(blocks)()
    assert loaded == [0]


def test_iter_blocks_reads_a_lazy_volume_block_by_block():
    array = np.arange(5 * 512 * 512, dtype=np.int32).reshape(5, 512, 512)
    asked = []

    def load(first, stop):
        asked.append((first, stop))
        return array[first:stop]

    blocks = list(iter_blocks(Image(LazyVolume(array.shape, array.dtype, load), "kji")))
    assert asked == []
    assert b"".join(block().tobytes() for block in blocks) == array.tobytes()
    assert asked == [(k, k + 1) for k in range(5)]


def test_largest_sample_sees_every_block():
    largest = LargestSample()
    image = Image(np.arange(300, dtype=np.uint16).reshape(3, 10, 10), "kji")
    for block in iter_blocks(image, largest=largest):
        block()
    assert largest.value == 299


def test_write_blocks_keeps_the_order():
    array = np.arange(9 * 300 * 1000, dtype=np.int16).reshape(9, 300, 1000)
    stream = io.BytesIO()
    write_blocks(stream, iter_blocks(Image(np.flip(array, 1), "kji")))
    assert stream.getvalue() == np.flip(array, 1).tobytes()


def test_write_blocks_passes_on_the_error_of_a_block():
    def fail():
        raise RuntimeError("reader")

    with pytest.raises(RuntimeError, match="reader"):
        write_blocks(io.BytesIO(), iter([fail]))
