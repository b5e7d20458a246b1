"""Plain values that know the line of the file from which they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from imgconv.errors import ConfigError

__all__ = ["Document", "Place"]

Place = tuple[str | int, ...]  # keys and indices, from the root


class Document:
    """The values of a file, and the line of each.

    `values` holds mappings, lists, text, numbers and booleans.
    """

    def __init__(self, name: str, values: Any, lines: Mapping[Place, int]) -> None:
        self.name = name
        self.values = values
        self._lines = lines

    def line(self, place: Place) -> int:
        """Return the line of a value, or of what holds it; counted from 1."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def fail(self, place: Place, message: str, hint: str = "") -> NoReturn:
        """Raise a `ConfigError` that names file, line and key."""
        key = ".".join(str(part) for part in place) or "profile"
        raise ConfigError(f"{self.name}:{self.line(place)}: `{key}`: {message}", hint=hint)
