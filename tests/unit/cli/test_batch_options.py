import sys

import pytest
import typer
from typer.testing import CliRunner

from imgconv.batch.job import Job, Outcome, Status
from imgconv.batch.plan import Shard
from imgconv.batch.summary import Summary
from imgconv.cli import batch_options
from imgconv.cli.batch_options import (
    build_ledger,
    build_options,
    format_summary,
    holds_more,
    may_fork,
)
from imgconv.cli.progress import ProgressMode


def run_command(*words):
    seen = {}

    def command(
        jobs: batch_options.JobsOption = 0,
        timeout: batch_options.TimeoutOption = None,
        memory_limit: batch_options.MemoryLimitOption = 0,
        retries: batch_options.RetriesOption = 2,
        fail_fast: batch_options.FailFastOption = False,
        manifest: batch_options.ManifestOption = None,
        resume: batch_options.ResumeOption = False,
        shard: batch_options.ShardOption = "",
        failed_list: batch_options.FailedListOption = None,
        executor: batch_options.ExecutorOption = "local",
        progress: batch_options.ProgressOption = ProgressMode.AUTO,
    ):
        seen.update(locals())

    app = typer.Typer(rich_markup_mode=None, add_completion=False)
    app.command()(command)
    result = CliRunner().invoke(app, list(words))
    return result, seen


def test_options_are_parsed():
    words = ["-j", "3", "--timeout", "1.5", "--memory-limit", "100", "--retries", "0"]
    words += ["--fail-fast", "--resume", "--manifest", "m", "--shard", "1/2"]
    words += ["--failed-list", "f", "--executor", "dask", "--progress", "json"]
    result, seen = run_command(*words)
    assert result.exit_code == 0
    assert (seen["jobs"], seen["timeout"], seen["memory_limit"]) == (3, 1.5, 100)
    assert seen["fail_fast"]
    assert seen["resume"]
    assert (str(seen["manifest"]), str(seen["failed_list"])) == ("m", "f")
    assert seen["progress"] is ProgressMode.JSON


def test_options_help_names_them_all():
    result, _ = run_command("--help")
    for name in ("--jobs", "--timeout", "--resume", "--shard", "--failed-list", "--executor"):
        assert name in result.output


def test_build_options():
    options = build_options(jobs=3, timeout=5, memory_limit=2, isolate=True)
    assert (options.workers, options.timeout_s, options.memory_limit_bytes) == (3, 5, 2 << 20)
    assert options.isolate


def test_build_ledger_without_a_manifest_keeps_a_journal(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    ledger = build_ledger(tmp_path / "out", {"a": 1}, resume=True, shard="1/2")
    assert ledger.shard == Shard(1, 2)
    assert ledger.source.is_relative_to(tmp_path / "imgconv")
    assert build_ledger(tmp_path, None, manifest=tmp_path / "m").source == tmp_path / "m"


def test_format_summary():
    summary = Summary(seconds=2.0)
    for status in (Status.DONE, Status.DONE, Status.FAILED, Status.ALREADY_DONE):
        summary.add(Outcome(Job("k", (), size_bytes=1_000_000), status))
    text = format_summary(summary, "converted")
    assert text == "2 converted, 1 already-done, 1 failed in 2.0 s (1.0 MB/s)"
    assert format_summary(summary, "converted", fail_fast=True).startswith("stopped at a failure; ")
    summary.interrupted = True
    assert format_summary(summary, "converted").startswith("interrupted; ")


def test_files_of_a_folder_are_counted_at_any_depth(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    for number in range(3):
        (tmp_path / "a" / "b" / str(number)).touch()
    assert holds_more(str(tmp_path), 2)
    assert not holds_more(str(tmp_path), 3)


@pytest.mark.parametrize("name", ["absent", "a\0b"])
def test_what_is_no_folder_holds_no_more(tmp_path, name):
    assert not holds_more(f"{tmp_path}/{name}", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
@pytest.mark.parametrize(
    ("mode", "forks"),
    [(ProgressMode.NONE, True), (ProgressMode.JSON, True), (ProgressMode.BAR, False)],
)
def test_may_fork_is_not_beside_a_bar(mode, forks):
    assert may_fork(mode) is forks
