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
        encodes=_uids("", ".1", ".1.98", ".1.99", ".2"),
        decode="imgconv.codecs.native:decode",
        encode="imgconv.codecs.native:encode",
    ),
    CodecSpec(
        family="deflated-frame",
        library="isal",
        decodes=_uids(".8.1"),
        encodes=_uids(".8.1"),
        decode="imgconv.codecs.deflated:decode",
        encode="imgconv.codecs.deflated:encode",
    ),
    CodecSpec(
        family="rle",
        library="imagecodecs",
        decodes=_uids(".5"),
        encodes=_uids(".5"),
        decode="imgconv.codecs.rle:decode",
        encode="imgconv.codecs.rle:encode",
    ),
    CodecSpec(
        family="jpeg",
        library="imagecodecs",
        # The retired spectral selection and full progression processes are decoded as well:
        # they are what libjpeg calls progressive.
        decodes=_uids(".4.50", ".4.51", ".4.53", ".4.55"),
        encodes=_uids(".4.50", ".4.51"),
        decode="imgconv.codecs.jpeg:decode",
        encode="imgconv.codecs.jpeg:encode",
    ),
    CodecSpec(
        # Measured: 70 ms for a frame that libjpeg-turbo encodes in 172 ms.
        family="jpeg-lossless",
        library="numpy",
        encodes=_uids(".4.57", ".4.70"),
        encode="imgconv.codecs.lossless_jpeg:encode",
    ),
    CodecSpec(
        family="jpeg-lossless",
        library="imagecodecs",
        decodes=_uids(".4.57", ".4.70"),
        encodes=_uids(".4.57", ".4.70"),
        decode="imgconv.codecs.jpeg:decode",
        encode="imgconv.codecs.jpeg:encode_lossless",
    ),
    CodecSpec(
        family="jpeg-ls",
        library="imagecodecs",
        decodes=_uids(".4.80", ".4.81"),
        encodes=_uids(".4.80", ".4.81"),
        decode="imgconv.codecs.jpeg_ls:decode",
        encode="imgconv.codecs.jpeg_ls:encode",
    ),
    CodecSpec(
        family="jpeg2000",
        library="imagecodecs",
        decodes=_uids(".4.90", ".4.91"),
        encodes=_uids(".4.90", ".4.91"),
        decode="imgconv.codecs.jpeg2000:decode",
        encode="imgconv.codecs.jpeg2000:encode",
    ),
    CodecSpec(
        family="htj2k",
        library="imagecodecs",
        decodes=_uids(".4.201", ".4.202", ".4.203"),
        encodes=_uids(".4.201", ".4.202", ".4.203"),
        decode="imgconv.codecs.jpeg2000:decode_htj2k",
        encode="imgconv.codecs.jpeg2000:encode_htj2k",
    ),
    CodecSpec(
        family="jpeg-xl",
        library="imagecodecs",
        decodes=_uids(".4.110", ".4.111", ".4.112"),
        encodes=_uids(".4.110", ".4.112"),
        decode="imgconv.codecs.jpeg_xl:decode",
        encode="imgconv.codecs.jpeg_xl:encode",
    ),
    # Second decoders: for `--verify full`, and for those who ask for them.
    CodecSpec(
        family="rle",
        library="pylibjpeg",
        decodes=_uids(".5"),
        decode="imgconv.codecs.pylibjpeg:decode_rle",
        releases_gil=False,
    ),
    CodecSpec(
        family="jpeg",
        library="pylibjpeg",
        decodes=_uids(".4.50", ".4.51"),
        decode="imgconv.codecs.pylibjpeg:decode_jpeg",
        releases_gil=False,
    ),
    CodecSpec(
        family="jpeg-lossless",
        library="pylibjpeg",
        decodes=_uids(".4.57", ".4.70"),
        decode="imgconv.codecs.pylibjpeg:decode_jpeg",
        releases_gil=False,
    ),
    CodecSpec(
        family="jpeg-ls",
        library="pylibjpeg",
        decodes=_uids(".4.80", ".4.81"),
        decode="imgconv.codecs.pylibjpeg:decode_jpeg",
        releases_gil=False,
    ),
    CodecSpec(
        family="jpeg2000",
        library="pylibjpeg",
        decodes=_uids(".4.90", ".4.91"),
        decode="imgconv.codecs.pylibjpeg:decode_jpeg2000",
        releases_gil=False,
    ),
    CodecSpec(
        family="htj2k",
        library="pylibjpeg",
        decodes=_uids(".4.201", ".4.202", ".4.203"),
        decode="imgconv.codecs.pylibjpeg:decode_jpeg2000",
        releases_gil=False,
    ),
)
