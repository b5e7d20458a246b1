"""What a rule reports about a file or a set of files."""

from __future__ import annotations

from enum import StrEnum

from imgconv.records import record

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How bad a finding is, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@record
class Finding:
    """One finding of one rule at one place.

    Parameters
    ----------
    rule
        The rule's id: ``M001``.
    severity
        As graded by the profile in force.
    message
        What is wrong and what was expected, without identifying values.
    path
        The file, or the folder of a finding about a set.
    tag
        Tag path: ``(0040,A730)[0].(0040,A043)``; empty for the whole file.
    level
        ``instance``, ``series``, ``study``, ``patient`` or ``set``.
    uid
        The UID of the series or study that it is about, for set findings.
    fix
        Name of the safe fix that would mend it, empty if there is none.
    value
        The offending value, only where the user asked to see values: it may
        identify a person.
    """

    rule: str
    severity: Severity
    message: str
    path: str = ""
    tag: str = ""
    level: str = "instance"
    uid: str = ""
    fix: str = ""
    value: str = ""
