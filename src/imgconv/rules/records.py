"""What is kept of each file for the rules about series, studies and sets.

A record holds digests instead of values: they show that two values differ, not
what they are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import lru_cache

from imgconv.dicom.elements import Element, Item
from imgconv.records import record
from imgconv.rules.instance import Instance

__all__ = [
    "COMPARED",
    "EMPTY",
    "FRAME_OF_REFERENCE",
    "PATIENT_TAGS",
    "SERIES_TAGS",
    "STUDY_TAGS",
    "Record",
    "SeriesRecords",
    "StudyRecords",
    "digest_value",
    "make_record",
]

# Attributes whose equality is checked: patient and study, series and equipment.
PATIENT_TAGS = (0x00100010, 0x00100020, 0x00100030, 0x00100040)
STUDY_TAGS = (0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00200010, 0x00081030)
SERIES_TAGS = (
    *(0x00080060, 0x00200011, 0x00200060, 0x00080021, 0x00080031, 0x00181030, 0x0008103E),
    *(0x00180015, 0x00185100, 0x00080070, 0x00080080, 0x00081010, 0x00081090, 0x00181000),
    *(0x00181020, 0x00200052, 0x00201040, 0x00541001, 0x00541102, 0x00541000, 0x00541002),
)
COMPARED = (*PATIENT_TAGS, *STUDY_TAGS, *SERIES_TAGS)
EMPTY = "-"  # the digest of an attribute of patient or study that is there, and unknown
_MAY_BE_UNKNOWN = frozenset({*PATIENT_TAGS, *STUDY_TAGS})
# What tells the volumes of a series apart: echo, time, phase, diffusion, contrast, type.
_VOLUME_TAGS = (
    *(0x00080008, 0x00180081, 0x00180086, 0x00200100, 0x00181060, 0x00189087, 0x00189089),
    *(0x00200012, 0x00080032, 0x0008002A, 0x00080033, 0x00180082, 0x00180080),
    *(0x00540081, 0x00541330, 0x00541300, 0x00181210, 0x00180024, 0x0019100C),
    *(0x00431039, 0x20011003, 0x20051429, 0x00281052, 0x00180060, 0x00181030, 0x20050011),
)
# Referenced Series, RT Referenced Series: their items name a series and instances of it.
_SERIES_LISTS = frozenset({0x00081115, 0x30060014})
FRAME_OF_REFERENCE = 0x00200052
_FRAMES_OF_REFERENCE = 0x30060010
_SOURCE_IMAGES, _ROWS = 0x00082112, 0x00280010
_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Objects that lie in the frame of reference of the images that they are made of.
_SEGMENTATIONS = frozenset({_STORAGE + "66.4", _STORAGE + "66.7"})
_DOSE, _STRUCTURE_SET = _STORAGE + "481.2", _STORAGE + "481.3"
_SECRET = os.urandom(16)


@record
class Record:
    """One file, as far as rules about several files need it.

    `digests` has one entry per tag of `COMPARED`, empty where the value is absent or
    empty (`EMPTY` where it is empty, for patient and study). `volume` is the digest of what
    tells the volumes of a series apart. `references` are (tag path, SOP class, SOP instance,
    series that it is said to be in, digest of the frame of reference that it should have or
    nothing). `extras` is what the group rules of profiles compare.
    """

    path: str
    sop_class: str
    sop_instance: str
    series: str
    study: str
    patient: str
    number: str
    image_type: tuple[str, ...] = ()
    position: tuple[float, ...] = ()
    orientation: tuple[float, ...] = ()
    matrix: tuple[float, ...] = ()
    thickness: float | None = None
    gap: float | None = None
    frames: int = 1
    volume: str = ""
    digests: tuple[str, ...] = ()
    references: tuple[tuple[str, str, str, str, str], ...] = ()
    extras: tuple[str, ...] = ()
    location: float | None = None
    is_image: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether it has a position and an orientation."""
        return len(self.position) == 3 and len(self.orientation) == 6


