"""Turn the document of a profile into a `Profile`, and find profiles by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imgconv import registry
from imgconv.core.expression import parse_expression
from imgconv.core.finding import Severity
from imgconv.errors import ConfigError, UsageError
from imgconv.profiles.document import parse_document, read_document
from imgconv.profiles.fields import (
    read_list,
    read_mapping,
    read_number,
    read_pattern,
    read_tag_path,
    read_text,
    read_texts,
    read_uid_pattern,
    require_keyword,
)
from imgconv.profiles.located import Document, Place
from imgconv.profiles.model import (
    GEOMETRY,
    GroupRule,
    PixelRule,
    PrivacyRule,
    Profile,
    ProfileRule,
    ProfileTest,
    Scope,
    TagTest,
)
from imgconv.resources import read_resource
from imgconv.standard.codes import find_group
from imgconv.standard.iods import EDITION

__all__ = ["load_profile", "parse_profile", "resolve_profile"]

_PRESENCES = ("required", "type2", "optional", "forbidden")
_LEVELS = ("series", "study", "patient", "frames")
_CONTEXT_GROUP = re.compile(r"CID ?(\d{1,5})")
_ABOUT_TAG = (
    *("presence", "values", "not_values", "regex", "range", "vm", "equals", "near", "code"),
    "type",
)
_GRADES = ("error", "warning", "info", "off", "on")
_MAX_EXTENDS = 20


def load_profile(name: str) -> Profile:
    """Return the profile of a name or a file, not merged with those that it extends.

    Raises
    ------
    ConfigError
        There is none, or it has a mistake: the message names line and key.
    """
    path = Path(name)
    if path.suffix.lower() in (".yaml", ".yml", ".toml") or path.is_file():
        return parse_profile(read_document(path))
    spec = registry.profiles.find(name)
    if spec is None:
        known = ", ".join(sorted(spec.name for spec in registry.profiles))
        raise ConfigError(f"unknown profile `{name}`; known: {known}", hint="or name a YAML file")
    data = read_resource(spec.package, spec.resource)
    is_toml = spec.resource.endswith(".toml")
    return parse_profile(parse_document(data, spec.resource, is_toml=is_toml))


def resolve_profile(name: str) -> Profile:
    """Return a profile merged with all that it extends.

    Raises
    ------
    ConfigError
        As `load_profile`; or profiles extend each other in a circle.
    """
    return _resolve(name, ())


def _resolve(name: str, above: tuple[str, ...]) -> Profile:
    if name in above or len(above) > _MAX_EXTENDS:
        circle = " -> ".join((*above, name))
        raise ConfigError(f"profiles extend each other: {circle}")
    profile = load_profile(name)
    folder = Path(name).parent if Path(name).is_file() else None
    base: Profile | None = None
    for other in profile.extends:
        beside = folder / other if folder is not None else None
        other_name = str(beside) if beside is not None and beside.is_file() else other
        merged = _resolve(other_name, (*above, name))
        base = merged if base is None else merged.over(base)
    return profile if base is None else profile.over(base)


def parse_profile(document: Document) -> Profile:
    """Return the profile that a document describes.

    Raises
    ------
    ConfigError
        It has a mistake.
    """
    values = read_mapping(document, document.values, (), "profile")
    edition = values.get("edition", EDITION)
    if edition != EDITION:
        document.fail(("edition",), f"edition `{edition}` is not installed; installed: {EDITION}")
    rules = read_list(document, values.get("rules"), ("rules",))
    parsed = tuple(_parse_rule(document, rule, ("rules", n)) for n, rule in enumerate(rules))
    seen: set[str] = set()
    for number, rule in enumerate(parsed):
        if rule.id in seen:
            document.fail(("rules", number, "id"), f"`{rule.id}` stands twice")
        seen.add(rule.id)
    tests = read_list(document, values.get("tests"), ("tests",))
    return Profile(
        name=read_text(document, values.get("profile"), ("profile",)),
        title=read_text(document, values.get("title", ""), ("title",)),
        version=str(values.get("version", "1")),
        source=read_text(document, values.get("source", ""), ("source",)),
        extends=read_texts(document, values.get("extends"), ("extends",)),
        severity=_parse_severities(document, values, seen),
        rules=parsed,
        tests=tuple(_parse_test(document, test, ("tests", n)) for n, test in enumerate(tests)),
    )


def _parse_severities(
    document: Document, values: Mapping[str, Any], own: set[str]
) -> dict[str, str]:
    grades: dict[str, str] = {}
    for key, grade in (("select", "on"), ("ignore", "off")):
        for number, name in enumerate(read_texts(document, values.get(key), (key,))):
            _require_rule(document, name, (key, number), own)
            grades[name] = grade
    severities = values.get("severity") or {}
    if not isinstance(severities, dict):
        document.fail(("severity",), "expected a mapping of rule to severity")
    for name, grade in severities.items():
        _require_rule(document, name, ("severity", name), own)
        if grade not in _GRADES:
            words = ", ".join(_GRADES)
            document.fail(("severity", name), f"unknown severity `{grade}`; expected {words}")
        grades[name] = grade
    return grades


def _require_rule(document: Document, name: str, place: Place, own: set[str]) -> None:
    if name in own or registry.rules.find(name) is not None:
        return
    if len(name) == 1 and any(spec.id.startswith(name) for spec in registry.rules.own()):
        return
    if not re.fullmatch(r"[A-Z]\d{3}", name):
        return  # a rule of a profile that is extended
    document.fail(place, f"unknown rule `{name}`", hint="`imgconv rules` lists all")


def _parse_rule(document: Document, raw: Any, place: Place) -> ProfileRule:
    values = read_mapping(document, raw, place, "rule")
    name = read_text(document, values.get("id"), (*place, "id"))
    if not re.fullmatch(r"[A-Z][A-Za-z0-9_-]{1,30}", name):
        document.fail((*place, "id"), f"`{name}` is no id: a capital, then letters and digits")
    level = values.get("level", "error")
    if level not in [severity.value for severity in Severity]:
        document.fail((*place, "level"), f"unknown level `{level}`; expected error, warning, info")
    rule = ProfileRule(
        id=name,
        level=Severity(level),
        message=read_text(document, values.get("message", ""), (*place, "message")),
        reason=read_text(document, values.get("reason", ""), (*place, "reason")),
        source=read_text(document, values.get("source", ""), (*place, "source")),
        scope=_parse_scope(document, values, place),
        tests=_parse_tests(document, values, place),
        transfer_syntaxes=read_texts(
            document, values.get("transfer_syntaxes"), (*place, "transfer_syntaxes")
        ),
        sop_classes=tuple(
            read_uid_pattern(document, text, (*place, "sop_classes"))
            for text in read_texts(document, values.get("sop_classes"), (*place, "sop_classes"))
        ),
        group=_parse_group(document, values, place),
        pixels=_parse_pixels(document, values.get("pixel"), (*place, "pixel")),
        privacy=_parse_privacy(document, values, (*place, "phi")),
    )
    asked = (rule.tests, rule.transfer_syntaxes, rule.sop_classes, rule.group, rule.pixels)
    if not any(asked) and rule.privacy is None:
        document.fail(place, "the rule asks for nothing", hint="add `require`, `tag`, `group` ...")
    return rule


def _parse_scope(document: Document, values: Mapping[str, Any], place: Place) -> Scope:
    raw = values.get("for") or {}
    if not isinstance(raw, dict):
        document.fail((*place, "for"), "expected a mapping of keyword to values")
    chosen: dict[str, tuple[str, ...]] = {}
    for keyword, wanted in raw.items():
        inner = (*place, "for", keyword)
        require_keyword(document, keyword, inner)
        texts = read_texts(document, wanted, inner)
        if keyword == "SOPClassUID":
            texts = tuple(read_uid_pattern(document, text, inner) for text in texts)
        chosen[keyword] = texts
    return Scope(chosen, _condition(document, values.get("when"), (*place, "when")))


def _condition(document: Document, text: Any, place: Place) -> str:
    if text is None:
        return ""
    try:
        parse_expression(str(text))
    except UsageError as error:
        document.fail(place, error.message)
    return str(text)


def _parse_tests(
    document: Document, values: Mapping[str, Any], place: Place
) -> tuple[TagTest, ...]:
    tests = [
        TagTest(read_tag_path(document, path, (*place, key)), presence=presence)
        for key, presence in (
            ("require", "required"),
            ("present", "type2"),
            ("forbid", "forbidden"),
        )
        for path in read_texts(document, values.get(key), (*place, key))
    ]
    if "tag" in values:
        tests.append(_parse_tag(document, values, place))
    else:
        for key in _ABOUT_TAG:
            if key in values:
                document.fail((*place, key), "needs `tag` beside it")
    return tuple(tests)


def _parse_tag(document: Document, values: Mapping[str, Any], place: Place) -> TagTest:
    presence = values.get("presence", "")
    if presence and presence not in _PRESENCES:
        words = ", ".join(_PRESENCES)
        document.fail((*place, "presence"), f"unknown presence `{presence}`; expected {words}")
    limits = read_mapping(document, values.get("range") or {}, (*place, "range"), "range")
    low, high = _parse_count(document, values.get("vm"), (*place, "vm"))
    near = values.get("near")
    numbers = near if isinstance(near, list) else [] if near is None else [near]
    return TagTest(
        path=read_tag_path(
            document, read_text(document, values["tag"], (*place, "tag")), (*place, "tag")
        ),
        presence=presence,
        values=read_texts(document, values.get("values"), (*place, "values")),
        forbidden_values=read_texts(document, values.get("not_values"), (*place, "not_values")),
        regex=read_pattern(document, values.get("regex"), (*place, "regex")),
        above=read_number(document, limits.get("gt"), (*place, "range", "gt")),
        at_least=read_number(document, limits.get("ge"), (*place, "range", "ge")),
        below=read_number(document, limits.get("lt"), (*place, "range", "lt")),
        at_most=read_number(document, limits.get("le"), (*place, "range", "le")),
        count_min=low,
        count_max=high,
        equals=read_tag_path(document, values["equals"], (*place, "equals"))
        if "equals" in values
        else "",
        near=tuple(read_number(document, n, (*place, "near")) or 0.0 for n in numbers),
        tolerance=read_number(document, values.get("tolerance"), (*place, "tolerance")) or 0.0,
        code=_parse_code(document, values.get("code"), (*place, "code")),
        context_group=_parse_context_group(document, values.get("code"), (*place, "code")),
        vrs=_parse_vrs(document, values.get("type"), (*place, "type")),
    )


def _parse_code(document: Document, raw: Any, place: Place) -> tuple[str, str] | None:
    if raw is None or _CONTEXT_GROUP.fullmatch(str(raw)):
        return None
    scheme, _, value = str(raw).partition(":")
    if not value:
        document.fail(place, f"`{raw}` is no code; expected `SCHEME:VALUE` or `CID 4031`")
    return scheme.strip(), value.strip()


def _parse_context_group(document: Document, raw: Any, place: Place) -> int | None:
    found = _CONTEXT_GROUP.fullmatch(str(raw)) if raw is not None else None
    if found is None:
        return None
    number = int(found[1])
    if not find_group(number):
        document.fail(place, f"there is no context group {number}")
    return number


def _parse_vrs(document: Document, raw: Any, place: Place) -> tuple[str, ...]:
    vrs = read_texts(document, raw, place)
    for vr in vrs:
        if not re.fullmatch(r"[A-Z]{2}", vr):
            document.fail(place, f"`{vr}` is no value representation; expected `DS`, `CS` ...")
    return vrs


def _parse_count(document: Document, raw: Any, place: Place) -> tuple[int, int | None]:
    if raw is None:
        return 0, None
    if isinstance(raw, dict):
        limits = read_mapping(document, raw, place, "count")
        return int(limits.get("min", 0)), limits.get("max")
    found = re.fullmatch(r"(\d+)(?:-(\d+|n))?", str(raw))
    if found is None:
        document.fail(place, f"`{raw}` is no number of values; expected `2`, `1-3` or `1-n`")
    low = int(found[1])
    return low, low if found[2] is None else None if found[2] == "n" else int(found[2])


def _parse_group(document: Document, values: Mapping[str, Any], place: Place) -> GroupRule | None:
    if "group" not in values:
        for key in ("same", "different", "count", "geometry"):
            if key in values:
                document.fail((*place, key), "needs `group` beside it")
        return None
    level = values["group"]
    if level not in _LEVELS:
        words = ", ".join(_LEVELS)
        document.fail((*place, "group"), f"unknown group `{level}`; expected {words}")
    same = []
    for number, text in enumerate(read_texts(document, values.get("same"), (*place, "same"))):
        keyword, _, tolerance = text.partition("~")
        inner = (*place, "same", number)
        require_keyword(document, keyword, inner)
        same.append((keyword, read_number(document, tolerance or 0, inner) or 0.0))
    different = read_texts(document, values.get("different"), (*place, "different"))
    for number, keyword in enumerate(different):
        require_keyword(document, keyword, (*place, "different", number))
    low, high = _parse_count(document, values.get("count"), (*place, "count"))
    geometry, spacing_mm = _parse_geometry(document, values.get("geometry"), (*place, "geometry"))
    if (geometry or spacing_mm is not None) and level != "series":
        document.fail((*place, "geometry"), "needs `group: series`")
    if level == "frames" and different:
        document.fail((*place, "different"), "is not for frames")
    return GroupRule(level, tuple(same), different, low, high, geometry, spacing_mm)


def _parse_geometry(
    document: Document, raw: Any, place: Place
) -> tuple[frozenset[str], float | None]:
    """Return ids of rules about stacks, and by how many mm distances may differ."""
    values = read_mapping(document, raw or {}, place, "geometry")
    rules: set[str] = set()
    spacing_mm = None
    for key, wanted in values.items():
        if key == "uniform_spacing" and isinstance(wanted, (int, float)) and wanted is not True:
            spacing_mm = None if wanted is False else float(wanted)
        elif not isinstance(wanted, bool):
            document.fail((*place, key), "expected true or false")
        elif wanted:
            rules.update(GEOMETRY[key])
    return frozenset(rules), spacing_mm


def _parse_privacy(
    document: Document, values: Mapping[str, Any], place: Place
) -> PrivacyRule | None:
    if "phi" not in values:
        return None
    from imgconv.profiles.phi import parse_privacy  # its patterns take 5 ms to compile

    return parse_privacy(document, values["phi"], place)


def _parse_pixels(document: Document, raw: Any, place: Place) -> PixelRule | None:
    if raw is None:
        return None
    values = read_mapping(document, raw, place, "pixel")
    return PixelRule(
        decodable=bool(values.get("decodable", False)),
        min_frames=int(values.get("min_frames", 0)),
        max_frames=values.get("max_frames"),
        not_constant=bool(values.get("not_constant", False)),
        within_stored=_parse_pixel_range(document, values.get("range"), (*place, "range")),
    )


def _parse_pixel_range(document: Document, raw: Any, place: Place) -> bool:
    if raw not in (None, "bits_stored"):
        document.fail(place, f"unknown range `{raw}`; expected bits_stored")
    return raw is not None


def _parse_test(document: Document, raw: Any, place: Place) -> ProfileTest:
    values = read_mapping(document, raw, place, "test")
    data = values.get("data")
    if not isinstance(data, dict):
        document.fail((*place, "data"), "expected a mapping of keyword to value")
    for keyword in data:
        require_keyword(document, keyword, (*place, "data", keyword))
    name = str(values.get("name", f"test {int(place[-1]) + 1}"))
    expect = read_texts(document, values.get("expect"), (*place, "expect"))
    return ProfileTest(name, data, expect, document.line(place))
