from imgconv.cli.options import split_names


def test_split_names_takes_commas_and_repetition():
    assert split_names(["a, b", "c", ""]) == {"a", "b", "c"}
    assert split_names([]) == frozenset()
