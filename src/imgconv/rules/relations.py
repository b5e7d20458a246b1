"""Family X: what must be the same in a series, a study, a set.

Source
------
PS3.3 A.1.2 (the information model: one patient per study, one device per series)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from imgconv.dicom.elements import format_tag
from imgconv.rules.instance import name_tag
from imgconv.rules.record_store import RecordStore
from imgconv.rules.records import (
    COMPARED,
    EMPTY,
    PATIENT_TAGS,
    SERIES_TAGS,
    STUDY_TAGS,
    Record,
    SeriesRecords,
    StudyRecords,
)
from imgconv.rules.relation_hit import RelationHit

__all__ = ["check_series", "check_set", "check_study"]

_PLACES = {tag: number for number, tag in enumerate(COMPARED)}
_SERIES_LISTS, _FRAMES = ("(0008,1115)", "(3006,0014)"), "(3006,0010)"
_MODALITY, _FRAME_OF_REFERENCE, _INDICATOR = 0x00080060, 0x00200052, 0x00201040
_OWN_RULES = {_MODALITY: "X005", _FRAME_OF_REFERENCE: "X004", _INDICATOR: "X004"}
_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Images that scanners mix in a series because each has one kind of pixels or of geometry:
# ultrasound (still, clip, volume), angiography and fluoroscopy, secondary capture.
_MIXABLE = (
    frozenset(_STORAGE + n for n in ("3", "3.1", "6", "6.1", "6.2")),
    frozenset(_STORAGE + n for n in ("12.1", "12.1.1", "12.2", "12.2.1", "13.1.1")),
    frozenset(_STORAGE + n for n in ("7", "7.1", "7.2", "7.3", "7.4")),
)


def check_series(series: SeriesRecords) -> Iterator[RelationHit]:
    """Check what is one in a series (X003, X004, X005, X007, X015)."""
    if not series.uid:
        return
    for tag in SERIES_TAGS:
        odd = _find_odd(series.records, tag)
        if odd is None:
            continue
        rule = _OWN_RULES.get(tag, "X003")
        is_mild = tag == _INDICATOR or not _has_neighbour(odd, series.records)
        severity = "warning" if is_mild else ""
        message = f"{name_tag(tag)} differs within the series"
        yield RelationHit(rule, message, odd.path, format_tag(tag), severity)
    yield from _check_classes(series.records)
    numbers: dict[tuple[str, str], str] = {}
    for record in series.records:
        key = (record.number, record.sop_class)
        if record.number and key in numbers:
            message = "InstanceNumber stands twice in the series"
            yield RelationHit("X007", message, record.path, "(0020,0013)")
            break
        numbers[key] = record.path


def _check_classes(records: Sequence[Record]) -> Iterator[RelationHit]:
    """Check that the images of a series are of one class, or of classes that go together (X015)."""
    counts = Counter(record.sop_class for record in records if record.is_image)
    if len(counts) < 2 or any(counts.keys() <= mixable for mixable in _MIXABLE):
        return
    usual = counts.most_common(1)[0][0]
    odd = next(record for record in records if record.is_image and record.sop_class != usual)
    message = "SOPClassUID differs within the series"
    yield RelationHit("X015", message, odd.path, "(0008,0016)")


def _has_neighbour(odd: Record, records: Sequence[Record]) -> bool:
    """Whether a file that differs lies in the folder of another one.

    Alone in a folder it is more likely a copy in another data set than a mistake.
    """
    folder = PurePath(odd.path).parent
    return any(r is not odd and PurePath(r.path).parent == folder for r in records)


def check_study(study: StudyRecords) -> Iterator[RelationHit]:
    """Check patient and study attributes (X002)."""
    if not study.uid:
        return
    for tag in (*PATIENT_TAGS, *STUDY_TAGS):
        odd = _find_odd(study.records, tag)
        if odd is not None:
            message = f"{name_tag(tag)} differs within the study"
            yield RelationHit("X002", message, odd.path, format_tag(tag))
            continue
        odd = _find_odd(study.records, tag, ignored=("",))
        if odd is not None:
            message = f"{name_tag(tag)} is empty in some files of the study only"
            yield RelationHit("X002", message, odd.path, format_tag(tag), "warning")


def _find_odd(
    records: Sequence[Record], tag: int, ignored: tuple[str, ...] = ("", EMPTY)
) -> Record | None:
    """Return the first record whose value is not the most frequent one.

    Absent values do not count, nor do those that are there and empty, unless asked for.
    """
    place = _PLACES[tag]
    counts = Counter(r.digests[place] for r in records if r.digests[place] not in ignored)
    if len(counts) < 2:
        return None
    usual = counts.most_common(1)[0][0]
    return next(r for r in records if r.digests[place] not in (*ignored, usual))


def check_set(records: RecordStore) -> Iterator[RelationHit]:
    """Check UIDs, references and patients over all files (X001, X006, X008 to X010, X013, X016)."""
    for path, first in records.iter_duplicates():
        message = "SOPInstanceUID is the same as another file's"
        severity = "" if PurePath(path).parent == PurePath(first).parent else "warning"
        yield RelationHit("X001", message, path, "(0008,0018)", severity)
    for path in records.iter_split_series():
        message = "SeriesInstanceUID belongs to several studies"
        yield RelationHit("X006", message, path, "(0020,000E)")
    for path, place, named, actual, series, actual_series in records.iter_references():
        if actual is None:
            place = place.replace("(0008,1150)", "(0008,1155)")  # noqa: PLW2901
            message = "the referenced instance is not in the set"
            yield RelationHit("X008", message, path, place)
        elif named and named != actual:
            message = "ReferencedSOPClassUID is not the class of the referenced instance"
            yield RelationHit("X009", message, path, place)
        if series and actual_series and series != actual_series:
            message = "SeriesInstanceUID of the list is not the series of the referenced instance"
            yield RelationHit("X010", message, path, _series_place(place))
    for path, place in records.iter_foreign_frames():
        message = "FrameOfReferenceUID is not that of the referenced image"
        yield RelationHit("X016", message, path, _frame_place(place))
    for identities in records.iter_patients():
        for tag in PATIENT_TAGS:
            odd = _find_odd(identities, tag)
            if odd is not None:
                message = f"{name_tag(tag)} differs for one PatientID"
                yield RelationHit("X013", message, odd.path, format_tag(tag))


def _frame_place(place: str) -> str:
    """Return the path of the frame of reference in which a reference stands."""
    first = place.split(".", 1)[0]
    return f"{first}.(0020,0052)" if first.startswith(_FRAMES) else "(0020,0052)"


def _series_place(place: str) -> str:
    """Return the path of the series of the list in which a reference stands."""
    steps = place.split(".")
    depth = max(n for n, step in enumerate(steps) if step.startswith(_SERIES_LISTS))
    return ".".join((*steps[: depth + 1], "(0020,000E)"))
