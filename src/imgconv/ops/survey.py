"""What only the whole set of files tells about each of them, from their headers.

Source
------
PS3.5 9.1 (UIDs are unique); PS3.3 A.1.2 (a series belongs to one study), C.7.6.2 (image plane)
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path

from imgconv.dicom.header import read_header
from imgconv.dicom.repair.encode import encode_item
from imgconv.dicom.repair.structure import mend_structure
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import InputError
from imgconv.records import record
from imgconv.rules.records import PATIENT_TAGS, STUDY_TAGS

__all__ = ["Identity", "Survey"]

_STUDY, _SERIES, _INSTANCE = 0x0020000D, 0x0020000E, 0x00080018
_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_FRAME_OF_REFERENCE = 0x00200052
# What is the same in a study, and in a series; PS3.3 A.1.2, C.7.4.1.
_IN_STUDY = (*PATIENT_TAGS, *STUDY_TAGS)
_IN_SERIES = (0x00080060, 0x00080070, 0x00200011, _FRAME_OF_REFERENCE)
# Millimetres: closer images are at the same place.
_MIN_STEP = 1e-3


@record
class Identity:
    """What names an instance, and where it lies; empty where the file does not say."""

    study: str = ""
    series: str = ""
    instance: str = ""
    position: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    common: tuple[str, ...] = ()


@record(frozen=False)
class Survey:
    """Facts about a set of files; add each file once, then ask."""

    _instances: dict[str, list[Path]] = field(default_factory=dict)
    _studies: dict[str, list[str]] = field(default_factory=dict)
    _positions: dict[tuple[str, tuple[float, ...]], tuple[float, ...]] = field(default_factory=dict)
    _stacks: set[str] = field(default_factory=set)
    _digests: dict[Path, str] = field(default_factory=dict)
    _common: dict[tuple[str, int], Counter[str]] = field(default_factory=dict)

    def add(self, path: Path) -> Identity:
        """Take note of one file; an unreadable one has an empty identity."""
        identity = _read_identity(path)
        if identity.instance:
            self._instances.setdefault(identity.instance, []).append(path)
        if identity.series and identity.study not in self._studies.setdefault(identity.series, []):
            self._studies[identity.series].append(identity.study)
        for owner, tag, value in _list_common(identity):
            self._common.setdefault((owner, tag), Counter())[value] += 1
        if len(identity.position) == 3 and len(identity.orientation) == 6:
            key = (identity.series, identity.orientation)
            known = self._positions.setdefault(key, identity.position)
            if _distance_along_normal(known, identity.position, identity.orientation) > _MIN_STEP:
                self._stacks.add(identity.series)
        return identity

    def is_stack(self, identity: Identity) -> bool:
        """Whether the series has parallel images at several places along their normal."""
        return identity.series in self._stacks

    def find_odd(self, identity: Identity) -> tuple[int, ...]:
        """List what should be as in the other files of the study or series, and is not."""
        return tuple(
            tag
            for owner, tag, value in _list_common(identity)
            if self._common[owner, tag].most_common(1)[0][0] != value
        )

    def is_series_clash(self, identity: Identity) -> bool:
        """Whether the series was seen in another study before this one."""
        studies = self._studies.get(identity.series, [])
        return bool(studies) and studies[0] != identity.study

    def find_twin(self, path: Path, identity: Identity) -> Path | None:
        """Return an earlier file with the same instance and the same content, if there is one."""
        for other in self._earlier(path, identity):
            if self._digest(other) == self._digest(path):
                return other
        return None

    def is_clash(self, path: Path, identity: Identity) -> bool:
        """Whether an earlier file has the same SOP Instance UID."""
        return bool(self._earlier(path, identity))

    def _earlier(self, path: Path, identity: Identity) -> list[Path]:
        files = self._instances.get(identity.instance, [])
        return files[: files.index(path)] if path in files else []

    def _digest(self, path: Path) -> str:
        if path not in self._digests:
            self._digests[path] = _digest_content(path)
        return self._digests[path]


def _list_common(identity: Identity) -> list[tuple[str, int, str]]:
    """List the UID of study or series, tag and value of what the file shares with others."""
    owners = [identity.study] * len(_IN_STUDY) + [identity.series] * len(_IN_SERIES)
    rows = zip(owners, (*_IN_STUDY, *_IN_SERIES), identity.common, strict=False)
    return [(owner, tag, value) for owner, tag, value in rows if owner and value]


def _read_identity(path: Path) -> Identity:
    try:
        header = read_header(path)
        return Identity(
            str(header.get("StudyInstanceUID", "")),
            str(header.get("SeriesInstanceUID", "")),
            str(header.get("SOPInstanceUID", "")),
            header.numbers("ImagePositionPatient"),
            tuple(round(x, 3) for x in header.numbers("ImageOrientationPatient")),
            tuple(str(header.get(tag, "")).strip() for tag in (*_IN_STUDY, *_IN_SERIES)),
        )
    except InputError:
        return _read_identity_leniently(path)


def _read_identity_leniently(path: Path) -> Identity:
    try:
        root = read_tree(path).dataset
    except InputError:
        return Identity()
    return Identity(
        root.text(_STUDY),
        root.text(_SERIES),
        root.text(_INSTANCE),
        root.numbers(_POSITION),
        tuple(round(x, 3) for x in root.numbers(_ORIENTATION)),
    )


def _digest_content(path: Path) -> str:
    """Return a digest of the data set that does not depend on how it is encoded."""
    try:
        tree = read_tree(path)
        mend_structure(tree)
    except InputError:
        return str(path)
    digest = hashlib.sha256()
    for part in encode_item(tree.dataset, tree.data):
        digest.update(part)
    return digest.hexdigest()


def _distance_along_normal(
    a: Sequence[float], b: Sequence[float], orientation: Sequence[float]
) -> float:
    row, column = orientation[:3], orientation[3:]
    normal = (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )
    return abs(sum(n * (y - x) for n, x, y in zip(normal, a, b, strict=True)))
