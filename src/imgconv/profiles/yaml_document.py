"""Read YAML into plain values that know their line.

It is composed, not constructed: no tags, no aliases, no surprises (``NO`` stays a text).
"""

from __future__ import annotations

from typing import Any

import yaml

from imgconv.errors import ConfigError
from imgconv.profiles.located import Document, Place

__all__ = ["parse_yaml"]

_MAX_DEPTH = 40


def parse_yaml(text: str, name: str) -> Document:
    """Parse the text of a YAML file; `name` stands in messages.

    Raises
    ------
    ConfigError
        It is not well formed, or makes use of aliases.
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ConfigError(f"{name}: aliases (`*name`) are not supported in profiles")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ConfigError(f"{name}:{line}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{name}: is no YAML") from error
    lines: dict[Place, int] = {}
    values = _build(node, (), lines, name) if node is not None else {}
    return Document(name, values, lines)


def _build(node: yaml.Node, place: Place, lines: dict[Place, int], name: str) -> Any:
    line = node.start_mark.line + 1
    lines.setdefault(place, line)
    if len(place) > _MAX_DEPTH:
        raise ConfigError(f"{name}:{line}: nested too deeply")
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = (*place, key)
            lines[inner] = key_node.start_mark.line + 1
            if key in found:
                raise ConfigError(f"{name}:{lines[inner]}: `{key}` stands twice")
            found[key] = _build(value_node, inner, lines, name)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [
            _build(item, (*place, number), lines, name) for number, item in enumerate(node.value)
        ]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    """Return a plain scalar as number, boolean or text; a quoted one is text.

    Only ``true`` and ``false`` are booleans: ``NO`` and ``YES`` are values of attributes.
    """
    text = str(node.value)
    if not isinstance(node, yaml.ScalarNode) or node.style in ("'", '"', "|", ">"):
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return number if text.lstrip("+-")[:1].isdigit() or text[:1] == "." else text
    return text
