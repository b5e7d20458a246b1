"""Family M: modules, attribute types, conditions, value sets, functional groups.

A condition that is absent or cannot be decided never makes an attribute
"missing". An attribute that several modules of the IOD name must satisfy the
modules that are mandatory or shown to be used; it is forbidden only where all
of them forbid it.

Source
------
PS3.3 5.4, annexes A and C; PS3.5 7.4 (types)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgconv.dicom.elements import Element, Item
from imgconv.records import record
from imgconv.rules.conditions import Scope
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.rules.likeness import describe
from imgconv.rules.plan import Attribute, Node, Plan, Row, find_plan
from imgconv.standard.iods import find_iod
from imgconv.standard.item_counts import SINGLE_GROUPS, SINGLE_ITEM

__all__ = ["check_modules"]

_CONTENT_SEQUENCE, _SHARED, _PER_FRAME = 0x0040A730, 0x52009229, 0x52009230
_PATIENT_ORIENTATION, _IMAGE_ORIENTATION = 0x00200020, 0x00200037
_PATIENT_PLANE = {0x00200032, 0x00200037}
_SLIDE_PLANE = {0x00480102, 0x00480008}
_IMAGE_TYPE, _REFERENCED_ITEM = 0x00080008, 0x0040DB73
_REFERENCED_SOP = 0x00081199
_FORBIDDEN, _POSSIBLE, _IN_FORCE = 0, 1, 2
# Enumerations that later editions widened: a value that is not in the table may be a new one.
# Rescale Type is one: the table has the identity macro's US where C.11.1.1.2 has defined terms.
_WIDENED = frozenset({0x00280004, 0x00082111, 0x00185100, 0x00281054})
# Mandatory in table A.75-2 of the edition at hand; dciodvfy does not ask for them, and dcmqi does
# not write them: frame anatomy, VOI LUT.
_DOUBTED_GROUPS = frozenset({("parametric-map", 0x00209071), ("parametric-map", 0x00289132)})
# Groups that place a frame: where one frame needs them, all do.
_PLACING = frozenset({0x00209113, 0x00209116, 0x0048021A, 0x00289110})
# Defined terms that every vendor extends: Image Type, Scan Options.
_OPEN_LISTS = frozenset({_IMAGE_TYPE, 0x00180022})


# What was found in data sets that the tables cannot tell apart: most files of a series.
_KNOWN: dict[tuple[object, ...], tuple[Hit, ...]] = {}
_MOST_KNOWN = 256


@record(frozen=False)
class _Context:
    """What stays the same while one data set is checked."""

    plan: Plan
    states: tuple[int, ...]
    root: Node
    inner: _Context | None = None

    @property
    def nested(self) -> _Context:
        """The context of a sequence's items: the module that has the sequence is in use."""
        if self.inner is None:
            used = tuple(_IN_FORCE if state else state for state in self.states)
            self.inner = _Context(self.plan, used, self.root)
            self.inner.inner = self.inner
        return self.inner


def check_modules(instance: Instance) -> Iterable[Hit]:
    """Check a data set against its IOD (M001 to M012, M014)."""
    described = describe(instance.dataset)
    if described is None:
        return _check_modules(instance)
    key = (instance.sop_class, instance.is_truncated, described)
    hits = _KNOWN.get(key)
    if hits is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        hits = _KNOWN[key] = tuple(_check_modules(instance))
    return hits


def _check_modules(instance: Instance) -> Iterator[Hit]:
    iod = find_iod(instance.sop_class)
    dataset = instance.dataset
    if iod is None:
        if not instance.sop_class and not instance.is_truncated:
            yield Hit("M001", "SOPClassUID (type 1) is missing", "(0008,0016)")
        return
    plan = find_plan(iod)
    context = _Context(plan, _module_states(plan, dataset), plan.root)
    yield from _check_item(context, dataset, plan.root, complete=not instance.is_truncated)
    if plan.groups:
        yield from _check_groups(context, dataset)
    if not instance.is_truncated:
        yield from _check_patient_orientation(context, dataset)


