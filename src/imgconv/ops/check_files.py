"""Check a chunk of files: what a worker of `ops.validate` does.

A chunk is some files that one job checks together, so that a job costs little
beside its work. Nothing here raises for a bad file: that is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from imgconv.batch.job import Job, JobResult
from imgconv.core.finding import Finding, Severity
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import CorruptData, ImgconvError
from imgconv.profiles.check import check_profile
from imgconv.profiles.grades import grade_rules, merge_profiles, select_rules
from imgconv.profiles.groups import collect_extras
from imgconv.profiles.load import resolve_profile
from imgconv.profiles.model import Profile
from imgconv.records import record
from imgconv.rules.engine import Checks, check_instance
from imgconv.rules.instance import Instance
from imgconv.rules.record_store import PackedRecord, pack_record
from imgconv.rules.records import make_record

__all__ = ["CheckPlan", "CheckedFile", "Target", "check_chunk", "load_plan", "unpack"]

NOT_DICOM, UNREADABLE, UNFINISHED = "F013", "F014", "F016"
_SEVERITIES = {severity.value: severity for severity in Severity}
_DICOM_SUFFIXES = frozenset({".dcm", ".dicom", ".dic", ".ima"})


@record
class CheckPlan:
    """What is asked of every file; small, because each job carries it.

    Parameters
    ----------
    profiles
        Names or files of profiles; they add up, the stricter severity wins.
    select, ignore
        Ids or beginnings of ids of rules.
    show_values
        Whether findings carry the offending values, which may identify a person.
    secret
        Keys the digests of records.
    related
        Whether records for rules about several files are wanted.
    """

    profiles: tuple[str, ...] = ("dicom",)
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    show_values: bool = False
    secret: bytes = b""
    related: bool = True


@record
class Target:
    """One file of a chunk: where it is, how reports name it, whether it was named."""

    path: Path
    shown: str
    is_named: bool = False


@record
class CheckedFile:
    """What was found in one file; `record` is None if it is no DICOM."""

    shown: str
    findings: tuple[Finding, ...]
    record: PackedRecord | None = None
    is_checked: bool = True


@record
class LoadedPlan:
    """A plan with its profiles read and its check functions resolved."""

    profiles: tuple[Profile, ...]
    checks: Checks


@lru_cache(maxsize=8)
def load_plan(plan: CheckPlan) -> LoadedPlan:
    """Read the profiles of a plan and resolve the rules in force.

    Raises
    ------
    ConfigError
        A profile has a mistake.
    UsageError
        A rule is unknown.
    """
    profiles = tuple(resolve_profile(name) for name in plan.profiles)
    grades = merge_profiles(grade_rules(profile) for profile in profiles)
    return LoadedPlan(profiles, Checks(select_rules(grades, plan.select, plan.ignore)))


def check_chunk(job: Job) -> JobResult:
    """Check the files of one job: its payload is (plan, targets)."""
    plan, targets = job.payload
    checked = [_pack(check_file(plan, target)) for target in targets]
    return JobResult(facts={"checked": checked})


def _pack(checked: CheckedFile) -> tuple[Any, ...]:
    """Return a checked file as plain tuples, which cost a third to hand over."""
    findings = [
        (f.rule, f.severity.value, f.message, f.tag, f.level, f.value) for f in checked.findings
    ]
    return (checked.shown, findings, checked.record, checked.is_checked)


def unpack(packed: tuple[Any, ...]) -> CheckedFile:
    """Return what `check_chunk` packed."""
    shown, findings, record, is_checked = packed
    return CheckedFile(
        shown,
        tuple(
            Finding(rule, _SEVERITIES[severity], message, shown, tag, level, value=value)
            for rule, severity, message, tag, level, value in findings
        ),
        record,
        is_checked,
    )


def check_file(plan: CheckPlan, target: Target) -> CheckedFile:
    """Check one file."""
    loaded = load_plan(plan)
    try:
        tree = read_tree(target.path)
    except CorruptData:
        return _check_other(loaded, target)
    except ImgconvError as error:
        return _unreadable(loaded, target, error)
    instance = Instance(tree)
    findings = list(
        check_instance(instance, loaded.checks, show_values=plan.show_values, path=target.shown)
    )
    findings.extend(_check_profiles(loaded, instance, target, show_values=plan.show_values))
    if not plan.related:
        return CheckedFile(target.shown, tuple(findings))
    extras = tuple(
        extra
        for profile in loaded.profiles
        for extra in collect_extras(profile, instance.dataset, plan.secret)
    )
    record = make_record(instance, plan.secret, extras, path=target.shown)
    return CheckedFile(target.shown, tuple(findings), pack_record(record))


def _check_profiles(
    loaded: LoadedPlan, instance: Instance, target: Target, *, show_values: bool
) -> Iterator[Finding]:
    for profile in loaded.profiles:
        for hit in check_profile(profile, instance):
            severity = loaded.checks.grades.get(hit.rule)
            if severity is not None:
                value = hit.value if show_values else ""
                yield Finding(hit.rule, severity, hit.message, target.shown, hit.tag, value=value)


def _check_other(loaded: LoadedPlan, target: Target) -> CheckedFile:
    """Check what is no DICOM: other formats have rules of their own, the rest is a finding."""
    from imgconv.rules.other_files import check_other_file, is_other_format

    if is_other_format(target.path):
        hits = list(check_other_file(target.path))
        findings = tuple(
            Finding(hit.rule, severity, hit.message, target.shown, hit.tag)
            for hit in hits
            if (severity := loaded.checks.grade(hit.rule, hit.severity)) is not None
        )
        return CheckedFile(target.shown, findings)
    severity = loaded.checks.grades.get(NOT_DICOM)
    expected = target.is_named or target.path.suffix.lower() in _DICOM_SUFFIXES
    if severity is None:
        return CheckedFile(target.shown, (), is_checked=False)
    if not expected:
        severity = Severity.INFO
    finding = Finding(NOT_DICOM, severity, "the file is no DICOM", target.shown)
    return CheckedFile(target.shown, (finding,), is_checked=expected)


def _unreadable(loaded: LoadedPlan, target: Target, error: ImgconvError) -> CheckedFile:
    severity = loaded.checks.grades.get(UNREADABLE)
    if severity is None:
        return CheckedFile(target.shown, ())
    return CheckedFile(target.shown, (Finding(UNREADABLE, severity, error.message, target.shown),))
