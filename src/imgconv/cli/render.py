"""Turn reports into text: tables and JSON on stdout, errors on stderr.

Tables are made here without any library: rich costs 60 ms.
"""

from __future__ import annotations

import json as json_module
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from imgconv.core.printable import printable

if TYPE_CHECKING:
    from pathlib import Path

    from imgconv.errors import ImgconvError
    from imgconv.ops.report import ConvertReport, FileOutcome

__all__ = [
    "print_json",
    "print_lines",
    "print_table",
    "show_convert_report",
    "tell",
    "tell_error",
]

_GAP = "  "


def tell(text: str) -> None:
    """Print one line to stderr."""
    sys.stderr.write(f"{printable(text)}\n")


def tell_error(error: ImgconvError) -> None:
    """Print one line with an error to stderr."""
    tell(f"error: {error}")


def print_json(value: Any) -> None:
    """Print a JSON document to stdout."""
    json_module.dump(value, sys.stdout, indent=1, ensure_ascii=True, allow_nan=False)
    sys.stdout.write("\n")


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table to stdout, columns aligned, the last one as long as it is."""
    lines = [[printable(str(cell)) for cell in row] for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head) - 1)]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        sys.stdout.write(_GAP.join([*cells, line[-1]]).rstrip() + "\n")


def print_lines(lines: Iterable[str]) -> None:
    """Print lines of text to stdout."""
    for line in lines:
        sys.stdout.write(printable(line) + "\n")


def show_convert_report(report: ConvertReport, *, json: bool, quiet: bool, verbose: bool) -> None:
    """Print what became of every input, and one line per failure to stderr."""
    if json:
        print_json(report.to_json())
    elif not quiet:
        _print_files(report, verbose=verbose)
    for error in report.errors:
        tell_error(error)
    for hint in dict.fromkeys(error.hint for error in report.errors if error.hint):
        tell(f"hint: {hint}")
    if report.is_other_shards or report.interrupted:
        return
    if not report.errors and not any(volume.status.is_good for volume in report.volumes):
        tell(
            "error: nothing was converted; the table says why" if report.files else "error: no file"
        )


def _print_files(report: ConvertReport, *, verbose: bool) -> None:
    """Print a row per output with its inputs, then rows of what was left out."""
    outputs = {
        volume.name: (
            _name_outputs(volume.outputs) or volume.name,
            "x".join(str(length) for length in volume.facts.get("shape", ())),
        )
        for volume in report.volumes
    }
    rows = []
    for group in _grouped(report.files, verbose=verbose):
        first = group[0]
        target = ", ".join(outputs[name][0] for name in first.volumes if name in outputs)
        shape = ", ".join(
            dict.fromkeys(outputs[name][1] for name in first.volumes if name in outputs)
        )
        rows.append(
            (_name_of(group), str(len(group)), first.status.value, shape, target or first.reason)
        )
    base = _common_folder([file.path for file in report.files])
    if base:
        print_lines([f"inputs below {base}", ""])
        rows = [(row[0][len(base) :], *row[1:]) for row in rows]
    print_table(("input", "files", "status", "shape", "output or reason"), rows)
    print_lines(
        f"note: {volume.name}: {note}"
        for volume in report.volumes
        for note in (
            *volume.warnings,
            *(f"{loss.message} [{loss.name}]" for loss in volume.losses),
        )
    )


def _name_outputs(outputs: Sequence[Path]) -> str:
    """Name the last output, which tells that all are there, and count its like."""
    if not outputs:
        return ""
    alike = sum(path.suffix == outputs[-1].suffix for path in outputs)
    more = f" and {alike - 1} more" if alike > 1 else ""
    return f"{outputs[-1]}{more}"


def _common_folder(paths: Sequence[str]) -> str:
    """Return the folder of all paths with its separator, if naming it once makes rows shorter."""
    folders = {os.path.dirname(path) for path in paths}  # noqa: PTH120  text
    if len(folders) < 2:
        return ""
    try:
        common = os.path.commonpath(list(folders))
    except ValueError:  # relative and absolute ones
        return ""
    return "" if common in ("", os.sep) else common + os.sep


def _grouped(files: Sequence[FileOutcome], *, verbose: bool) -> list[list[FileOutcome]]:
    """Put files of one folder with the same fate together, unless each gets a line."""
    groups: dict[Any, list[FileOutcome]] = {}
    for file in files:
        fate = (os.path.dirname(file.path), file.status, file.reason, file.volumes)  # noqa: PTH120  text
        groups.setdefault(file.path if verbose else fate, []).append(file)
    return list(groups.values())


def _name_of(group: Sequence[FileOutcome]) -> str:
    if len(group) == 1:
        return group[0].path
    return os.path.join(os.path.dirname(group[0].path), "*")  # noqa: PTH118, PTH120  text
