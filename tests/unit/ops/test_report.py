import json
from pathlib import Path

import pytest

from imgconv.core.loss import Loss
from imgconv.errors import CorruptData, InternalError, OutputError, UsageError
from imgconv.exitcodes import ExitCode
from imgconv.ops.report import ConvertReport, FileOutcome, Status, VolumeOutcome

GOOD = VolumeOutcome("a", Status.CONVERTED, ("a.dcm",), (Path("a.nii"),))
CORRUPT = CorruptData("bad", path="b.dcm")


def bad(error=CORRUPT):
    return VolumeOutcome("b", Status.FAILED, ("b.dcm",), error=error)


def report(*volumes, files=()):
    return ConvertReport(volumes, tuple(files))


@pytest.mark.parametrize(
    ("volumes", "files", "code"),
    [
        ([GOOD], [], ExitCode.DONE),
        ([GOOD], [FileOutcome("x", Status.SKIPPED, "text")], ExitCode.DONE),
        ([GOOD, bad()], [], ExitCode.SOME_FAILED),
        ([GOOD], [FileOutcome("b.dcm", Status.FAILED, "bad", error=CORRUPT)], ExitCode.SOME_FAILED),
        ([bad()], [], ExitCode.NONE_DONE),
        ([], [FileOutcome("x", Status.SKIPPED, "text")], ExitCode.NONE_DONE),
        ([], [], ExitCode.NONE_DONE),
        ([GOOD, bad(OutputError("full"))], [], ExitCode.OUTPUT),
        ([GOOD, bad(InternalError("bug"))], [], ExitCode.INTERNAL),
        ([bad(UsageError("no"))], [], ExitCode.USAGE),
    ],
)
def test_exit_code(volumes, files, code):
    assert report(*volumes, files=files).exit_code == code


def test_errors_are_told_once():
    file = FileOutcome("b.dcm", Status.FAILED, "bad", error=CORRUPT)
    assert report(bad(), files=[file, file]).errors == (CORRUPT,)


def test_to_json_is_json():
    loss = Loss("padding", "gone", False)
    volume = VolumeOutcome("a", Status.CONVERTED, ("a.dcm",), (Path("a.nii"),), losses=(loss,))
    found = json.loads(json.dumps(report(volume, bad()).to_json()))
    assert found["exit_code"] == 3
    assert found["volumes"][0]["losses"][0]["name"] == "padding"
    assert found["volumes"][1]["error"]["message"] == "b.dcm: bad"
