"""What is kept of each file for the rules about series, studies and sets.

A record holds digests instead of values: they show that two values differ, not
what they are. `RecordStore` keeps the records in a database on the disk, so
that memory does not grow with the number of files.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from imgconv.dicom.elements import Element, Item
from imgconv.errors import OutputError
from imgconv.rules.instance import Instance

__all__ = [
    "COMPARED",
    "Record",
    "RecordStore",
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
    *(0x00181020, 0x00200052, 0x00201040),
)
COMPARED = (*PATIENT_TAGS, *STUDY_TAGS, *SERIES_TAGS)
# What tells the volumes of a series apart: echo, time, phase, diffusion, contrast, type.
_VOLUME_TAGS = (
    *(0x00080008, 0x00180081, 0x00180086, 0x00200100, 0x00181060, 0x00189087, 0x00189089),
    *(0x00200012, 0x00080032, 0x0008002A, 0x00080033, 0x00180082, 0x00180080),
    *(0x00540081, 0x00541330, 0x00541300, 0x00181210, 0x00180024, 0x0019100C),
    *(0x00431039, 0x20011003, 0x20051429, 0x00281052, 0x00180060, 0x00181030, 0x20050011),
)
# Referenced Series, RT Referenced Series: their items name a series and instances of it.
_SERIES_LISTS = frozenset({0x00081115, 0x30060014})
_FRAME_OF_REFERENCE, _FRAMES_OF_REFERENCE = 0x00200052, 0x30060010
_SOURCE_IMAGES, _ROWS = 0x00082112, 0x00280010
_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Objects that lie in the frame of reference of the images that they are made of.
_SEGMENTATIONS = frozenset({_STORAGE + "66.4", _STORAGE + "66.7"})
_DOSE, _STRUCTURE_SET = _STORAGE + "481.2", _STORAGE + "481.3"
_SECRET = os.urandom(16)


@dataclass(frozen=True, slots=True)
class Record:
    """One file, as far as rules about several files need it.

    `digests` has one entry per tag of `COMPARED`, empty where the value is
    absent or empty. `volume` is the digest of what tells the volumes of a
    series apart. `references` are (tag path, SOP class, SOP instance, series that it is
    said to be in, digest of the frame of reference that it should have or nothing). `extras`
    is what the group rules of profiles compare.
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
        digests=tuple(
            digest_value(_join(elements.get(tag)).strip(" ^="), secret) for tag in COMPARED
        ),
        references=_find_references(instance, secret),
        extras=extras,
        location=dataset.number(0x00201041),
        is_image=_ROWS in elements,
    )


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
        return instance.dataset.text(_FRAME_OF_REFERENCE)
    around: Item | None = item if sop_class == _STRUCTURE_SET else None
    while around is not None and around.parent is not None:
        if around.tag == _FRAMES_OF_REFERENCE:
            return around.text(_FRAME_OF_REFERENCE)
        around = around.parent
    return ""


@dataclass(frozen=True, slots=True)
class SeriesRecords:
    """The files of one series."""

    uid: str
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class StudyRecords:
    """One record per distinct set of digests of one study."""

    uid: str
    records: Sequence[Record]


class PackedRecord(NamedTuple):
    """A record as the rows of a `RecordStore`: made by workers, cheap to hand over."""

    row: tuple[str, ...]
    references: list[tuple[str, str, str, str, str, str]]


_FIELDS = tuple(field.name for field in fields(Record))


def pack_record(record: Record) -> PackedRecord:
    """Return the rows that keep a record."""
    body = json.dumps([getattr(record, name) for name in _FIELDS])
    return PackedRecord(
        (
            *(record.sop_instance, record.sop_class, record.series, record.study),
            *(record.path, record.patient, _frame_of(record), body),
        ),
        [
            (uid, sop_class, record.path, place, series, frame)
            for place, sop_class, uid, series, frame in record.references
        ],
    )


def _frame_of(record: Record) -> str:
    place = COMPARED.index(_FRAME_OF_REFERENCE)
    return record.digests[place] if len(record.digests) > place else ""


_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE record
    (sop TEXT, class TEXT, series TEXT, study TEXT, path TEXT, patient TEXT, frame TEXT, body TEXT);
