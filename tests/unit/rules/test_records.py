import pytest
from tests.unit.rules import objects

from imgconv.rules.records import digest_value, make_record


@pytest.fixture
def record(tmp_path):
    return make_record(objects.make_instance(objects.report(), tmp_path), b"secret")


def test_a_record_holds_no_identifying_value(record):
    assert "Roe" not in repr(record)
    assert "P1" not in repr(record)


def test_digests_depend_on_the_secret():
    assert digest_value("a", b"1") == digest_value("a", b"1") != digest_value("a", b"2")
    assert digest_value("", b"1") == ""
