import pytest
from tests.unit.rules import objects

from imgconv.rules.records import RecordStore, digest_value, make_record


@pytest.fixture
def record(tmp_path):
    return make_record(objects.make_instance(objects.report(), tmp_path), b"secret")


def test_a_record_holds_no_identifying_value(record):
    assert "Roe" not in repr(record)
    assert "P1" not in repr(record)


def test_digests_depend_on_the_secret():
    assert digest_value("a", b"1") == digest_value("a", b"1") != digest_value("a", b"2")
    assert digest_value("", b"1") == ""


def test_a_store_gives_back_what_it_keeps(record):
    with RecordStore() as store:
        store.add(record)
        (series,) = store.iter_series()
        assert list(series.records) == [record]
        assert [row[3:] for row in store.iter_references()] == [
            (None, f"{objects.ROOT}.3", None),
            (None, "", None),
        ]


def test_a_store_leaves_nothing_behind(record):
    store = RecordStore()
    store.add(record)
    path = store._path
    store.close()
    assert not path.exists()