CREATE TABLE reference (sop TEXT, class TEXT, path TEXT, place TEXT, series TEXT, frame TEXT);
"""
_INDEXES = """
CREATE INDEX by_series ON record (study, series); CREATE INDEX by_sop ON record (sop);
"""


class RecordStore:
    """Records of all files, on the disk; gone when it is closed."""

    def __init__(self) -> None:
        try:
            handle, name = tempfile.mkstemp(prefix="imgconv-", suffix=".records")
            os.close(handle)
            self._path = Path(name)
            self._base = sqlite3.connect(name)
            self._base.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise OutputError("no room for the temporary records of a run") from error
        self._indexed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_details: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the records."""
        self._base.close()
        with suppress(OSError):
            self._path.unlink()

    def add(self, record: Record | PackedRecord) -> None:
        """Keep one record."""
        packed = pack_record(record) if isinstance(record, Record) else record
        try:
            self._base.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", packed.row)
            self._base.executemany(
                "INSERT INTO reference VALUES (?, ?, ?, ?, ?, ?)", packed.references
            )
        except sqlite3.Error as error:
            raise OutputError("no room for the temporary records of a run") from error

    def _rows(self, query: str, *values: str) -> Iterator[Any]:  # columns as the query says
        if not self._indexed:
            self._base.executescript(_INDEXES)
            self._indexed = True
        yield from self._base.execute(query, values)

    def iter_series(self) -> Iterator[SeriesRecords]:
        """Iterate over the series, one in memory at a time, in the order of their files."""
        groups = "SELECT study, series FROM record GROUP BY study, series ORDER BY min(path)"
        for study, series in list(self._rows(groups)):
            query = "SELECT body FROM record WHERE study = ? AND series = ? ORDER BY path"
            records = [_revive(body) for (body,) in self._rows(query, study, series)]
            yield SeriesRecords(series, records)

    def iter_groups(self, level: str) -> Iterator[list[Record]]:
        """Iterate over the files of each series, study or patient."""
        columns = {"series": "study, series", "study": "study", "patient": "patient"}[level]
        groups = f"SELECT {columns} FROM record GROUP BY {columns} ORDER BY min(path)"  # noqa: S608
        condition = " AND ".join(f"{name.strip()} = ?" for name in columns.split(","))
        query = f"SELECT body FROM record WHERE {condition} ORDER BY path"  # noqa: S608  fixed names
        for key in list(self._rows(groups)):
            yield [_revive(body) for (body,) in self._rows(query, *key)]

    def iter_studies(self) -> Iterator[StudyRecords]:
        """Iterate over the studies; files that agree in all digests are one record."""
        groups = "SELECT study FROM record GROUP BY study ORDER BY min(path)"
        for (study,) in list(self._rows(groups)):
            query = "SELECT body FROM record WHERE study = ? ORDER BY path"
            kept: dict[tuple[str, ...], Record] = {}
            for (body,) in self._rows(query, study):
                record = _revive(body)
                kept.setdefault(record.digests[: len(PATIENT_TAGS) + len(STUDY_TAGS)], record)
            yield StudyRecords(study, list(kept.values()))

    def iter_duplicates(self) -> Iterator[tuple[str, str]]:
        """Iterate over (path, path of the first) of files that share a SOP Instance UID."""
        query = (
            "SELECT record.path, first.path FROM record JOIN "
            "(SELECT sop, min(path) AS path FROM record WHERE sop != '' GROUP BY sop "
            "HAVING count(*) > 1) AS first ON record.sop = first.sop "
            "WHERE record.path != first.path ORDER BY record.path"
        )
        yield from self._rows(query)

    def iter_split_series(self) -> Iterator[str]:
        """Iterate over a path of each series that belongs to several studies."""
        query = (
            "SELECT max(path) FROM record WHERE series != '' GROUP BY series "
            "HAVING count(DISTINCT study) > 1"
        )
        for (path,) in self._rows(query):
            yield path

    def iter_references(self) -> Iterator[tuple[str, str, str, str | None, str, str | None]]:
        """Iterate over (path, place, named class, class of the target or None, the same of series).

        The place is that of the class.
        """
        query = (
            "SELECT reference.path, place, reference.class, record.class, reference.series, "
            "record.series FROM reference "
            "LEFT JOIN record ON record.sop = reference.sop ORDER BY reference.path, place"
        )
        yield from self._rows(query)

    def iter_foreign_frames(self) -> Iterator[tuple[str, str]]:
        """Iterate over (path, place) of objects in another frame of reference than their images.

        Each file comes once, with the first such reference.
        """
        query = (
            "SELECT reference.path, min(place) FROM reference "
            "JOIN record ON record.sop = reference.sop "
            "WHERE reference.frame != '' AND record.frame != '' "
            "AND reference.frame != record.frame GROUP BY reference.path ORDER BY reference.path"
        )
        yield from self._rows(query)

    def iter_patients(self) -> Iterator[list[Record]]:
        """Iterate over the records of each patient, one per distinct identity."""
        query = "SELECT DISTINCT patient FROM record WHERE patient != ''"
        for (patient,) in list(self._rows(query)):
            rows = self._rows("SELECT body FROM record WHERE patient = ? ORDER BY path", patient)
            kept: dict[tuple[str, ...], Record] = {}
            for (body,) in rows:
                record = _revive(body)
                kept.setdefault(record.digests[: len(PATIENT_TAGS)], record)
            yield list(kept.values())


def _revive(body: str) -> Record:
    values: list[Any] = [
        tuple(tuple(v) if isinstance(v, list) else v for v in value)
        if isinstance(value, list)
        else value
        for value in json.loads(body)
    ]
    return Record(*values)
