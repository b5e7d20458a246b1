import dataclasses

import pytest
from tests.unit.rules import objects

from imgconv.rules.record_store import RecordStore, pack_record
from imgconv.rules.records import COMPARED, PATIENT_TAGS, make_record


@pytest.fixture
def record(tmp_path):
    return make_record(objects.make_instance(objects.report(), tmp_path), b"secret")


def vary(record, path, **attributes):
    """Return a record with another path; `digest=(place, text)` changes a digest."""
    place, text = attributes.pop("digest", (None, ""))
    digests = list(record.digests)
    if place is not None:
        digests[place] = text
    return dataclasses.replace(record, path=path, digests=tuple(digests), **attributes)


def store_of(*records):
    store = RecordStore()
    for one in records:
        store.add(one)
    return store


def paths(records):
    return [one.path for one in records]


def test_a_store_gives_back_what_it_keeps(record):
    with store_of(record) as store:
        (series,) = store.iter_series()
        assert list(series.records) == [record]
        assert [row[3:] for row in store.iter_references()] == [
            (None, f"{objects.ROOT}.3", None),
            (None, "", None),
        ]


def test_a_store_takes_what_a_worker_has_packed(record):
    placed = dataclasses.replace(record, position=(0.1, -2.5, 3e-7), thickness=None, is_image=True)
    with store_of(pack_record(placed)) as store:
        (series,) = store.iter_series()
        assert list(series.records) == [placed]


def test_a_store_leaves_nothing_behind(record):
    store = store_of(record)
    path = store._path
    store.close()
    assert not path.exists()


def test_files_of_a_study_that_agree_are_one_record_that_of_the_first_file(record):
    accession = COMPARED.index(0x00080050)
    modality = COMPARED.index(0x00080060)
    with store_of(
        vary(record, "c", digest=(accession, "other")),
        vary(record, "b", digest=(modality, "other")),
        vary(record, "a"),
        vary(record, "d", digest=(accession, "other")),
        vary(record, "e", study="2"),
    ) as store:
        studies = list(store.iter_studies())
    assert [study.uid for study in studies] == [record.study, "2"]
    assert paths(studies[0].records) == ["a", "c"]


def test_files_of_a_patient_that_agree_are_one_record_that_of_the_first_file(record):
    name = COMPARED.index(PATIENT_TAGS[0])
    accession = COMPARED.index(0x00080050)
    with store_of(
        vary(record, "d", digest=(name, "other")),
        vary(record, "c", patient="0"),
        vary(record, "b", digest=(accession, "other")),
        vary(record, "a", study="2"),
        vary(record, "e", patient=""),
    ) as store:
        patients = list(store.iter_patients())
    assert sorted(map(paths, patients)) == [["a", "d"], ["c"]]


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("series", [["a", "d"], ["b"], ["c"], ["e"]]),
        ("study", [["a", "b", "d"], ["c"], ["e"]]),
        ("patient", [["a", "c", "d"], ["b", "e"]]),
    ],
)
def test_groups_come_in_the_order_of_their_files(record, level, expected):
    with store_of(
        vary(record, "e", study="3", patient="other"),
        vary(record, "d"),
        vary(record, "c", study="2"),
        vary(record, "b", series="2", patient="other"),
        vary(record, "a"),
    ) as store:
        assert [paths(group) for group in store.iter_groups(level)] == expected