def _check_patient_orientation(context: _Context, dataset: Item) -> Iterator[Hit]:
    """Check for Patient Orientation where neither patient nor slide gives the orientation.

    Its condition is about the IOD, so no expression can say it (PS3.3 C.7.6.1).
    """
    attributes = context.root.attributes
    oriented = _PATIENT_PLANE | _SLIDE_PLANE | {_SHARED}
    attribute = attributes.get(_PATIENT_ORIENTATION)
    if (
        attribute is None
        or _PATIENT_ORIENTATION in dataset.elements
        or not oriented.isdisjoint(dataset.elements)
        or not (_SLIDE_PLANE | {_SHARED}).isdisjoint(attributes)
    ):
        return
    plane = attributes.get(_IMAGE_ORIENTATION)
    required = plane is not None and any(
        context.states[row.module] == _IN_FORCE and row.kind == "1" for row in plane.rows
    )
    in_force = any(context.states[row.module] == _IN_FORCE for row in attribute.rows)
    if in_force and not required:
        message = "PatientOrientation (type 2C) is missing, and its condition holds"
        yield Hit("M006", message, dataset.path_to(_PATIENT_ORIENTATION))


def _module_states(plan: Plan, dataset: Item) -> tuple[int, ...]:
    scope = Scope(dataset, plan.root.attributes, ())
    states = []
    for module in plan.modules:
        if module.usage == "M":
            states.append(_IN_FORCE)
            continue
        needed = module.condition(scope) if module.condition is not None else None
        used = not module.triggers.isdisjoint(dataset.elements)
        if used or (needed is True and module.mode != "NU"):
            states.append(_IN_FORCE)
        elif needed is False and module.mode == "MN":
            states.append(_FORBIDDEN)
        else:
            states.append(_POSSIBLE)
    return tuple(states)


def _check_item(
    context: _Context, item: Item, node: Node, *, complete: bool = True, in_group: bool = False
) -> Iterator[Hit]:
    elements = item.elements
    scope = Scope(item, node.attributes, context.root.attributes)
    if complete:
        for attribute in node.required:
            element = elements.get(attribute.tag)
            if element is None or element.is_empty:
                yield from _check_required(
                    context, item, attribute, element, scope, in_group=in_group
                )
    for tag, element in elements.items():
        found = node.attributes.get(tag)
        if found is None:
            if tag == _CONTENT_SEQUENCE and item.tag == _CONTENT_SEQUENCE:
                if element.is_empty:
                    yield Hit("M005", "ContentSequence (type 1C) is empty", element.path)
                for inner in element.items or ():
                    yield from _check_content_item(context, inner, node)
            elif not tag >> 16 & 1 and tag & 0xFFFF and tag < 0x7FE00000 and tag >> 24 != 0x60:
                yield from _check_foreign(item, element, node)
            continue
        if found.is_judged or element.items is not None:
            yield from _check_present(context, found, element, scope)
        if element.items:
            if len(element.items) > 1:
                yield from _check_single(element)
            yield from _check_sequence(context, element, found)


def _check_single(element: Element) -> Iterator[Hit]:
    """Report several items where the standard allows one."""
    tag, around = element.tag, element.item.tag
    if (
        tag in SINGLE_ITEM
        or (tag in SINGLE_GROUPS and around in (_SHARED, _PER_FRAME))
        or (tag == _REFERENCED_SOP and around == _CONTENT_SEQUENCE)
    ):
        yield Hit("M012", f"{name_tag(tag)} has several items; expected one", element.path)


def _check_sequence(context: _Context, element: Element, attribute: Attribute) -> Iterator[Hit]:
    rows = [row for row in attribute.rows if row.child >= 0]
    in_force = [row for row in rows if context.states[row.module] == _IN_FORCE]
    child = context.plan.child(in_force or rows)
    if child is None:
        return
    context = context.nested
    in_group = element.tag in (_SHARED, _PER_FRAME)
    for inner in element.items or ():
        if element.tag == _CONTENT_SEQUENCE:
            yield from _check_content_item(context, inner, child)
        else:
            yield from _check_item(context, inner, child, in_group=in_group)


