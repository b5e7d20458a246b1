import json
from pathlib import Path

import pytest

from imgconv.cli.render import print_json, print_lines, print_table, show_convert_report
from imgconv.core.loss import Loss
from imgconv.errors import CorruptData
from imgconv.ops.report import ConvertReport, FileOutcome, Status, VolumeOutcome


def make_report():
    loss = Loss("padding", "the padding value is not kept", False)
    volume = VolumeOutcome(
        "a", Status.CONVERTED, ("in/1", "in/2"), (Path("out/a.nii"),), {"shape": [2, 3, 4]}, (loss,)
    )
    error = CorruptData("bad", path="in/x/3", hint="mend it")
    files = [FileOutcome(f"in/{n}", Status.CONVERTED, "", ("a",)) for n in (1, 2)]
    files.append(FileOutcome("in/x/3", Status.FAILED, "bad", error=error))
    return ConvertReport((volume,), tuple(files))


def show(capsys, report, **more):
    show_convert_report(report, **{"json": False, "quiet": False, "verbose": False, **more})
    return capsys.readouterr()


def test_report_groups_files_of_one_fate_and_names_losses(capsys):
    out, err = show(capsys, make_report())
    assert out.splitlines() == [
        "inputs below in/",
        "",
        "input  files  status     shape  output or reason",
        "*      2      converted  2x3x4  out/a.nii",
        "x/3    1      failed            bad",
        "note: a: the padding value is not kept [padding]",
    ]
    assert err == "error: in/x/3: bad\nhint: mend it\n"


def test_report_quiet_prints_errors_only(capsys):
    out, err = show(capsys, make_report(), quiet=True)
    assert out == ""
    assert err.startswith("error: ")


def test_report_as_json_is_one_document(capsys):
    out, _ = show(capsys, make_report(), json=True)
    assert json.loads(out)["exit_code"] == 3


def test_report_of_nothing_says_so(capsys):
    _, err = show(capsys, ConvertReport((), ()))
    assert err == "error: no file\n"


def test_table_escapes_what_would_drive_the_terminal(capsys):
    print_table(("a", "b"), [("x\x1b[31m", "y\n")])
    print_lines(["l\r"])
    assert capsys.readouterr().out == "a          b\nx\\x1b[31m  y\\n\nl\\r\n"


def test_json_refuses_what_is_no_json():
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json(float("nan"))


def test_report_of_failures_alone_needs_no_further_word(capsys):
    error = CorruptData("bad", path="in/3")
    report = ConvertReport((), (FileOutcome("in/3", Status.FAILED, "bad", error=error),))
    assert show(capsys, report).err == "error: in/3: bad\n"


def test_report_of_skipped_files_alone_says_that_nothing_was_done(capsys):
    report = ConvertReport((), (FileOutcome("in/3", Status.SKIPPED, "no image"),))
    assert show(capsys, report).err == "error: nothing was converted; the table says why\n"
