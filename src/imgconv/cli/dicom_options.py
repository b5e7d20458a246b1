"""Options of commands that write DICOM: which object, and who, when and how."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

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
]

AsOption = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="OBJECT",
        help="DICOM: ct, mr, pet, enhanced-ct, enhanced-mr, parametric-map, secondary-capture, "
        "photo, segmentation ... [default: what fits the input]",
    ),
]
ReferenceOption = Annotated[
    list[str],
    typer.Option(
        "--reference",
        metavar="DICOM",
        help="DICOM: take patient, study and frame of reference from this file or folder.",
    ),
]
MetadataOption = Annotated[
    list[str],
    typer.Option("--metadata", metavar="FILE", help="DICOM: attributes, as JSON, YAML or CSV."),
]
SetOption = Annotated[
    list[str],
    typer.Option("--set", metavar="KEYWORD=VALUE", help="DICOM: one attribute."),
]
UidSeedOption = Annotated[
    str,
    typer.Option("--uid-seed", metavar="TEXT", help="DICOM: the same UIDs in every run."),
]
TransferSyntaxOption = Annotated[
    str,
    typer.Option(
        "--transfer-syntax",
        metavar="NAME",
        help="DICOM: compress without loss: jpeg-ls, jpeg2000-lossless, rle, deflated ...",
    ),
]
SegmentsOption = Annotated[
    str,
    typer.Option(
        "--segments",
        metavar="FILE",
        help="Segmentation: names, codes and colours of the labels, as JSON, CSV or colour table.",
    ),
]
EmptyFramesOption = Annotated[
    bool,
    typer.Option("--empty-frames", help="Segmentation: keep frames without the segment."),
]
LayersOption = Annotated[
    bool,
    typer.Option("--layers", help="Segmentation: all inputs are layers of one, and may overlap."),
]
ResampleOption = Annotated[
    bool,
    typer.Option("--resample", help="DICOM: interpolate rows that are not orthogonal to columns."),
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


def _require_existing(option: str, paths: list[str]) -> None:
    for path in paths:
        if not Path(path).exists():
            raise UsageError(f"`{option}` does not exist", path=path)
