"""Decide once which format a file has: by magic, by probe, by extension."""

from __future__ import annotations

import os
import zlib
from functools import cache
from pathlib import Path

from imgconv.errors import input_error
from imgconv.formats._probes import looks_like_npz
from imgconv.registry import formats
from imgconv.spec import FormatSpec, Magic, resolve

__all__ = ["HEAD_BYTES", "detect_format", "is_archive", "read_head"]

HEAD_BYTES = 1024
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC = Magic(b"ustar", 257)
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def read_head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises
    ------
    InputError
        It cannot be read.
    """
    try:
        # Plain calls: a file object costs more than the read, for each of many files.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            return os.read(descriptor, HEAD_BYTES)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise input_error(error, path) from error


def is_archive(path: Path, head: bytes) -> bool:
    """Whether a file is a ZIP or (compressed) TAR archive."""
    named = path.name.lower().endswith(_TAR_NAMES)
    is_zip = head.startswith(_ZIP_MAGICS) and not looks_like_npz(path, head)
    return is_zip or _has(_TAR_MAGIC, head) or (named and len(head) > 0)


def detect_format(path: Path, head: bytes) -> FormatSpec | None:
    """Return the format of a file, None if no installed one recognises it.

    Parameters
    ----------
    head
        What `read_head` returned.

    Notes
    -----
    The order is: magic of our formats, their probes, plug-ins likewise, and
    at last the extension of formats that neither magic nor probe tells.
    """
    inflated = _inflate(head) if head.startswith(_GZIP_MAGIC) else b""
    own = formats.own()
    found = _by_magic(own, head, inflated) or _by_probe(own, path, head)
    if found is None:
        others = _plugins()
        found = _by_magic(others, head, inflated) or _by_probe(others, path, head)
    return found or _by_extension((*own, *_plugins()), path)


@cache
def _plugins() -> tuple[FormatSpec, ...]:
    own = {spec.name for spec in formats.own()}
    return tuple(spec for spec in formats if spec.name not in own)


def _by_magic(specs: tuple[FormatSpec, ...], head: bytes, inflated: bytes) -> FormatSpec | None:
    for spec in specs:
        if any(_has(magic, head) or _has(magic, inflated) for magic in spec.magic):
            return spec
    return None


def _by_probe(specs: tuple[FormatSpec, ...], path: Path, head: bytes) -> FormatSpec | None:
    for spec in specs:
        if spec.probe and resolve(spec.probe)(path, head):
            return spec
    return None


def _by_extension(specs: tuple[FormatSpec, ...], path: Path) -> FormatSpec | None:
    name = path.name.lower()
    for spec in specs:
        if not spec.magic and not spec.probe and name.endswith(spec.extensions):
            return spec
    return None


def _has(magic: Magic, head: bytes) -> bool:
    return head[magic.offset : magic.offset + len(magic.signature)] == magic.signature


def _inflate(head: bytes) -> bytes:
    try:
        return zlib.decompressobj(31).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""