def _check_content_item(context: _Context, item: Item, node: Node) -> Iterator[Hit]:
    """Check a content item; one that only refers to another has no value of its own."""
    if _REFERENCED_ITEM not in item.elements:  # PS3.3 C.17.3.2.5: by-reference relationship
        yield from _check_item(context, item, node)


def _check_foreign(item: Item, element: Element, node: Node) -> Iterator[Hit]:
    if node.attributes and element.item.depth == 0:
        message = f"{name_tag(element.tag)} is not in the IOD: a standard extension"
        yield Hit("M010", message, item.path_to(element.tag))


def _check_required(
    context: _Context,
    item: Item,
    attribute: Attribute,
    element: Element | None,
    scope: Scope,
    *,
    in_group: bool,
) -> Iterator[Hit]:
    """Report an attribute that is missing or empty and must not be: once, for the worst reason."""
    states, worst = context.states, ""
    for row in attribute.rows:
        if states[row.module] != _IN_FORCE:
            continue
        kind = _demand(row, scope, in_group)
        if kind == "1" or (kind and not worst):
            worst = kind + ("C" if row.kind.endswith("C") else "")
            if kind == "1":
                break
    if element is None and not worst:
        return
    name, tag = name_tag(attribute.tag), attribute.tag
    if element is None:
        rule = {"1": "M001", "2": "M003", "1C": "M004", "2C": "M006"}[worst]
        needed = " is missing" if len(worst) == 1 else " is missing, and its condition holds"
        yield Hit(rule, f"{name} (type {worst}){needed}", item.path_to(tag))
    elif worst == "1":
        yield Hit("M002", f"{name} (type 1) is empty", item.path_to(tag))
    elif worst == "1C" or (not worst and _never_empty(context, attribute)):
        yield Hit("M005", f"{name} (type 1C) is empty", item.path_to(tag))


def _demand(row: Row, scope: Scope, in_group: bool) -> str:
    """Return ``1`` or ``2`` if this row demands the attribute, else nothing."""
    if in_group:  # the usage of functional groups is a table of its own
        return ""
    if row.kind in ("1", "2"):
        return row.kind
    if row.kind in ("1C", "2C") and row.condition is not None and row.mode != "NU":
        return row.kind[0] if row.condition(scope) else ""
    return ""


def _never_empty(context: _Context, attribute: Attribute) -> bool:
    """Whether a module in force says type 1 or 1C, and none that it may be empty by type 2."""
    kinds = {row.kind for row in attribute.rows if context.states[row.module] == _IN_FORCE}
    return bool(kinds & {"1", "1C"}) and not kinds & {"2", "2C"}


def _check_present(
    context: _Context, attribute: Attribute, element: Element, scope: Scope
) -> Iterator[Hit]:
    rows = attribute.rows
    if attribute.is_unconditional and element.is_empty and _never_empty(context, attribute):
        yield Hit("M005", f"{name_tag(element.tag)} (type 1C) is empty", element.path)
    elif element.items is not None and not element.items and attribute.is_optional:
        message = f"{name_tag(element.tag)} (type 3) is there without an item"
        yield Hit("M012", message, element.path, severity="warning")
    if attribute.is_conditional:
        yield from _check_forbidden(context, rows, element, scope)
    if element.items is None and attribute.has_terms:
        active = [row for row in rows if context.states[row.module] == _IN_FORCE]
        yield from _check_value_sets(active or _only_row(rows, element), element)


def _only_row(rows: tuple[Row, ...], element: Element) -> list[Row]:
    """Return the rows to judge values by where no module is shown to be used.

    Modules that may not be used exclude each other (shutters): a value that one of them
    allows is right.
    """
    values = _plain(element)
    for row in rows:
        sets = (*row.enumerated, *row.defined)
        if not any(_is_outside(values, number, allowed) for number, allowed in sets):
            return []
    return list(rows)


