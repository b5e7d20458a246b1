"""Codecs: one frame's bytes <-> samples; a table says which library serves which syntax.

``decode_frame`` and ``encode_frame`` are the only doors; they decide once
which library is used, and never try a second one.
"""

from __future__ import annotations

from imgconv.codecs.frame import Frame, PixelFormat, significant
from imgconv.codecs.select import decode_frame, find_decoder

__all__ = ["Frame", "PixelFormat", "decode_frame", "find_decoder", "significant"]
