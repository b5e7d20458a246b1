"""Codecs: one frame's bytes <-> samples; a table says which library serves which syntax.

``decode_frame`` and ``encode_frame`` are the only doors; they decide once
which library is used, and never try a second one.
"""

from __future__ import annotations

from imgconv.codecs.encode import (
    EncodedFrame,
    EncodeOptions,
    encode_frame,
    plan_encoding,
    run_encoder,
)
from imgconv.codecs.frame import Frame, PixelFormat, significant
from imgconv.codecs.select import decode_frame, find_decoder, find_encoder

__all__ = [
    "EncodeOptions",
    "EncodedFrame",
    "Frame",
    "PixelFormat",
    "decode_frame",
    "encode_frame",
    "find_decoder",
    "find_encoder",
    "plan_encoding",
    "run_encoder",
    "significant",
]
