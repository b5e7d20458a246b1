"""Read ``--metadata FILE``: JSON (plain keywords or DICOM JSON Model), YAML, CSV.

A CSV file has a header row of keywords; its column ``file`` (or ``filename``,
``path``) tells which input a row is for. Without that column it has one row.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from imgconv.errors import ConfigError

__all__ = ["read_metadata_file"]

_MAX_BYTES = 64 << 20
_FILE_COLUMNS = ("file", "filename", "path")


def read_metadata_file(path: Path, source: Path | None) -> Mapping[str, Any]:
    """Return keyword or tag -> value of a metadata file.

    Parameters
    ----------
    source
        The input file, which chooses the row of a CSV file.

    Raises
    ------
    ConfigError
        It cannot be read or parsed, has an unknown extension, or no single
        row for the input. No message shows a value.
    """
    text = _read_text(path)
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return _parse_csv(text, path, source, "\t" if suffix == ".tsv" else ",")
    if suffix in (".yaml", ".yml"):
        return _require_mapping(_parse_yaml(text, path), path)
    if suffix != ".json":
        raise ConfigError(
            f"unknown kind of metadata file `{suffix}`; expected .json, .yaml, .csv or .tsv",
            path=path,
        )
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("the metadata file is no valid JSON", path=path) from error
    # The DICOM JSON Model wraps data sets in an array; PS3.18 F.2.
    if isinstance(parsed, list) and len(parsed) == 1:
        parsed = parsed[0]
    return _require_mapping(parsed, path)


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ConfigError("the metadata file is larger than 64 MiB", path=path)
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError("the metadata file cannot be read", path=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("the metadata file is not UTF-8", path=path) from error


def _parse_yaml(text: str, path: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError("the metadata file is no valid YAML", path=path) from error


def _require_mapping(parsed: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(parsed, dict):
        raise ConfigError("the metadata file holds no object of keywords and values", path=path)
    return {str(name): _unwrap(value) for name, value in parsed.items()}


def _unwrap(value: Any) -> Any:
    """Return the plain value of an attribute of the DICOM JSON Model; others as they are."""
    if isinstance(value, dict) and "vr" in value and set(value) <= {"vr", "Value"}:
        values = value.get("Value", [])
        if value["vr"] == "SQ":
            return [_unwrap_item(item) for item in values]
        return values if isinstance(values, list) and len(values) != 1 else _only(values)
    if isinstance(value, dict):
        return _unwrap_item(value)
    if isinstance(value, list):
        return [_unwrap(one) if isinstance(one, dict) else one for one in value]
    return value


def _unwrap_item(item: Any) -> Any:
    return {str(k): _unwrap(v) for k, v in item.items()} if isinstance(item, dict) else item


def _only(values: Any) -> Any:
    return values[0] if isinstance(values, list) else values


def _parse_csv(text: str, path: Path, source: Path | None, delimiter: str) -> Mapping[str, Any]:
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise ConfigError("the metadata file is no valid CSV", path=path) from error
    if any(None in row or None in row.values() for row in rows):
        raise ConfigError("a row has more or fewer fields than the header", path=path)
    column = next((name for name in _FILE_COLUMNS if rows and name in rows[0]), "")
    if column and source is not None:
        rows = [row for row in rows if _is_for(row[column], source)]
    if len(rows) != 1:
        about = "for this input" if column else "without a column `file`"
        raise ConfigError(f"the metadata file has {len(rows)} rows {about}; expected 1", path=path)
    return {name: value for name, value in rows[0].items() if name != column and value != ""}


def _is_for(name: str, source: Path) -> bool:
    """Whether a row's path is the end of the input's path."""
    wanted = PurePosixPath(name.replace("\\", "/")).parts
    return bool(wanted) and source.parts[-len(wanted) :] == wanted
