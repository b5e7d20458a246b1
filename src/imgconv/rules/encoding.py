"""Family F: the file, its meta information, and how the data set is encoded.

Source
------
PS3.10 7.1 (file format), PS3.5 7.1 (element order) and annex A (transfer syntaxes)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Problem, format_tag
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.standard.iods import find_iod
from imgconv.standard.sop_classes import find_name, is_retired
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["check_encoding", "check_file_meta", "check_syntax"]

# PS3.10 table 7.1-1, type 1 attributes.
_REQUIRED_META = (0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012)
_CLASS_UID, _INSTANCE_UID = 0x00080016, 0x00080018

# Kind of problem -> rule, message.
_PROBLEMS = {
    "truncated": ("F009", "the file ends inside an element"),
    "delimiter": ("F009", "what follows is no element: the rest cannot be read"),
    "deflate": ("F009", "the deflated data set cannot be inflated"),
    "overrun": ("F009", "the value is longer than the item or sequence that holds it"),
    "depth": ("F015", "nested too deeply, or too many elements, to be read"),
    "trailing": ("F010", "bytes follow that belong to no element"),
    "leading": ("F010", "bytes stand before the first element"),
    "order": ("F011", "the tag is lower than the one before it"),
    "duplicate": ("F011", "the tag stands twice"),
    "encoding": ("F008", "the data set is not encoded as the transfer syntax says"),
    "group-length": ("F003", "the group length is not the length of the group"),
    "odd-length": ("V013", "the value has an odd length"),
}


def check_encoding(instance: Instance) -> Iterator[Hit]:
    """Report what the reader found wrong (F003, F008 to F011, F015, V013)."""
    for problem in instance.tree.problems:
        if problem.kind == "unknown-vr":
            yield _unknown_vr(problem)
        else:
            rule, message = _PROBLEMS[problem.kind]
            harmless = problem.kind == "duplicate" and bool(problem.note)
            yield Hit(rule, message, problem.tag, severity="warning" if harmless else "")


def _unknown_vr(problem: Problem) -> Hit:
    if problem.note:
        return Hit("V001", "the value representation is not one of the standard", problem.tag)
    return Hit(
        "F009", "what follows has no value representation: the rest cannot be read", problem.tag
    )


def check_file_meta(instance: Instance) -> Iterator[Hit]:
    """Check preamble, presence and agreement of the meta information (F001 to F006)."""
    tree, meta, dataset = instance.tree, instance.meta, instance.dataset
    if tree.preamble is None:
        yield Hit("F001", "the file has no preamble with the signature DICM")
    if meta is None:
        yield Hit("F002", "the file has no file meta information")
        return
    for tag in _REQUIRED_META:
        element = meta.get(tag)
        if element is None or element.is_empty:
            state = "missing" if element is None else "empty"
            yield Hit(
                "F004", f"{name_tag(tag)} is {state} in the file meta information", format_tag(tag)
            )
    for rule, in_meta, in_dataset in (
        ("F005", 0x00020002, _CLASS_UID),
        ("F006", 0x00020003, _INSTANCE_UID),
    ):
        declared, actual = meta.text(in_meta), dataset.text(in_dataset)
        if declared and actual and declared != actual:
            message = f"{name_tag(in_meta)} differs from {name_tag(in_dataset)}"
            yield Hit(rule, message, format_tag(in_meta))


def check_syntax(instance: Instance) -> Iterator[Hit]:
    """Check that transfer syntax and SOP class are current ones (F007, F012)."""
    uid = instance.tree.transfer_syntax
    if uid:
        syntax = BY_UID.get(uid)
        if syntax is None:
            known_vendor = not uid.startswith("1.2.840.10008.")
            severity = "warning" if known_vendor else "error"
            yield Hit(
                "F007",
                "the transfer syntax is not one of the standard",
                "(0002,0010)",
                uid,
                severity,
            )
        elif syntax.retired:
            message = f"the transfer syntax {syntax.name} is retired"
            yield Hit("F007", message, "(0002,0010)", "", "warning")
    sop_class = instance.sop_class
    if sop_class and not sop_class.startswith("1.2.840.10008."):
        yield Hit("F012", "the SOP class is private: its modules are not checked", "(0008,0016)")
    elif is_retired(sop_class):
        yield Hit("F012", f"the SOP class {find_name(sop_class)} is retired", "(0008,0016)")
    elif sop_class and find_name(sop_class) is None and find_iod(sop_class) is None:
        yield Hit("F012", "the SOP class is not one of the standard", "(0008,0016)", sop_class)