def _check_forbidden(
    context: _Context, rows: tuple[Row, ...], element: Element, scope: Scope
) -> Iterator[Hit]:
    """Report an attribute whose condition does not hold, if no module allows it."""
    modes = set()
    for row in rows:
        if context.states[row.module] == _FORBIDDEN:
            continue
        if row.condition is None or row.kind not in ("1C", "2C", "3"):
            return
        holds = row.condition(scope)
        forbidden = holds is True if row.mode == "NU" else holds is False
        if row.mode == "MC" and forbidden:
            forbidden = row.other is None or row.other(scope) is False
        if not forbidden or row.mode not in ("MN", "MP", "MC", "NU"):
            return
        modes.add(row.mode)
    if modes:
        severity = "error" if modes <= {"MN", "NU"} else "warning"
        message = f"{name_tag(element.tag)} is present, and its condition does not hold"
        yield Hit("M007", message, element.path, severity=severity)


def _check_value_sets(rows: list[Row], element: Element) -> Iterator[Hit]:
    values = _plain(element)
    for row in rows:
        for number, allowed in row.enumerated:
            if _is_outside(values, number, allowed):
                message = f"{_ordinal(element, number)} is not one of {_words(allowed)}"
                is_widened = element.tag in _WIDENED and len(allowed) > 1
                severity = "warning" if is_widened else ""
                yield Hit("M008", message, element.path, "\\".join(values)[:80], severity)
                return
    for row in rows:
        for number, allowed in row.defined:
            if _is_outside(values, number, allowed):
                message = f"{_ordinal(element, number)} is no defined term: {_words(allowed)}"
                severity = "info" if element.tag in _OPEN_LISTS else ""
                yield Hit("M009", message, element.path, "\\".join(values)[:80], severity)
                return


def _plain(element: Element) -> list[str]:
    """Return the values as the tables write them: ``1`` for ``1.0``."""
    values = [str(value) for value in element.values()]
    if element.vr in ("DS", "IS"):
        return [_whole(value) for value in values]
    return values


def _whole(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value
    return str(int(number)) if number.is_integer() else value


def _is_outside(values: list[str], number: int, allowed: frozenset[str]) -> bool:
    if number:
        return (
            len(values) >= number and values[number - 1] not in allowed and bool(values[number - 1])
        )
    return any(value and value not in allowed for value in values)


def _ordinal(element: Element, number: int) -> str:
    name = name_tag(element.tag)
    return f"value {number} of {name}" if number else name


def _words(allowed: frozenset[str]) -> str:
    words = sorted(allowed)
    return ", ".join(words[:8]) + (" ..." if len(words) > 8 else "")


def _check_groups(context: _Context, dataset: Item) -> Iterator[Hit]:
    """Check which functional groups are there, and that none stands in both places."""
    shared, frames = dataset.items_of(_SHARED), dataset.items_of(_PER_FRAME)
    if not shared and not frames:
        return
    everywhere = set(shared[0].elements) if shared else set()
    mixed = dataset.text(_IMAGE_TYPE) == "MIXED"
    scope, reported = Scope(dataset, context.root.attributes, ()), set[int]()
    for group in context.plan.groups:
        if group.tag in everywhere or not group.tag:
            continue
        needed = group.usage == "M" or (
            group.usage == "C"
            and not mixed
            and group.condition is not None
            and group.mode != "NU"
            and group.condition(scope) is True
        )
        if needed:
            missing = [item for item in frames if group.tag not in item.elements]
            if missing or not frames:
                path = (missing or shared)[0].path_to(group.tag)
                message = f"the functional group {name_tag(group.tag)} is missing"
                reported.add(group.tag)
                doubted = (context.plan.iod, group.tag) in _DOUBTED_GROUPS
                yield Hit("M011", message, path, severity="warning" if doubted else "")
    for tag in sorted(_PLACING - everywhere):
        without = [item for item in frames if tag not in item.elements]
        if without and len(without) < len(frames) and tag not in reported:
            message = f"the functional group {name_tag(tag)} is missing, and other frames have it"
            yield Hit("M011", message, without[0].path_to(tag))
    both = everywhere.intersection(frames[0].elements) if frames else ()
    for tag in sorted(both):
        if not tag >> 16 & 1:
            message = f"the functional group {name_tag(tag)} is both shared and per frame"
            yield Hit("M014", message, frames[0].path_to(tag))
