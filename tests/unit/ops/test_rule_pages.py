from pathlib import Path

from imgconv.ops import rule_pages

DOCS = Path(__file__).parents[3] / "docs" / "validate"


def test_pages_are_up_to_date():
    assert rule_pages.main([str(DOCS), "--check"]) == 0, "run `make rule-pages`"


def test_stale_pages_are_noticed(tmp_path):
    assert rule_pages.main([str(tmp_path), "--check"]) == 1
    assert rule_pages.main([str(tmp_path)]) == 0
    assert rule_pages.main([str(tmp_path), "--check"]) == 0
