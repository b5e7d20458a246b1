import subprocess
import sys
import zipfile

import pytest

from imgconv.entry_points import iter_entry_points

GROUP = "imgconv.formats.v1"
DECLARED = f"[{GROUP}]\npgm = plugin:SPEC\n"


def names(group=GROUP) -> list[str]:
    return [entry.name for entry in iter_entry_points(group)]


@pytest.mark.parametrize("kind", ["plugin-1.0.dist-info", "plugin.egg-info"])
def test_an_installed_plugin_is_found(tmp_path, monkeypatch, kind):
    info = tmp_path / kind
    info.mkdir()
    (info / "entry_points.txt").write_text(DECLARED)
    (info / ("METADATA" if "dist" in kind else "PKG-INFO")).write_text("Name: plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "pgm" in names()
    assert "pgm" not in names("imgconv.rules.v1")


def test_a_plugin_within_an_archive_is_found(tmp_path, monkeypatch):
    archive = tmp_path / "plugin.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("plugin-1.0.dist-info/entry_points.txt", DECLARED)
        file.writestr("plugin-1.0.dist-info/METADATA", "Name: plugin\n")
    monkeypatch.syspath_prepend(str(archive))
    assert "pgm" in names()


def test_a_plugin_of_a_finder_of_its_own_is_found(monkeypatch):
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            return None

        @staticmethod
        def find_distributions(context):
            from importlib.metadata import Distribution

            class Found(Distribution):
                def read_text(self, filename):
                    return {"entry_points.txt": DECLARED, "METADATA": "Name: p\n"}.get(filename)

                def locate_file(self, path):
                    return path

            yield Found()

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert "pgm" in names()


def test_without_a_plugin_no_distribution_is_read():
    script = """
import sys
from imgconv.entry_points import iter_entry_points
assert list(iter_entry_points("imgconv.none.v1")) == []
assert "importlib.metadata" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)
