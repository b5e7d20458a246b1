import sys
import zipfile

import pytest

from imgconv.errors import InternalError
from imgconv.resources import read_resource


def test_a_resource_is_read():
    assert b"dicom" in read_resource("imgconv.profiles.data", "dicom.toml")
    assert read_resource("imgconv.standard", "_generated/codes.json").startswith(b"{")


def test_a_resource_is_read_out_of_an_archive(tmp_path, monkeypatch):
    archive = tmp_path / "plugin.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_plugin/__init__.py", "")
        file.writestr("zipped_plugin/site.yaml", "profile: site\n")
    monkeypatch.syspath_prepend(str(archive))
    assert read_resource("zipped_plugin", "site.yaml") == b"profile: site\n"
    sys.modules.pop("zipped_plugin", None)


def test_a_missing_resource_is_told():
    with pytest.raises(InternalError, match=r"`none\.yaml` is missing"):
        read_resource("imgconv.profiles.data", "none.yaml")
    with pytest.raises(InternalError, match="gives no data"):
        read_resource("no_such_package_at_all", "none.yaml")
