import gzip

import numpy as np
import pytest

from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats._volumes import StoredVolumes

SHAPE = (3, 2, 4, 5)


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def stored(request, tmp_path):
    array = np.arange(np.prod(SHAPE), dtype=">i2").reshape(SHAPE)
    path = tmp_path / "x"
    if request.param:
        path.write_bytes(b"abc" + gzip.compress(bytes(7) + array.tobytes()))
        return StoredVolumes(path, SHAPE[1:], array.dtype, 3, start=3, is_gzipped=True, skip=7)
    path.write_bytes(b"abc" + array.tobytes())
    return StoredVolumes(path, SHAPE[1:], array.dtype, 3, start=3)


def test_array_is_read_in_any_order_native_and_writeable(stored):
    whole = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    lazy = stored.array(0, 3)
    for t in (0, 2, 1, 1, 0):
        volume = lazy.volume(t)
        assert np.array_equal(volume, whole[t])
        assert volume.dtype == np.int16
        assert volume.flags.writeable


def test_array_of_a_single_volume_has_no_time_axis(stored):
    assert stored.array(1).shape == SHAPE[1:]
    assert stored.array(1).reshape(-1)[0] == 40


def test_require_plausible_passes_what_is_there(stored):
    stored.require_plausible()


def test_require_plausible_refuses_what_the_file_cannot_hold(stored):
    huge = StoredVolumes(
        stored.path, (30000, 30000, 30000), stored.dtype, 9, stored.start, stored.is_gzipped
    )
    with pytest.raises(CorruptData, match="promises"):
        huge.require_plausible()


def test_require_plausible_refuses_what_exceeds_the_limit(stored):
    with pytest.raises(UnsupportedData, match="the limit is 79"):
        stored.require_plausible(79)


def test_array_of_a_truncated_file_is_corrupt(stored):
    stored.path.write_bytes(stored.path.read_bytes()[:-20])
    with pytest.raises(CorruptData, match="truncated"):
        np.asarray(stored.array(0, 3))


def test_array_with_a_wrong_checksum_is_corrupt(stored):
    if not stored.is_gzipped:
        pytest.skip("no checksum")
    data = bytearray(stored.path.read_bytes())
    data[-6] ^= 1
    stored.path.write_bytes(bytes(data))
    with pytest.raises(CorruptData, match="damaged"):
        np.asarray(stored.array(0, 3))
