from imgconv.standard.confidentiality import OPTION_CODES, find_action, iter_actions


def test_find_action_of_single_tags():
    assert find_action(0x00100010).basic == "Z"
    assert find_action(0x00081030).options["clean_descriptors"] == "C"
    assert find_action(0x00280010) is None


def test_find_action_of_repeating_groups():
    assert find_action(0x60003000).basic == "X"
    assert find_action(0x60023000).basic == "X"
    assert find_action(0x50003000).basic == "X"


def test_options_of_the_table_have_codes():
    names = {name for action in iter_actions().values() for name in action.options}
    assert names <= set(OPTION_CODES.values())
