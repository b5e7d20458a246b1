"""The help of a command: its options in groups, and examples below them.

typer groups options only where rich draws the help, which costs 60 ms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand

__all__ = ["EXAMPLES", "GroupedCommand", "epilog_of"]

_CHOICES = re.compile(r"<([^<>]*\|[^<>]*)>")  # typer's form of choices, beside our own metavars

EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "convert": (
        "imgconv convert scans/ -o volumes/",
        "imgconv convert scans/ -o volumes/ --series 5 --name '{Modality}/{SeriesNumber:03}'",
        "imgconv convert brain.nii.gz -o brain.nrrd",
        "imgconv convert mask.nii.gz -o seg.dcm --as segmentation --reference ct/",
        "imgconv convert ct/ -o pictures/ --to png --window 400/40",
    ),
    "inspect": ("imgconv inspect scans/", "imgconv inspect study.zip --json"),
    "standardize": (
        "imgconv standardize old-cd/ -o clean/ --dry-run -v",
        'imgconv standardize scans/ -o clean/ --charset "ISO_IR 100" --set ConversionType=WSD',
        "imgconv standardize series/ -o enhanced/ --enhance",
    ),
    "transcode": (
        "imgconv transcode archive/ -o small/ --to jpeg-ls --manifest run.jsonl",
        "imgconv transcode archive/ --in-place --to htj2k --skip-compressed",
        "imgconv transcode us/ -o small/ --to jpeg --quality 90",
    ),
    "validate": (
        "imgconv validate study/",
        "imgconv validate study/ --profile research --fail-on warning",
        "imgconv validate data/ --report sarif:out.sarif --report html:out.html",
    ),
    "rules": ("imgconv rules M", "imgconv rules M001 missing-type-1"),
    "profile": (
        "imgconv profile list",
        "imgconv profile show research",
        "imgconv profile init chest-ct --from good/ -o chest-ct.yaml",
    ),
    "formats": ("imgconv formats", "imgconv formats --matrix"),
    "transfer-syntaxes": ("imgconv transfer-syntaxes --able",),
}


def epilog_of(name: str) -> str:
    """Return the examples of a command, each on a line of its own; empty if it has none."""
    lines = EXAMPLES.get(name, ())
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines))) if lines else ""


class GroupedCommand(TyperCommand):
    """A command whose help lists each group of options under its own heading."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # typer has no public types
        """Write arguments, options, and then each group."""
        groups: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                is_argument = parameter.param_type_name == "argument"
                panel = getattr(parameter, "rich_help_panel", None) or "Options"
                name, text = record
                row = (_CHOICES.sub(r"\1", name), text)
                groups.setdefault("Arguments" if is_argument else panel, []).append(row)
        for heading, rows in groups.items():
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)
