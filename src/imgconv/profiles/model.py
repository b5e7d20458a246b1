"""What a profile is: severities of rules, and rules of its own, as plain data.

A profile holds no code. `profiles.load` reads it from a file, `profiles.check`
runs its rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from imgconv.core.finding import Severity
from imgconv.records import record

__all__ = [
    "GEOMETRY",
    "GroupRule",
    "PixelRule",
    "PrivacyRule",
    "Profile",
    "ProfileRule",
    "ProfileTest",
    "Scope",
    "TagTest",
]


# Key of `geometry` in a group rule -> the built-in rules that it stands for.
GEOMETRY: Mapping[str, tuple[str, ...]] = {
    "uniform_spacing": ("G004", "G007"),
    "no_gaps": ("G008",),
    "no_duplicates": ("G003",),
    "orthogonal": ("G009",),
    "same_orientation": ("G005",),
    "same_grid": ("G010",),
}


@record
class Scope:
    """Which files a rule is about: all, or those with these values.

    `values` maps a keyword to patterns with ``*`` and ``?``, one of which must
    match one value; `when` is a condition.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    when: str = ""


@record
class TagTest:
    """What the values of one tag path must be; None, or empty, where nothing is asked."""

    path: str
    presence: str = ""  # required, type2 (present, may be empty), optional, forbidden
    values: tuple[str, ...] = ()
    forbidden_values: tuple[str, ...] = ()
    regex: re.Pattern[str] | None = None
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None
    count_min: int = 0
    count_max: int | None = None
    equals: str = ""  # another tag path whose value must be the same
    near: tuple[float, ...] = ()
    tolerance: float = 0.0
    code: tuple[str, str] | None = None  # coding scheme designator, code value
    context_group: int | None = None  # one of whose codes is asked for
    vrs: tuple[str, ...] = ()


@record
class GroupRule:
    """What must be the same, or in order, in each series, study or patient.

    `level` is series, study, patient, or frames (of one file). `same` are (keyword,
    tolerance); `geometry` are the ids of the built-in rules about stacks that have this rule's
    level here; `spacing_mm` is by how much distances of slices may differ; counts are numbers
    of files, or frames.
    """

    level: str
    same: tuple[tuple[str, float], ...] = ()
    different: tuple[str, ...] = ()
    count_min: int = 0
    count_max: int | None = None
    geometry: frozenset[str] = frozenset()
    spacing_mm: float | None = None


@record
class PrivacyRule:
    """What may be left of the patient.

    Parameters
    ----------
    options
        Options of PS3.15 E.3 (columns of table E.1-1) that the profile accepts; None: table
        E.1-1 is not asked for.
    declared
        Whether options that the object says were applied are accepted as well.
    private
        ``allow``, ``declared`` (if the object declares Retain Safe Private), or ``forbid``.
    text
        Kinds of identifying text that are looked for.
    burned_in
        Whether text in the pixels must be denied.
    """

    options: frozenset[str] | None = None
    declared: bool = True
    private: str = "allow"
    text: frozenset[str] = frozenset()
    burned_in: bool = False


@record
class PixelRule:
    """What is asked of the pixels: whether they decode, their number of frames, their values.

    `within_stored`: no bits above High Bit are set.
    """

    decodable: bool = False
    min_frames: int = 0
    max_frames: int | None = None
    not_constant: bool = False
    within_stored: bool = False


@record
class ProfileRule:
    """One rule of a profile."""

    id: str
    level: Severity = Severity.ERROR
    message: str = ""
    reason: str = ""
    source: str = ""
    scope: Scope = field(default_factory=Scope)
    tests: tuple[TagTest, ...] = ()
    transfer_syntaxes: tuple[str, ...] = ()
    sop_classes: tuple[str, ...] = ()
    group: GroupRule | None = None
    pixels: PixelRule | None = None
    privacy: PrivacyRule | None = None


@record
class ProfileTest:
    """An example that a profile carries: a data set, and the rules that it must break."""

    name: str
    data: Mapping[str, Any]  # keyword -> value, list of values, or list of mappings
    expect: tuple[str, ...]
    line: int = 0


@record
class Profile:
    """A profile, as its file says it or merged with those that it extends.

    `severity` maps an id, or the letter of a family, to a severity, ``off``
    or ``on`` (the severity of the rule's own).
    """

    name: str
    title: str = ""
    version: str = "1"
    source: str = ""
    extends: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[ProfileRule, ...] = ()
    tests: tuple[ProfileTest, ...] = ()

    def over(self, base: Profile) -> Profile:
        """Return this profile laid over `base`: its own rules replace those of the same id."""
        own = {rule.id for rule in self.rules}
        kept = tuple(rule for rule in base.rules if rule.id not in own)
        return replace(
            self,
            severity={**base.severity, **self.severity},
            rules=(*kept, *self.rules),
            tests=self.tests,
        )
