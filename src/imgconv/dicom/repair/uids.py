"""Mend UIDs: missing, malformed, or the same for things of different kinds.

A new UID is a digest of what it replaces (or of what tells the study, series
or file apart), so that every file of a set gets the same one, in any order
and in any run.

Source
------
PS3.5 9.1 and B.2; PS3.3 C.7.2, C.7.3, C.7.4, C.12.1
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, ensure, replace_value, skipped
from imgconv.dicom.repair.classes import CLASS_TAGS
from imgconv.dicom.uids import uid_of_digest
from imgconv.standard.iods import find_iod

__all__ = [
    "mend_missing_uids",
    "mend_uids",
    "replace_instance_uid",
    "replace_series_uid",
    "uid_for",
]

_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_STUDY, _SERIES, _FRAME_OF_REFERENCE = 0x0020000D, 0x0020000E, 0x00200052
_REFERENCED_FRAME = 0x30060024
_PRIVATE_CREATOR = 0x00020100  # of the file meta information; PS3.10 7.1
_META_CLASS, _META_INSTANCE = 0x00020002, 0x00020003
_FORM = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
_MAX_LENGTH = 64
# What tells patients, studies and series apart where they have no UID.
_STUDY_KEYS = (0x00100010, 0x00100020, 0x00080020, 0x00080030, 0x00080050, 0x00200010)
_SERIES_KEYS = (0x00080060, 0x00200011, 0x00080021, 0x00080031, 0x0008103E, 0x00081010)


def uid_for(role: str, *parts: str) -> str:
    """Return the UID that always stands for these words."""
    words = [word.encode() for word in (role, *parts)]
    text = b"".join(len(word).to_bytes(8, "big") + word for word in words)
    return uid_of_digest(hashlib.sha256(text).digest())


def mend_uids(tree: Tree) -> list[Change]:
    """Replace malformed UIDs, and those that name things of two levels."""
    changes = [
        _renew(element)
        for element in list(tree.dataset.walk())
        if element.vr == "UI"
        and element.items is None
        and element.tag not in CLASS_TAGS
        and not _is_valid(element)
    ]
    changes += _mend_classes(tree)
    creator = tree.meta.get(_PRIVATE_CREATOR) if tree.meta is not None else None
    if creator is not None and not _is_valid(creator):
        changes.append(replace(_renew(creator), original=None))
    return changes + _separate_levels(tree)


def _mend_classes(tree: Tree) -> list[Change]:
    """Give malformed UIDs of SOP classes the form of the class that they name.

    No other UID can stand for it: what is no known class stays, and is told.
    """
    said = tree.meta.text(_META_CLASS) if tree.meta is not None else ""
    return [
        _restore_class(element, said if element.item.parent is None else "")
        for element in list(tree.dataset.walk())
        if element.tag in CLASS_TAGS and not element.is_empty and not _is_valid(element)
    ]


def _restore_class(element: Element, said: str) -> Change:
    text = str(element.values()[0]).strip(" .\0")
    known = [uid for uid in (text, said) if _is_uid(uid) and find_iod(uid) is not None]
    reason, source = "a UID has digits and dots, 64 characters at most", "PS3.5 9.1; PS3.10 7.1"
    if not known:
        return skipped("malformed-uid", element.path, "malformed SOP Class UID", reason, source)
    return replace_value(
        element,
        known[0].encode("ascii"),
        name="malformed-uid",
        before="malformed SOP Class UID",
        after="the class that it names" if known[0] == text else "as in the file meta",
        reason=reason,
        source=source,
        keep=True,
    )


def _is_valid(element: Element) -> bool:
    return all(_is_uid(str(value)) for value in element.values() if value)


def _is_uid(value: str) -> bool:
    """Whether a UID has the form and a root that exists (ITU-T X.660: arcs 0, 1 and 2)."""
    if not _FORM.fullmatch(value) or len(value) > _MAX_LENGTH:
        return False
    root, second = (int(part) for part in value.split(".")[:2])
    return (root == 0 and second <= 39) or (root == 1 and second <= 3) or root == 2


def _renew(element: Element) -> Change:
    old = [str(value) for value in element.values()]
    new = [value if _is_uid(value) else uid_for("malformed", value) for value in old]
    return replace_value(
        element,
        "\\".join(new).encode("ascii"),
        name="malformed-uid",
        before="malformed UID",
        after="UID derived from it",
        reason="a UID has digits and dots, 64 characters at most, and a root that exists",
        source="PS3.5 9.1; ITU-T X.660",
        keep=True,
    )


def _separate_levels(tree: Tree) -> list[Change]:
    root = tree.dataset
    study, series = root.text(_STUDY), root.text(_SERIES)
    instance = root.text(_SOP_INSTANCE)
    changes: list[Change] = []
    frame = root.get(_FRAME_OF_REFERENCE)
    if frame is not None and frame.values() and str(frame.values()[0]) in (study, series, instance):
        old = str(frame.values()[0])
        changes += [
            _rename(element, "frame of reference")
            for element in list(root.walk())
            if element.tag in (_FRAME_OF_REFERENCE, _REFERENCED_FRAME) and element.values() == [old]
        ]
    if series and series in (study, instance):
        changes.append(_rename(root.elements[_SERIES], "series"))
    if instance and instance == study:
        changes.append(_rename(root.elements[_SOP_INSTANCE], "instance"))
    return changes


def _rename(element: Element, role: str) -> Change:
    new = uid_for(role, str(element.values()[0]))
    return replace_value(
        element,
        new.encode(),
        name="shared-uid",
        before="UID of another level as well",
        after="UID derived from it",
        reason=f"the {role} needs a UID of its own",
        source="PS3.5 9.1",
        keep=True,
    )


def replace_instance_uid(tree: Tree, digest: str) -> Change:
    """Give an instance another UID, because a different one has the same.

    Parameters
    ----------
    digest
        Of the file's content.
    """
    element = tree.dataset.elements[_SOP_INSTANCE]
    new = uid_for("duplicate", str(element.values()[0]), digest)
    return replace_value(
        element,
        new.encode(),
        name="duplicate-uid",
        before="UID of another instance as well",
        after="UID derived from the content",
        reason="two different instances had one SOP Instance UID",
        source="PS3.5 9.1",
        keep=True,
    )


def replace_series_uid(tree: Tree) -> Change:
    """Give a series another UID, because another study has one with the same."""
    root = tree.dataset
    element = root.elements[_SERIES]
    new = uid_for("series of study", str(element.values()[0]), root.text(_STUDY))
    return replace_value(
        element,
        new.encode(),
        name="shared-series-uid",
        before="UID of a series of another study as well",
        after="UID derived from series and study",
        reason="a series belongs to one study",
        source="PS3.3 A.1.2",
        keep=True,
    )


def mend_missing_uids(tree: Tree, digest: str) -> list[Change]:
    """Give a data set the UIDs that it lacks.

    SOP Class and Instance UID come from the file meta information if it has
    them; study and series get one UID for all files whose patient, study and
    series attributes are equal.

    Parameters
    ----------
    digest
        Of the file's content, for an instance that has no UID at all.
    """
    root, meta = tree.dataset, tree.meta
    changes = []
    for tag, meta_tag in ((_SOP_CLASS, _META_CLASS), (_SOP_INSTANCE, _META_INSTANCE)):
        known = meta.text(meta_tag) if meta is not None else ""
        if known and not root.text(tag):
            changes.append(_fill(root, tag, known, "it stands in the file meta information"))
    study = uid_for("study", *(root.text(tag) for tag in _STUDY_KEYS))
    if not root.text(_STUDY):
        reason = "derived from patient, date, time, Study ID and Accession Number"
        changes.append(_fill(root, _STUDY, study, reason))
    if not root.text(_SERIES):
        parts = (root.text(_STUDY), *(root.text(tag) for tag in _SERIES_KEYS))
        reason = "derived from the study and the series attributes"
        changes.append(_fill(root, _SERIES, uid_for("series", *parts), reason))
    if not root.text(_SOP_INSTANCE):
        reason = "derived from the content of the file"
        changes.append(_fill(root, _SOP_INSTANCE, uid_for("instance", digest), reason))
    return changes


def _fill(root: Item, tag: int, uid: str, reason: str) -> Change:
    return ensure(
        root, tag, "UI", uid.encode("ascii", "replace"), name="missing-uid", reason=reason,
        source="PS3.5 9.1",
    )  # fmt: skip
