"""Read a YAML or TOML file into plain values that know their line.

Mistakes are reported with file, line and key. YAML is composed, not
constructed: no tags, no aliases, no surprises (``NO`` stays a text).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from imgconv.errors import ConfigError

__all__ = ["Document", "read_document"]

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 40
_Place = tuple[str | int, ...]


class Document:
    """The values of a file, and the line of each.

    `values` holds mappings, lists, text, numbers and booleans.
    """

    def __init__(self, name: str, values: Any, lines: Mapping[_Place, int]) -> None:
        self.name = name
        self.values = values
        self._lines = lines

    def line(self, place: _Place) -> int:
        """Return the line of a value, or of what holds it; counted from 1."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def fail(self, place: _Place, message: str, hint: str = "") -> NoReturn:
        """Raise a `ConfigError` that names file, line and key."""
        key = ".".join(str(part) for part in place) or "profile"
        raise ConfigError(f"{self.name}:{self.line(place)}: `{key}`: {message}", hint=hint)


def read_document(path: Path) -> Document:
    """Read a ``.yaml``, ``.yml`` or ``.toml`` file.

    Raises
    ------
    ConfigError
        It cannot be read, or is not well formed.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", path=path) from error
    return parse_document(data, str(path), is_toml=path.suffix.lower() == ".toml")


def parse_document(data: bytes, name: str, *, is_toml: bool = False) -> Document:
    """Parse the bytes of a profile file; `name` stands in messages."""
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{name}: is larger than {_MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: is no UTF-8 text") from error
    return _parse_toml(text, name) if is_toml else _parse_yaml(text, name)


def _parse_toml(text: str, name: str) -> Document:
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{name}: {error}") from error
    lines: dict[_Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key = line.split("=")[0].strip().strip("[]\"' ")
        lines.setdefault((key.rsplit(".", 1)[-1],), number)
    return _TomlDocument(name, values, lines)


class _TomlDocument(Document):
    """tomllib keeps no lines: the first line with the key's name stands for it."""

    def line(self, place: _Place) -> int:
        for part in reversed(place):
            found = self._lines.get((part,))
            if found is not None:
                return found
        return 1


def _parse_yaml(text: str, name: str) -> Document:
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise ConfigError(f"{name}: aliases (`*name`) are not supported in profiles")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise ConfigError(f"{name}:{line}: {error.problem}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{name}: is no YAML") from error
    lines: dict[_Place, int] = {}
    values = _build(node, (), lines, name) if node is not None else {}
    return Document(name, values, lines)


def _build(node: yaml.Node, place: _Place, lines: dict[_Place, int], name: str) -> Any:
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
