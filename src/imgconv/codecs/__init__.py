"""Codecs: one frame's bytes <-> samples; a table says which library serves which syntax.

``decode_frame`` and ``encode_frame`` are the only doors; they decide once
which library is used, and never try a second one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgconv.codecs.encode import (
        EncodedFrame,
        EncodeOptions,
        encode_frame,
        plan_encoding,
        run_encoder,
    )
    from imgconv.codecs.frame import Frame, PixelFormat, significant
    from imgconv.codecs.select import decode_frame, find_decoder, find_encoder

_HOMES = {
    "EncodeOptions": "encode",
    "EncodedFrame": "encode",
    "Frame": "frame",
    "PixelFormat": "frame",
    "decode_frame": "select",
    "encode_frame": "encode",
    "find_decoder": "select",
    "find_encoder": "select",
    "plan_encoding": "encode",
    "run_encoder": "encode",
    "significant": "frame",
}

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


def __getattr__(name: str) -> Any:  # what it returns depends on the name
    """Import a name on first use: who only reads native samples needs no encoder."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"imgconv.codecs.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
