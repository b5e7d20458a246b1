from __future__ import annotations

from builders import element, tree_of

from imgconv.dicom.repair.charset import mend_charset

NAME, TERM = 0x00100010, 0x00080005


def charset_tree(term: bytes | None, name: bytes):
    parts = [] if term is None else [element(TERM, "CS", term)]
    padded = name + b" " * (len(name) % 2)
    return tree_of(*parts, element(NAME, "PN", padded))


def test_mend_charset_utf8_bytes_without_a_term_are_declared():
    tree = charset_tree(None, "Müller".encode())

    (change,) = mend_charset(tree)

    assert change.is_done
    assert tree.dataset.text(TERM) == "ISO_IR 192"
    assert bytes(tree.dataset.elements[NAME].value).decode().strip() == "Müller"


def test_mend_charset_latin1_bytes_without_a_term_are_left():
    tree = charset_tree(None, "Müller".encode("latin-1"))

    (change,) = mend_charset(tree)

    assert not change.is_done
    assert TERM not in tree.dataset.elements


def test_mend_charset_latin1_bytes_named_by_the_caller_become_utf8():
    tree = charset_tree(None, "Müller".encode("latin-1"))

    mend_charset(tree, "ISO_IR 100")

    assert tree.dataset.text(TERM) == "ISO_IR 192"
    assert bytes(tree.dataset.elements[NAME].value).decode().strip() == "Müller"


def test_mend_charset_other_spelling_becomes_the_defined_term():
    tree = charset_tree(b"ISO-8859-1", "Müller".encode("latin-1"))

    (change,) = mend_charset(tree)

    assert change.after == "defined term"
    assert tree.dataset.text(TERM) == "ISO_IR 100"


def test_mend_charset_right_term_is_left_alone():
    tree = charset_tree(b"ISO_IR 100", "Müller".encode("latin-1"))

    assert mend_charset(tree) == []


def test_mend_charset_empty_term_over_ascii_is_removed():
    tree = charset_tree(b"", b"Miller")

    mend_charset(tree)

    assert TERM not in tree.dataset.elements
