"""Which library serves which transfer syntaxes; within a family, the first that can is used.

The order is the order of preference: measured speed, then what a library gets right.
"""

from __future__ import annotations

from imgconv.spec import CodecSpec
from imgconv.standard.transfer_syntaxes import GE_PRIVATE

__all__ = ["CODECS"]

_BASE = "1.2.840.10008.1.2"


def _uids(*suffixes: str) -> tuple[str, ...]:
    return tuple(_BASE + suffix for suffix in suffixes)


CODECS: tuple[CodecSpec, ...] = (
    CodecSpec(
        family="native",
        library="numpy",
        decodes=(*_uids("", ".1", ".1.98", ".1.99", ".2"), GE_PRIVATE),
        decode="imgconv.codecs.native:decode",
    ),
    CodecSpec(
        family="deflated-frame",
        library="zlib",
        decodes=_uids(".8.1"),
        decode="imgconv.codecs.deflated:decode",
    ),
    CodecSpec(
        family="rle",
        library="imagecodecs",
        decodes=_uids(".5"),
        decode="imgconv.codecs.rle:decode",
    ),
    CodecSpec(
        family="jpeg",
        library="imagecodecs",
        # The retired spectral selection and full progression processes are decoded as well:
        # they are what libjpeg calls progressive.
        decodes=_uids(".4.50", ".4.51", ".4.53", ".4.55"),
        decode="imgconv.codecs.jpeg:decode",
    ),
    CodecSpec(
        family="jpeg-lossless",
        library="imagecodecs",
        decodes=_uids(".4.57", ".4.70"),
        decode="imgconv.codecs.jpeg:decode",
    ),
    CodecSpec(
        family="jpeg-ls",
        library="imagecodecs",
        decodes=_uids(".4.80", ".4.81"),
        decode="imgconv.codecs.jpeg_ls:decode",
    ),
    CodecSpec(
        family="jpeg2000",
        library="imagecodecs",
        decodes=_uids(".4.90", ".4.91"),
        decode="imgconv.codecs.jpeg2000:decode",
    ),
    CodecSpec(
        family="htj2k",
        library="imagecodecs",
        decodes=_uids(".4.201", ".4.202", ".4.203"),
        decode="imgconv.codecs.jpeg2000:decode_htj2k",
    ),
    CodecSpec(
        family="jpeg-xl",
        library="imagecodecs",
        decodes=_uids(".4.110", ".4.111", ".4.112"),
        decode="imgconv.codecs.jpeg_xl:decode",
    ),
)
