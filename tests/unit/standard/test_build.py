from imgconv.standard import build


def test_generated_tables_are_up_to_date():
    assert build.main(["--check"]) == 0


def test_build_is_reproducible():
    assert build.build_multiplicities() == build.build_multiplicities()
