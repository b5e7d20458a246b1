"""What workers import before their first file; light, so that the command can start them first."""

from __future__ import annotations

from imgconv.standard.transfer_syntaxes import TransferSyntax

__all__ = ["preload_for"]

_CODECS = {
    "jpeg-ls": "imagecodecs._jpegls",
    "jpeg": "imagecodecs._jpeg8",
    "jpeg-lossless": "imgconv.codecs.lossless_jpeg",
    "jpeg2000": "imagecodecs._jpeg2k",
    "htj2k": "imagecodecs._htj2k",
    "jpeg-xl": "imagecodecs._jpegxl",
    "rle": "imagecodecs._imcd",
}


def preload_for(syntax: TransferSyntax) -> tuple[str, ...]:
    """Return the modules that transcoding to a syntax needs."""
    codec = _CODECS.get(syntax.family)
    return ("imgconv.ops.transcode", "imgconv.codecs.native", *((codec,) if codec else ()))
