"""Read TOML into plain values that know their line."""

from __future__ import annotations

import tomllib

from imgconv.errors import ConfigError
from imgconv.profiles.located import Document, Place

__all__ = ["parse_toml"]


def parse_toml(text: str, name: str) -> Document:
    """Parse the text of a TOML file; `name` stands in messages.

    Raises
    ------
    ConfigError
        It is not well formed.
    """
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{name}: {error}") from error
    lines: dict[Place, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key = line.split("=")[0].strip().strip("[]\"' ")
        lines.setdefault((key.rsplit(".", 1)[-1],), number)
    return _TomlDocument(name, values, lines)


class _TomlDocument(Document):
    """tomllib keeps no lines: the first line with the key's name stands for it."""

    def line(self, place: Place) -> int:
        for part in reversed(place):
            found = self._lines.get((part,))
            if found is not None:
                return found
        return 1
