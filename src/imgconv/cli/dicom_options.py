"""Options of commands that write DICOM: which object, and who, when and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from imgconv.cli import completion
from imgconv.errors import UsageError

__all__ = [
    "AsOption",
    "EmptyFramesOption",
    "LayersOption",
    "MetadataOption",
    "ReferenceOption",
    "ResampleOption",
    "SegmentsOption",
    "SetOption",
    "TransferSyntaxOption",
    "UidSeedOption",
    "dicom_write_options",
    "is_label_object",
]

_PANEL = "DICOM output"

AsOption = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="OBJECT",
        help="ct, mr, pet, enhanced-ct, enhanced-mr, parametric-map, secondary-capture, "
        "photo, segmentation ... [default: what fits the input]",
        rich_help_panel=_PANEL,
        autocompletion=completion.objects,
    ),
]
ReferenceOption = Annotated[
    list[str],
    typer.Option(
        "--reference",
        metavar="DICOM",
        help="Take patient, study and frame of reference from this file or folder.",
        rich_help_panel=_PANEL,
    ),
]
MetadataOption = Annotated[
    list[str],
    typer.Option(
        "--metadata",
        metavar="FILE",
        help="Attributes, as JSON, YAML or CSV.",
        rich_help_panel=_PANEL,
    ),
]
SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="KEYWORD=VALUE", help="One attribute.", rich_help_panel=_PANEL),
]
UidSeedOption = Annotated[
    str,
    typer.Option(
        "--uid-seed", metavar="TEXT", help="The same UIDs in every run.", rich_help_panel=_PANEL
    ),
]
TransferSyntaxOption = Annotated[
    str,
    typer.Option(
        "--transfer-syntax",
        metavar="NAME",
        help="Compress without loss: jpeg-ls, jpeg2000-lossless, rle, deflated ...",
        rich_help_panel=_PANEL,
        autocompletion=completion.transfer_syntaxes,
    ),
]
SegmentsOption = Annotated[
    str,
    typer.Option(
        "--segments",
        metavar="FILE",
        help="Names, codes and colours of the labels, as JSON, CSV or colour table.",
        rich_help_panel=_PANEL,
    ),
]
EmptyFramesOption = Annotated[
    bool,
    typer.Option(
        "--empty-frames",
        help="Keep frames of a segmentation without the segment.",
        rich_help_panel=_PANEL,
    ),
]
LayersOption = Annotated[
    bool,
    typer.Option(
        "--layers",
        help="All inputs are layers of one label map, and may overlap.",
        rich_help_panel=_PANEL,
    ),
]
ResampleOption = Annotated[
    bool,
    typer.Option(
        "--resample",
        help="Interpolate rows that are not orthogonal to columns.",
        rich_help_panel=_PANEL,
    ),
]


def dicom_write_options(
    target: str,
    *,
    object_name: str,
    reference: list[str],
    metadata: list[str],
    assignments: list[str],
    uid_seed: str,
    segments: str = "",
    empty_frames: bool = False,
    resample: bool = False,
    transfer_syntax: str = "",
) -> dict[str, Any]:
    """Return the keyword arguments of `WriteOptions` that the DICOM options stand for.

    Raises
    ------
    UsageError
        One is given, but the target is not DICOM; or one has a mistake that
        can be told before any input is read.
    """
    given = {
        "--as": object_name,
        "--reference": reference,
        "--metadata": metadata,
        "--set": assignments,
        "--uid-seed": uid_seed,
        "--segments": segments,
        "--empty-frames": empty_frames,
        "--resample": resample,
        "--transfer-syntax": transfer_syntax,
    }
    used = [name for name, value in given.items() if value]
    if not used:
        return {}
    if target.lower().lstrip(".") not in ("dicom", "dcm"):
        if used == ["--reference"]:  # contours are read on the grid of their images
            _require_existing("--reference", reference)
            return {}
        raise UsageError(f"`{used[0]}` is about DICOM output", hint="add `--to dicom`")
    from imgconv.dicom.context import check_assignments
    from imgconv.dicom.recode_new import find_lossless_syntax

    _require_existing("--reference", reference)
    _require_existing("--metadata", metadata)
    _require_existing("--segments", [segments] if segments else [])
    return {
        "reference": tuple(Path(path) for path in reference),
        "metadata": check_assignments(assignments),
        "extra": {
            "dicom": {
                "as": object_name,
                "uid_seed": uid_seed,
                "resample": resample,
                "metadata_files": tuple(metadata),
                "segments": segments,
                "empty_frames": empty_frames,
                "transfer_syntax": find_lossless_syntax(transfer_syntax) if transfer_syntax else "",
            }
        },
    }


def is_label_object(name: str) -> bool:
    """Whether ``--as`` names an object of labels: pictures are read for them then."""
    if not name:
        return False
    from imgconv.dicom.sops._table import get_object

    return get_object(name).modality in {"SEG", "RTSTRUCT"}


def _require_existing(option: str, paths: list[str]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"`{option}` does not exist", path=path)
