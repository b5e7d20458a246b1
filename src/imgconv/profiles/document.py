"""Read a YAML or TOML file into plain values that know their line.

Mistakes are reported with file, line and key.
"""

from __future__ import annotations

from pathlib import Path

from imgconv.errors import ConfigError
from imgconv.profiles.located import Document

__all__ = ["parse_document", "read_document"]

_MAX_BYTES = 1 << 20


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
    # Each of the two parsers takes longer to import than the profile of the standard to read.
    if is_toml:
        from imgconv.profiles.toml_document import parse_toml

        return parse_toml(text, name)
    from imgconv.profiles.yaml_document import parse_yaml

    return parse_yaml(text, name)
