import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.rules import unused_bits
from imgconv.rules.unused_bits import has_unused_bits


@pytest.fixture
def without_numpy(monkeypatch):
    """Let it look at the bytes, as a process does that has not imported numpy."""
    monkeypatch.setattr(unused_bits, "_looked_at", 0)
    monkeypatch.setattr(unused_bits, "sys", type("NoModules", (), {"modules": {}}))


@pytest.mark.parametrize(
    ("samples", "stored", "signed", "expected"),
    [
        ([0, 4095], 12, False, False),
        ([0, 4096], 12, False, True),
        ([-2048, 2047], 12, True, False),  # the sign is extended
        ([-2049, 5], 12, True, True),
        ([0x0FFF, 5], 12, True, False),  # it is not, and all is within the stored bits
        ([0x0FFF, -1], 12, True, True),  # both in one image
        ([], 12, False, False),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_what_is_above_the_stored_bits_is_found(
    without_numpy, samples, stored, signed, expected, order
):
    value = np.array(samples, np.int64).astype(f"{order}u2").tobytes() + b"\xff"
    found = has_unused_bits(value, 16, stored, signed=signed, big_endian=order == ">")
    assert found is expected


@given(st.data())
def test_bytes_and_numpy_tell_the_same(data):
    allocated = data.draw(st.sampled_from([8, 16]))
    stored = data.draw(st.integers(1 if allocated == 8 else 9, allocated - 1))
    signed = data.draw(st.booleans())
    small = st.integers(0, (1 << stored) - 1)
    wide = st.integers(0, (1 << allocated) - 1)
    extended = st.integers(-(1 << (stored - 1)), (1 << (stored - 1)) - 1)
    samples = data.draw(st.lists(data.draw(st.sampled_from([small, wide, extended])), max_size=20))
    big = data.draw(st.booleans())
    dtype = f"{'>' if big else '<'}u{allocated // 8}"
    value = np.array(samples, np.int64).astype(dtype).tobytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unused_bits, "_looked_at", 0)
        patch.setattr(unused_bits, "sys", type("NoModules", (), {"modules": {}}))
        by_bytes = has_unused_bits(value, allocated, stored, signed=signed, big_endian=big)
        assert unused_bits._looked_at == len(value)
    by_numpy = has_unused_bits(value, allocated, stored, signed=signed, big_endian=big)
    assert by_bytes is by_numpy


@pytest.mark.parametrize(("size", "imported"), [(1 << 20, False), (66 << 20, True)])
def test_numpy_is_imported_where_it_pays(size, imported):
    script = f"""
import sys
from imgconv.rules.unused_bits import has_unused_bits
for _ in range(2):
    assert not has_unused_bits(bytes({size}), 16, 12, signed=False)
assert ("numpy" in sys.modules) is {imported}
"""
    subprocess.run([sys.executable, "-c", script], check=True)
