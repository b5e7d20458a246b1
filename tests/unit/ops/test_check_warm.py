import subprocess
import sys

SCRIPT = """
import imgconv.ops.check_warm
from imgconv.ops.check_files import CheckPlan, load_plan
from imgconv.rules.plan import find_plan
before = find_plan.cache_info().misses
find_plan("ct-image")
assert find_plan.cache_info().misses == before
load_plan(CheckPlan())
assert load_plan.cache_info().hits == 1
"""


def test_importing_it_loads_tables_and_rules():
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)
