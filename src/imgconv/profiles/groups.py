"""Run the rules of profiles about series, studies and patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from imgconv.core.vectors import dot, normal_of
from imgconv.dicom.elements import Item, format_tag
from imgconv.profiles.check import applies, look_up
from imgconv.profiles.model import GroupRule, Profile, ProfileRule
from imgconv.rules.orientations import group_orientations
from imgconv.rules.record_store import RecordStore
from imgconv.rules.records import Record, SeriesRecords, digest_value
from imgconv.rules.relation_hit import RelationHit
from imgconv.rules.stacks import check_stack
from imgconv.standard.elements import find_tag

__all__ = ["check_groups", "collect_extras", "group_rules"]

_SAME_PLACE_MM = 1e-3  # below what any scanner writes


def group_rules(profile: Profile) -> tuple[ProfileRule, ...]:
    """Return the rules of a profile that are about several files."""
    return tuple(
        rule for rule in profile.rules if rule.group is not None and rule.group.level != "frames"
    )


def collect_extras(profile: Profile, dataset: Item, secret: bytes) -> tuple[str, ...]:
    """Return what the group rules need of one file, as text for its record.

    One entry per rule: empty if the rule is not about this file, else the
    compared values, numbers as they are and text as digests, joined by ``|``.
    """
    extras = []
    for rule in group_rules(profile):
        if rule.group is None or not applies(rule.scope, dataset):
            extras.append("")
            continue
        names = [*rule.group.same, *((keyword, 0.0) for keyword in rule.group.different)]
        parts = [_describe(dataset, keyword, tolerance, secret) for keyword, tolerance in names]
        extras.append("|".join(["+", *parts]))
    return tuple(extras)


def _describe(dataset: Item, keyword: str, tolerance: float, secret: bytes) -> str:
    values = look_up(dataset, keyword)
    if not values:
        return ""
    if tolerance:
        tag = find_tag(keyword)
        return ";".join(repr(number) for number in dataset.numbers(tag or 0))
    return digest_value("\\".join(str(value) for value in values), secret)


def check_groups(profile: Profile, records: RecordStore, offset: int = 0) -> Iterator[RelationHit]:
    """Run the rules of a profile about several files.

    Parameters
    ----------
    offset
        The number of extras in the records that belong to profiles before this one.
    """
    for number, rule in enumerate(group_rules(profile), offset):
        group = rule.group
        if group is None:
            continue
        for members in records.iter_groups(group.level):
            chosen = [r for r in members if len(r.extras) > number and r.extras[number]]
            if chosen:
                yield from _check_group(rule, group, chosen, number)


def _check_group(
    rule: ProfileRule, group: GroupRule, records: Sequence[Record], number: int
) -> Iterator[RelationHit]:
    count = len(records)
    if count < group.count_min or (group.count_max is not None and count > group.count_max):
        message = rule.message or f"the {group.level} has a number of files that is not allowed"
        yield RelationHit(rule.id, message, records[0].path)
    if group.geometry:
        for hit in check_stack(SeriesRecords(records[0].series, records)):
            if hit.rule in group.geometry and hit.severity != "info":
                yield RelationHit(rule.id, rule.message or hit.message, hit.path, hit.tag)
    if group.spacing_mm is not None:
        yield from _check_spacing(rule, records, group.spacing_mm)
    rows = [record.extras[number].split("|")[1:] for record in records]
    for column, (keyword, tolerance) in enumerate(group.same):
        odd = _find_odd([row[column] for row in rows], tolerance)
        if odd is not None:
            message = rule.message or f"{keyword} differs within the {group.level}"
            yield RelationHit(rule.id, message, records[odd].path, _tag(keyword))
    for offset, keyword in enumerate(group.different):
        seen: dict[str, int] = {}
        for place, row in enumerate(rows):
            value = row[len(group.same) + offset]
            if value and value in seen:
                message = rule.message or f"{keyword} stands twice in the {group.level}"
                yield RelationHit(rule.id, message, records[place].path, _tag(keyword))
                break
            seen[value] = place


def _check_spacing(
    rule: ProfileRule, records: Sequence[Record], tolerance: float
) -> Iterator[RelationHit]:
    """Check that the distances of slices of one orientation differ by no more than allowed."""
    for stack in group_orientations([record for record in records if record.is_placed]):
        normal = normal_of(stack[0].orientation)
        along = sorted((dot(r.position, normal), r.path) for r in stack)
        gaps = [(b[0] - a[0], b[1]) for a, b in pairwise(along) if b[0] - a[0] > _SAME_PLACE_MM]
        usual = sorted(gap for gap, _path in gaps)[len(gaps) // 2] if gaps else 0.0
        odd = next((path for gap, path in gaps if abs(gap - usual) > tolerance), "")
        if odd:
            message = rule.message or f"distances of slices differ by more than {tolerance:g} mm"
            yield RelationHit(rule.id, message, odd, "(0020,0032)")


def _tag(keyword: str) -> str:
    tag = find_tag(keyword)
    return format_tag(tag) if tag is not None else f"({keyword})"


def _find_odd(values: list[str], tolerance: float) -> int | None:
    """Return the place of the first value that is not like the most frequent one."""
    usual = Counter(values).most_common(1)[0][0]
    for place, value in enumerate(values):
        if value != usual and not (tolerance and _are_near(value, usual, tolerance)):
            return place
    return None


def _are_near(a: str, b: str, tolerance: float) -> bool:
    try:
        pairs = list(zip(map(float, a.split(";")), map(float, b.split(";")), strict=True))
    except ValueError:
        return False
    return all(abs(x - y) <= tolerance for x, y in pairs)
