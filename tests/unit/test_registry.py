from importlib.metadata import EntryPoint, EntryPoints

import pytest

from imgconv.errors import UsageError
from imgconv.registry import Registry
from imgconv.spec import FormatSpec

OTHER = FormatSpec("other", "Other", (".oth",), provider="someone")
CLASH = FormatSpec("nifti", "Not ours", (".nii",), provider="someone")
NOT_A_SPEC = 42


def make_registry():
    return Registry("formats", "imgconv.formats._table:FORMATS", "name", "imgconv.spec:FormatSpec")


@pytest.fixture
def plugins(monkeypatch):
    """Install entry points for the time of a test."""

    def install(*names):
        points = EntryPoints(
            EntryPoint(name, f"{__name__}:{name}", "imgconv.formats.v1") for name in names
        )
        monkeypatch.setattr(
            "importlib.metadata.entry_points", lambda group: points.select(group=group)
        )

    monkeypatch.setitem(__import__("sys").modules, __name__, __import__("sys").modules[__name__])
    return install


def test_get_finds_our_own():
    assert make_registry().get("nifti").provider == "imgconv"


def test_get_of_an_unknown_name_lists_the_known(plugins):
    plugins()
    with pytest.raises(UsageError, match=r"unknown format `foo`; known: .*nifti"):
        make_registry().get("foo")


def test_own_does_not_scan_entry_points(monkeypatch):
    def fail(group):
        raise AssertionError(group)

    monkeypatch.setattr("importlib.metadata.entry_points", fail)
    registry = make_registry()
    assert registry.find("nifti") is not None
    assert registry.own()


def test_ours_win_a_clash_of_names(plugins):
    plugins("CLASH", "OTHER")
    registry = make_registry()
    found = {spec.name: spec for spec in registry}
    assert found["nifti"].provider == "imgconv"
    assert found["other"] is OTHER


def test_a_broken_plug_in_is_told_and_stops_nothing(plugins):
    plugins("MISSING", "NOT_A_SPEC", "OTHER")
    registry = make_registry()
    assert registry.get("other") is OTHER
    assert len(registry.problems) == 2
    assert "`MISSING` cannot be loaded" in registry.problems[0]
    assert "gave `int`" in registry.problems[1]
