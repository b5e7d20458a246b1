import hashlib
import os
import threading
from pathlib import Path

import pytest

from imgconv.core.large_output import EarlyFlush, write_hashed

FULL = Path("/dev/full")
SMALL, LARGE = b"head", bytes(range(256)) * (5 << 12)  # 5 MiB


@pytest.mark.parametrize(
    "parts",
    [[], [SMALL], [LARGE], [SMALL, memoryview(LARGE), SMALL], [LARGE * 5, LARGE]],
    ids=["none", "small", "large", "mixed", "flushed"],
)
def test_what_is_written_is_what_is_hashed(tmp_path, parts):
    with (tmp_path / "out").open("wb") as stream:
        found = write_hashed(stream, parts)
    expected = b"".join(parts)
    assert (tmp_path / "out").read_bytes() == expected
    assert found == hashlib.sha256(expected).hexdigest()


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_disk_is_told_and_no_thread_is_left():
    threads = threading.active_count()
    with FULL.open("wb") as stream:
        with pytest.raises(OSError, match="No space"):
            write_hashed(stream, [LARGE])
        assert threading.active_count() == threads


def test_parts_that_are_followed_come_as_they_are(tmp_path):
    parts = [LARGE, b"", SMALL, LARGE * 4, SMALL]
    with (tmp_path / "out").open("wb") as stream, EarlyFlush(stream) as early:
        for part in early.follow(parts):
            stream.write(part)
    assert (tmp_path / "out").read_bytes() == b"".join(parts)


def test_an_early_flush_that_fails_is_left_to_the_last_one(tmp_path):
    reading, writing = os.pipe()  # which cannot be flushed
    os.close(reading)
    with os.fdopen(writing, "wb") as stream, EarlyFlush(stream) as early:
        early.wrote(64 << 20)
        early.wrote(64 << 20)
