import subprocess
import sys

import pytest

import imgconv


@pytest.mark.parametrize("name", sorted(set(imgconv.__all__) - {"__version__"}))
def test_public_name_is_found_and_documented(name):
    found = getattr(imgconv, name)
    assert found.__name__ == name
    assert found.__doc__
    assert name in found.__module__.split(".") or name in sys.modules[found.__module__].__all__


def test_all_lists_what_is_there():
    assert set(imgconv.__all__) == {*imgconv._HOMES, "__version__"}
    assert set(imgconv.__all__) <= set(dir(imgconv))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing"):
        _ = imgconv.nothing


def test_import_finds_no_library_before_a_name_is_used():
    script = "import imgconv, sys; assert 'numpy' not in sys.modules; imgconv.Image; import numpy"
    subprocess.run([sys.executable, "-c", script], check=True)
