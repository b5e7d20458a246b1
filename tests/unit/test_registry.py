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
def plugins(monkeypatch, tmp_path):
    """Install a distribution with entry points for the time of a test."""

    def install(*names):
        info = tmp_path / "plugin-1.0.dist-info"
        info.mkdir()
        lines = (f"{name} = {__name__}:{name}\n" for name in names)
        (info / "entry_points.txt").write_text("[imgconv.formats.v1]\n" + "".join(lines))
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
        monkeypatch.syspath_prepend(str(tmp_path))

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

    monkeypatch.setattr("imgconv.registry.iter_entry_points", fail)
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
