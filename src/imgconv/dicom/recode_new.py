"""Bring files that were just made into a transfer syntax that loses nothing.

The codecs are imported when they are needed: most output is uncompressed.
"""

from __future__ import annotations

from pathlib import Path

from imgconv.errors import UnsupportedData, UsageError
from imgconv.standard.transfer_syntaxes import find_transfer_syntax

__all__ = ["find_lossless_syntax", "recode_new"]


def find_lossless_syntax(name: str) -> str:
    """Return the UID of a transfer syntax that loses nothing.

    Raises
    ------
    UsageError
        There is none of that name, it may lose information, or it holds no
        still images.
    UnsupportedData
        No codec writes it.
    """
    from imgconv.codecs.select import find_encoder

    syntax = find_transfer_syntax(name.strip())
    if syntax is None:
        raise UsageError(
            f"unknown transfer syntax `{name}`", hint="list them by `imgconv transfer-syntaxes`"
        )
    if syntax.lossy:
        raise UsageError(
            f"`{name}` may lose information; `--transfer-syntax` takes lossless ones",
            hint="write without it, then compress by `imgconv transcode`",
        )
    find_encoder(syntax.uid)
    return syntax.uid


def recode_new(source: Path, target: Path, transfer_syntax_uid: str) -> None:
    """Write the file `source` to `target` in another transfer syntax; each frame is checked.

    Raises
    ------
    UnsupportedData
        The syntax does not hold such pixel data.
    OutputError
        `target` cannot be written.
    """
    from imgconv.dicom.recode import RecodeOptions, recode
    from imgconv.dicom.splice import split_file

    try:
        recode(split_file(source), target, RecodeOptions(target=transfer_syntax_uid))
    except UnsupportedData as error:
        raise UnsupportedData(
            error.message, hint="leave out `--transfer-syntax`, or choose `deflated`"
        ) from error