def _join(element: Element | None) -> str:
    return "" if element is None else "\\".join(map(str, element.values()))


# The files of a series share most of these values.
@lru_cache(maxsize=1024)
def digest_value(text: str, secret: bytes) -> str:
    """Return a keyed digest of a value; empty for an empty one."""
    if not text:
        return ""
    return hashlib.blake2b(text.encode(), key=secret, digest_size=8).hexdigest()


def make_record(
    instance: Instance,
    secret: bytes = _SECRET,
    extras: tuple[str, ...] = (),
    *,
    path: str = "",
) -> Record:
    """Return the record of one file, called `path` if given.

    `secret` keys its digests, the same in all of a run.
    """
    dataset = instance.dataset
    numbers, text = dataset.numbers, dataset.text
    elements = dataset.elements
    volume = "\x1f".join(_join(elements.get(tag)) for tag in _VOLUME_TAGS)
    return Record(
        path=path or str(instance.tree.path),
        sop_class=instance.sop_class,
        sop_instance=text(0x00080018),
        series=text(0x0020000E),
        study=text(0x0020000D),
        patient=digest_value(text(0x00100020), secret),
        number=text(0x00200013),
        image_type=dataset.texts(0x00080008)[:4],
        position=numbers(0x00200032),
        orientation=numbers(0x00200037),
        matrix=(
            *(float(dataset.integer(tag) or 0) for tag in (_ROWS, 0x00280011)),
            *numbers(0x00280030),
        ),
        thickness=dataset.number(0x00180050),
        gap=dataset.number(0x00180088),
        frames=dataset.integer(0x00280008) or 1,
        volume=digest_value(volume, secret),
        digests=tuple(_digest(elements.get(tag), tag, secret) for tag in COMPARED),
        references=_find_references(instance, secret),
        extras=extras,
        location=dataset.number(0x00201041),
        is_image=_ROWS in elements,
    )


def _digest(element: Element | None, tag: int, secret: bytes) -> str:
    found = digest_value(_join(element).strip(" ^="), secret)
    return EMPTY if not found and element is not None and tag in _MAY_BE_UNKNOWN else found


def _find_references(
    instance: Instance, secret: bytes
) -> tuple[tuple[str, str, str, str, str], ...]:
    found = {}
    for element in instance.elements:
        if element.tag == 0x00081155 and element.item.parent is not None:
            values = element.values()
            uid = str(values[0]) if values else ""
            frame = digest_value(_frame_around(instance, element.item), secret)
            key = (element.item.text(0x00081150), uid, _series_around(element.item), frame)
            if uid and key not in found:
                found[key] = element.item.path_to(0x00081150)
    return tuple((path, *key) for key, path in found.items())


def _series_around(item: Item) -> str:
    """Return the series that the list around a reference names, empty if there is none."""
    around: Item | None = item
    while around is not None and around.parent is not None:
        if around.tag in _SERIES_LISTS:
            return around.text(0x0020000E)
        around = around.parent
    return ""


def _frame_around(instance: Instance, item: Item) -> str:
    """Return the frame of reference that a referenced instance should have, empty if any will do.

    Contours are left out: what they refer to is listed per frame of reference.
    """
    sop_class = instance.sop_class
    if sop_class == _DOSE or (sop_class in _SEGMENTATIONS and item.tag == _SOURCE_IMAGES):
        return instance.dataset.text(FRAME_OF_REFERENCE)
    around: Item | None = item if sop_class == _STRUCTURE_SET else None
    while around is not None and around.parent is not None:
        if around.tag == _FRAMES_OF_REFERENCE:
            return around.text(FRAME_OF_REFERENCE)
        around = around.parent
    return ""


@record
class SeriesRecords:
    """The files of one series."""

    uid: str
    records: Sequence[Record]


@record
class StudyRecords:
    """One record per distinct set of digests of one study."""

    uid: str
    records: Sequence[Record]
