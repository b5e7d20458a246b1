import io
import itertools
import json
import subprocess
import sys

import pytest

from imgconv.cli.progress import ProgressMode, show_progress
from imgconv.events import Event, EventKind


class Terminal(io.StringIO):
    def isatty(self):
        return True


def show(mode, events, *, stream=None, verbose=False):
    out = io.StringIO() if stream is None else stream
    with show_progress(mode, verbose=verbose, stream=out) as listener:
        for event in events:
            listener(event)
    return out.getvalue()


PHASE = Event(EventKind.PHASE, "convert", total=2)
STEPS = [
    Event(EventKind.STEP, "done", item="a", size_bytes=10),
    Event(EventKind.STEP, "failed", item="b", size_bytes=20),
]
ERROR = Event(EventKind.ERROR, "there is no pixel data", item="b.dcm", hint="do this")
WARNING = Event(EventKind.WARNING, "odd", item="a.dcm")
INFO = Event(EventKind.INFO, "detail")


def test_progress_json_tells_phases_errors_and_the_end():
    lines = show(ProgressMode.JSON, [PHASE, ERROR, *STEPS]).splitlines()
    phase, error, progress = map(json.loads, lines)
    assert phase == {"event": "phase", "phase": "convert", "total": 2}
    assert error == {
        "event": "error",
        "item": "b.dcm",
        "message": "there is no pixel data",
        "hint": "do this",
    }
    assert (progress["done"], progress["total"], progress["failed"]) == (2, 2, 1)
    assert progress["size_bytes"] == 30
    assert progress["eta_s"] == 0
    assert progress["items_per_s"] > 0


def test_progress_auto_says_nothing_about_a_short_run():
    assert show(ProgressMode.AUTO, [PHASE, *STEPS]) == ""


def test_progress_auto_writes_json_lines_for_a_long_run(monkeypatch):
    monkeypatch.setattr("imgconv.cli.progress._QUIET_S", 0)
    monkeypatch.setattr("imgconv.cli.progress._EVERY_S", 0)
    lines = show(ProgressMode.AUTO, [PHASE, *STEPS, WARNING]).splitlines()
    assert [json.loads(line)["done"] for line in lines[:2]] == [1, 2]
    assert lines[2] == "warning: a.dcm: odd"


def test_progress_auto_becomes_seldom_in_a_long_run(monkeypatch):
    clock = iter(range(1, 100_000))
    monkeypatch.setattr("imgconv.cli.progress.time.monotonic", lambda: next(clock))
    lines = show(ProgressMode.AUTO, [PHASE, *STEPS * 300]).splitlines()
    done = [json.loads(line)["done"] for line in lines]
    pauses = [later - earlier for earlier, later in itertools.pairwise(done)]
    assert pauses == sorted(pauses)
    assert len(done) < 40


@pytest.mark.parametrize("mode", [ProgressMode.AUTO, ProgressMode.NONE])
def test_progress_errors_are_for_people_and_each_hint_comes_once(mode):
    text = show(mode, [PHASE, ERROR, ERROR, WARNING, INFO])
    error = "error: b.dcm: there is no pixel data\n"
    assert text == f"{error}hint: do this\n{error}warning: a.dcm: odd\n"


def test_progress_details_only_if_asked():
    assert show(ProgressMode.NONE, [INFO], verbose=True) == "info: detail\n"


def test_progress_escapes_what_could_drive_the_terminal():
    text = show(ProgressMode.NONE, [Event(EventKind.WARNING, "odd", item="\x1b[2J.dcm")])
    assert text == "warning: \\x1b[2J.dcm: odd\n"


def test_progress_bar_on_a_terminal():
    odd = Event(EventKind.WARNING, "odd", item="[red]a")
    text = show(ProgressMode.AUTO, [PHASE, STEPS[0], odd, ERROR, STEPS[1]], stream=Terminal())
    assert "convert" in text
    assert "2/2" in text
    assert "MB/s 1 failed" in text
    assert "warning: [red]a: odd" in text
    assert "error: b.dcm: there is no pixel data" in text


def test_progress_imports_rich_only_for_a_bar():
    code = (
        "import sys\n"
        "from imgconv.cli.progress import show_progress\n"
        "with show_progress() as listener: pass\n"
        "sys.exit('rich' in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.PIPE)
