"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from imgconv.errors import InputError

__all__ = [
    "AllowOption",
    "DryRunOption",
    "InputsArgument",
    "JsonOption",
    "OverwriteChoice",
    "OverwriteOption",
    "QuietOption",
    "SeriesOption",
    "ShowPhiOption",
    "StrictOption",
    "VerboseOption",
    "read_lists",
    "split_names",
]


def read_lists(inputs: list[str]) -> list[str]:
    """Return the inputs with lists replaced by the paths that they hold, one a line.

    ``-`` is a list on stdin, ``@FILE`` one in a file, as `--failed-list`
    writes it; a file whose own name begins so goes before a list.

    Raises
    ------
    InputError
        A list cannot be read, or there is no path in any.
    """
    paths = [path for item in inputs for path in _expand(item)]
    if not paths:
        raise InputError("the list of inputs holds no path")
    return paths


def _expand(item: str) -> list[str]:
    if item == "-":
        return _lines(sys.stdin.buffer.read())
    if not item.startswith("@") or len(item) == 1 or os.path.lexists(item):
        return [item]
    try:
        with open(item[1:], "rb") as stream:  # noqa: PTH123  pathlib is imported for nothing else
            return _lines(stream.read())
    except OSError as error:
        raise InputError(
            f"the list of inputs cannot be read: {error.strerror}", path=item[1:]
        ) from error


def _lines(data: bytes) -> list[str]:
    lines = data.split(b"\0") if b"\0" in data else data.splitlines()  # as `find -print0` has it
    return [os.fsdecode(line) for line in lines if line]


InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        callback=read_lists,
        help="Files, folders, .zip or .tar archives, DICOMDIRs, patterns; @FILE or - is a list "
        "of them, one a line.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Only errors.")]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Tell what would be done, and write nothing.")
]
ShowPhiOption = Annotated[
    bool, typer.Option("--show-phi", help="Show values that may identify a person.")
]
SeriesOption = Annotated[
    list[str], typer.Option("--series", metavar="N|UID", help="Only these series.")
]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="A line per input file.")]
AllowOption = Annotated[
    list[str],
    typer.Option(
        "--allow", metavar="NAMES", help="Accept these losses, separated by commas; `all`: each."
    ),
]


class OverwriteChoice(StrEnum):
    """What becomes of an output that exists already."""

    NEVER = "never"
    ALWAYS = "always"


OverwriteOption = Annotated[
    OverwriteChoice, typer.Option("--overwrite", help="What becomes of existing outputs.")
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Refuse harmless losses as well.")]


def split_names(values: list[str]) -> frozenset[str]:
    """Return the names in options that may be repeated and may hold commas."""
    return frozenset(name.strip() for value in values for name in value.split(",") if name.strip())
