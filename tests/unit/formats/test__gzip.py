import gzip
import io
import subprocess
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from isal import igzip

from imgconv.formats._gzip import GzipSink


def pack(blocks, head=b"", level=2, threads=2):
    stream = io.BytesIO()
    with GzipSink(stream, level=level, head_size=len(head), threads=threads) as sink:
        for block in blocks:
            sink.write(lambda block=block: block)
        sink.finish(head)
    return stream.getvalue()


@given(st.lists(st.binary(max_size=5000), max_size=12), st.binary(max_size=600), st.integers(1, 9))
def test_gzip_sink_gives_one_member_that_all_readers_agree_on(blocks, head, level):
    packed = pack(blocks, head, level)
    whole = head + b"".join(blocks)
    assert gzip.decompress(packed) == whole
    assert igzip.decompress(packed) == whole
    inflater = zlib.decompressobj(31)
    assert inflater.decompress(packed) == whole
    assert inflater.eof
    assert inflater.unused_data == b""


def test_gzip_sink_is_read_by_the_gzip_program():
    blocks = [np.arange(n, dtype="<i2") for n in (70_000, 1, 300_000)]
    packed = pack(blocks, b"h" * 352)
    done = subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True)
    assert done.stdout == b"h" * 352 + b"".join(block.tobytes() for block in blocks)


def test_gzip_sink_gives_the_same_bytes_each_time():
    blocks = [bytes(range(256)) * 400] * 9
    assert pack(blocks, threads=1) == pack(blocks, threads=4)


def test_gzip_sink_passes_on_the_error_of_a_block():
    def fail():
        raise RuntimeError("reader")

    with GzipSink(io.BytesIO()) as sink:
        sink.write(fail)
        with pytest.raises(RuntimeError, match="reader"):
            sink.finish()


def test_gzip_sink_with_another_head_than_promised_is_refused():
    with GzipSink(io.BytesIO(), head_size=4) as sink, pytest.raises(ValueError, match="promised 4"):
        sink.finish(b"12345")
