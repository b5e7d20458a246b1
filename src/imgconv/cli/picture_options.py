"""Options of commands that write pictures: which slices, which values."""

from __future__ import annotations

from typing import Annotated, Any

import typer

__all__ = [
    "FramesOption",
    "MontageOption",
    "OverlaysOption",
    "QualityOption",
    "ValuesOption",
    "WindowOption",
    "picture_write_options",
]

_PANEL = "Picture output"

ValuesOption = Annotated[
    str,
    typer.Option(
        "--values",
        metavar="auto|rendered|stored",
        help="As a viewer shows them, or the samples as they are.",
        rich_help_panel=_PANEL,
    ),
]
WindowOption = Annotated[
    str,
    typer.Option(
        "--window",
        metavar="header|auto|full|C/W",
        help="The values that are shown.",
        rich_help_panel=_PANEL,
    ),
]
OverlaysOption = Annotated[
    bool, typer.Option("--overlays", help="Draw the overlays.", rich_help_panel=_PANEL)
]
FramesOption = Annotated[
    str,
    typer.Option(
        "--frames",
        metavar="all|middle|1,5-9",
        help="Only these slices. [default: all]",
        rich_help_panel=_PANEL,
    ),
]
MontageOption = Annotated[
    str,
    typer.Option(
        "--montage",
        metavar="COLUMNS|auto",
        help="One picture of all slices.",
        rich_help_panel=_PANEL,
    ),
]
QualityOption = Annotated[
    int | None,
    typer.Option(
        "--quality",
        min=1,
        max=100,
        metavar="1..100",
        help="Of lossy pictures. [default: 92]",
        rich_help_panel=_PANEL,
    ),
]


def picture_write_options(
    *, values: str, window: str, overlays: bool, frames: str, montage: str
) -> dict[str, Any]:
    """Return what goes into ``WriteOptions.extra``, without what was not given."""
    given = {
        "values": values,
        "window": window,
        "overlays": overlays,
        "frames": frames,
        "montage": montage,
    }
    own = {name: value for name, value in given.items() if value}
    return {"raster": own} if own else {}
