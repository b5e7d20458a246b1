"""Write a DICOM file in another transfer syntax: pixels recoded, all other bytes carried over.

A plan is made first from the header alone, so that what the standard does not
allow is refused before a frame is decoded; see `recode_plans`.

Source
------
PS3.5 8.2, A.4; PS3.3 C.7.6.3
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from imgconv.core.atomic import atomic_output
from imgconv.dicom.recode_plans import (
    RECOMPRESSIONS,
    Carried,
    Frames,
    Plan,
    Recoded,
    RecodeOptions,
    Recompressed,
    Verify,
)
from imgconv.dicom.splice import FileParts
from imgconv.errors import UnsupportedData
from imgconv.standard.transfer_syntaxes import BY_UID, JPEG_XL_RECOMPRESSION

__all__ = ["RecodeOptions", "Recoded", "Verify", "recode"]


def recode(
    parts: FileParts,
    target: Path,
    options: RecodeOptions,
    *,
    accept: Callable[[int], None] | None = None,
    replace_existing: bool = True,
) -> Recoded:
    """Write `parts` to `target` in another transfer syntax.

    Parameters
    ----------
    accept
        Called with the size of the new file before it gets its name; may raise.

    Raises
    ------
    UnsupportedData
        The target does not take such pixel data.
    CorruptData
        The pixel data are damaged.
    OutputError
        `target` cannot be written.
    """
    plan = _plan(parts, options)
    with atomic_output(target, replace=replace_existing) as stream:
        done = plan.write(stream)
        size = stream.tell()
        if accept is not None:
            accept(size)
    return replace(done, size_bytes=size)


def _plan(parts: FileParts, options: RecodeOptions) -> Plan:
    syntax = BY_UID[options.target]
    frames = parts.frames
    if parts.syntax.family == "video":
        raise UnsupportedData(
            f"`{parts.syntax.name}` is a video, which has no still frames",
            hint="copy it as it is by `--skip-compressed`",
        )
    if frames is None:
        if syntax.encapsulated:
            raise UnsupportedData("there are no pixel data to compress")
        return Carried(parts, options)
    recompress = RECOMPRESSIONS.get((parts.syntax.uid, options.target))
    if recompress is not None:
        return Recompressed(parts, options, recompress)
    if options.target == JPEG_XL_RECOMPRESSION:
        raise UnsupportedData(
            "JPEG XL JPEG Recompression takes JPEG Baseline files only",
            hint="choose `--to jpeg-xl`",
        )
    if not parts.syntax.encapsulated and not syntax.encapsulated:
        return Carried(parts, options)
    if parts.pixel_tag != 0x7FE00010:
        raise UnsupportedData(
            "floating point pixel data cannot be compressed", hint="choose `--to deflated`"
        )
    return Frames(parts, options)
