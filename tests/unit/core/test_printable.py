from imgconv.core.printable import printable


def test_printable_escapes_control_characters():
    assert printable("a\x1b[31m\nb\u202eé") == "a\\x1b[31m\\nb\\u202eé"
