"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

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
    "split_names",
]

InputsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...", help="Files, folders, .zip or .tar archives, DICOMDIRs, patterns."
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
