"""The records of all files of a run, in a database on the disk.

Memory does not grow with the number of files.
"""

from __future__ import annotations

import marshal
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, Self

from imgconv.errors import OutputError
from imgconv.rules.records import (
    COMPARED,
    FRAME_OF_REFERENCE,
    PATIENT_TAGS,
    STUDY_TAGS,
    Record,
    SeriesRecords,
    StudyRecords,
)

__all__ = ["PackedRecord", "RecordStore", "pack_record"]


class PackedRecord(NamedTuple):
    """A record as the rows of a `RecordStore`: made by workers, cheap to hand over."""

    row: tuple[str | bytes, ...]
    references: list[tuple[str, str, str, str, str, str]]


_FIELDS = tuple(field.name for field in fields(Record))
_PATIENT, _STUDY = len(PATIENT_TAGS), len(PATIENT_TAGS) + len(STUDY_TAGS)
_FRAME = COMPARED.index(FRAME_OF_REFERENCE)


def pack_record(record: Record) -> PackedRecord:
    """Return the rows that keep a record."""
    digests = record.digests
    return PackedRecord(
        (
            *(record.sop_instance, record.sop_class, record.series, record.study, record.path),
            *(record.patient, " ".join(digests[:_PATIENT]), " ".join(digests[:_STUDY])),
            digests[_FRAME] if len(digests) > _FRAME else "",
            marshal.dumps([getattr(record, name) for name in _FIELDS]),
        ),
        [
            (uid, sop_class, record.path, place, series, frame)
            for place, sop_class, uid, series, frame in record.references
        ],
    )


def _revive(body: bytes) -> Record:
    return Record(*marshal.loads(body))  # noqa: S302  written by this run


_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
CREATE TABLE record
    (sop TEXT, class TEXT, series TEXT, study TEXT, path TEXT, patient TEXT,
     patient_digests TEXT, study_digests TEXT, frame TEXT, body BLOB);
CREATE TABLE reference (sop TEXT, class TEXT, path TEXT, place TEXT, series TEXT, frame TEXT);
"""
_INDEXES = """
CREATE INDEX by_series ON record (study, series); CREATE INDEX by_sop ON record (sop);
"""
_LEVELS = {"series": ("study", "series"), "study": ("study",), "patient": ("patient",)}


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
            self._base.execute(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", packed.row
            )
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
        """Iterate over the files of each series, study or patient, in the order of their files."""
        columns = _LEVELS[level]
        key = ", ".join(columns)
        query = (
            f"SELECT {key}, body FROM record JOIN "  # noqa: S608  fixed names
            f"(SELECT {key}, min(path) AS first FROM record GROUP BY {key}) USING ({key}) "
            "ORDER BY first, path"
        )
        for _, rows in groupby(self._rows(query), itemgetter(slice(len(columns)))):
            yield [_revive(body) for *_, body in rows]

    def iter_studies(self) -> Iterator[StudyRecords]:
        """Iterate over the studies; files that agree in all digests are one record."""
        groups = "SELECT study FROM record GROUP BY study ORDER BY min(path)"
        query = (  # the other columns are those of the row with the least path
            "SELECT body, min(path) AS first FROM record WHERE study = ? "
            "GROUP BY study_digests ORDER BY first"
        )
        for (study,) in list(self._rows(groups)):
            yield StudyRecords(study, [_revive(body) for body, _ in self._rows(query, study)])

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
        query = (
            "SELECT patient, body, min(path) AS first FROM record WHERE patient != '' "
            "GROUP BY patient, patient_digests ORDER BY patient, first"
        )
        for _, rows in groupby(self._rows(query), itemgetter(0)):
            yield [_revive(body) for _, body, _ in rows]
