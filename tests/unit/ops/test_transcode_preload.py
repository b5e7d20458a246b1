"""Tests of what workers import before their first file."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from imgconv.ops.transcode_preload import preload_for
from imgconv.standard.transfer_syntaxes import BY_UID


@pytest.mark.parametrize("family", sorted({syntax.family for syntax in BY_UID.values()}))
def test_preload_for_names_modules_that_exist(family: str) -> None:
    syntax = next(one for one in BY_UID.values() if one.family == family)
    for name in preload_for(syntax):
        importlib.import_module(name)


def test_module_is_light() -> None:
    code = "import sys, imgconv.ops.transcode_preload; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
