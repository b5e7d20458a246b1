import numpy as np
import pytest

from imgconv.codecs.huffman import make_table, pack_bits


def _is_prefix_code(table, used):
    codes = [format(int(table.codes[c]), f"0{table.lengths[c]}b") for c in used]
    return all(
        not other.startswith(code) for code in codes for other in codes if other is not code
    ) and not any(set(code) == {"1"} for code in codes)


@pytest.mark.parametrize(
    "frequencies",
    [
        [1] * 17,
        [5, 0, 0, 9],
        [7],
        [1 << n for n in range(17)],  # without a limit the codes would be longer than 16 bits
        [3**n for n in range(17)],
        [0, 0, 1, 10**9],
    ],
)
def test_make_table_is_a_prefix_code_of_at_most_16_bits(frequencies):
    used = [c for c, count in enumerate(frequencies) if count]
    table = make_table(np.array(frequencies))
    assert sorted(table.values) == used
    assert sum(table.counts) == len(used)
    assert all(1 <= table.lengths[c] <= 16 for c in used)
    assert _is_prefix_code(table, used)


def test_make_table_gives_frequent_categories_short_codes():
    table = make_table(np.array([1000, 10, 10, 1]))
    assert table.lengths[0] == 1
    assert table.lengths[3] >= table.lengths[1]


@pytest.mark.parametrize("longest", [1, 7, 16, 31, 32])
def test_pack_bits_is_the_bits_one_after_the_other(longest):
    rng = np.random.default_rng(longest)
    lengths = rng.integers(0, longest + 1, 1000).astype(np.uint64)
    codes = rng.integers(0, 1 << 32, 1000).astype(np.uint64) & (
        (np.uint64(1) << lengths) - np.uint64(1)
    )
    words, total = pack_bits(lengths << np.uint64(32) | codes)
    expected = "".join(
        format(int(code), f"0{length}b")
        for code, length in zip(codes, lengths, strict=True)
        if length
    )
    assert total == len(expected)
    assert "".join(format(int(word), "064b") for word in words)[:total] == expected


@pytest.mark.parametrize("length", [1, 16, 32])
@pytest.mark.parametrize("count", [2, 4, 6, 64, 66])
def test_pack_bits_of_equal_lengths_fills_whole_words(length, count):
    code = (1 << length) - 1
    words, total = pack_bits(np.full(count, length << 32 | code, np.uint64))
    assert total == length * count
    assert "".join(format(int(word), "064b") for word in words).rstrip("0") == "1" * total


def test_pack_bits_of_nothing_is_nothing():
    assert pack_bits(np.zeros(0, np.uint64))[1] == 0
