"""Recognise formats that no fixed bytes tell; it imports nothing heavy."""

from __future__ import annotations

from pathlib import Path

__all__ = ["looks_like_bmp", "looks_like_metaimage", "looks_like_npz"]

# A MetaImage header begins with one of these keys; MetaIO writes ObjectType first.
_META_KEYS = (b"objecttype", b"ndims", b"comment")
# Sizes of the headers that follow a bitmap's first 14 bytes, from OS/2 to version 5.
_BITMAP_HEADERS = (12, 16, 40, 52, 56, 64, 108, 124)


def looks_like_bmp(path: Path, head: bytes) -> bool:  # noqa: ARG001  one signature
    """Whether a bitmap's two letters are followed by a header of a known size."""
    return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BITMAP_HEADERS


def looks_like_metaimage(path: Path, head: bytes) -> bool:
    """Whether the first line is one of MetaImage's, and an image is meant."""
    key, found, _ = head.partition(b"=")
    lower = head.lower()
    return (
        bool(found)
        and key.strip().lower() in _META_KEYS
        and (b"dimsize" in lower or path.suffix.lower() in (".mha", ".mhd"))
    )


def looks_like_npz(path: Path, head: bytes) -> bool:
    """Whether it is a zip archive that is called ``.npz``: other archives look the same."""
    return head.startswith(b"PK\x03\x04") and path.suffix.lower() == ".npz"
