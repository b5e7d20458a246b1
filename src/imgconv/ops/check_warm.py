"""Load what every worker of `ops.validate` needs: tables of the standard, rules, default profile.

Imported once by the server from which worker processes are forked, so that each finds it done.
"""

from __future__ import annotations

from contextlib import suppress

from imgconv.errors import ImgconvError
from imgconv.ops.check_files import CheckPlan, load_plan
from imgconv.rules.plan import find_plan
from imgconv.standard.iods import find_value_tags, is_retired
from imgconv.standard.sop_classes import find_name

__all__: list[str] = []

_COMMON_IODS = ("ct-image", "mr-image")

# A broken plug-in is told of by the run itself, not here.
with suppress(ImgconvError):
    load_plan(CheckPlan())
is_retired(0)
find_value_tags()
find_name("")
for _iod in _COMMON_IODS:
    find_plan(_iod)
