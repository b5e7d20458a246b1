import pytest

from imgconv.batch.job import Job, Outcome, Status
from imgconv.batch.summary import Summary
from imgconv.errors import CorruptData, OutputError
from imgconv.exitcodes import ExitCode

DONE = (Status.DONE, None)
BAD = (Status.FAILED, CorruptData("bad"))
FULL = (Status.FAILED, OutputError("full"))


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], ExitCode.DONE),
        ([DONE, (Status.SKIPPED, None), (Status.ALREADY_DONE, None)], ExitCode.DONE),
        ([DONE, BAD], ExitCode.SOME_FAILED),
        ([(Status.ALREADY_DONE, None), BAD], ExitCode.SOME_FAILED),
        ([BAD, BAD], ExitCode.NONE_DONE),
        ([DONE, BAD, FULL], ExitCode.OUTPUT),
    ],
)
def test_summary_exit_code(outcomes, code):
    summary = Summary()
    for status, error in outcomes:
        summary.add(Outcome(Job("k", (), size_bytes=3), status, error=error))
    assert summary.exit_code is code
    assert summary.total == len(outcomes)
    assert summary.size_bytes == 3 * summary.counts[Status.DONE]


def test_summary_interrupted():
    assert Summary(interrupted=True).exit_code is ExitCode.INTERRUPTED
