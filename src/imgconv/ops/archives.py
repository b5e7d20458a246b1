"""Unpack ZIP and TAR archives into a folder, without trusting a name or a size in them."""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from imgconv.errors import CorruptData, UnsupportedData, output_error

__all__ = ["Member", "unpack"]

# Scanner data compresses 2 to 20 times; what exceeds both limits is a bomb.
_MAX_RATIO = 200
_FREE_BYTES = 1 << 29
_MAX_MEMBERS = 2_000_000
_COPY_BYTES = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    UnicodeError,
    ValueError,
    NotImplementedError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive.

    `path` is where it was unpacked, None if it was not, for the `reason`.
    """

    name: str
    path: Path | None
    reason: str = ""


def unpack(archive: Path, folder: Path) -> tuple[Member, ...]:
    """Unpack the regular files of an archive below `folder`.

    Links, devices, encrypted members and names that lead out of the folder
    are left out, with the reason.

    Raises
    ------
    CorruptData
        The archive is damaged, or so large when unpacked that it is hostile.
    UnsupportedData
        Its compression is not known to this Python.
    OutputError
        The files cannot be written.
    """
    allowance = max(_FREE_BYTES, archive.stat().st_size * _MAX_RATIO)
    iterate = _iter_zip if zipfile.is_zipfile(archive) else _iter_tar
    members: list[Member] = []
    taken: set[str] = set()
    try:
        for name, stream, reason in _limited(iterate(archive)):
            safe = _safe_name(name, taken)
            if stream is None or safe is None:
                members.append(Member(name, None, reason or "its name leads out of the archive"))
                continue
            target = folder / safe
            allowance -= _copy(stream, target, allowance)
            members.append(Member(name, target))
    except CorruptData as error:
        raise error.with_path(archive) from None
    except tarfile.CompressionError as error:
        raise UnsupportedData("its compression is not supported", path=archive) from error
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise output_error(error, folder) from error
        raise CorruptData("the archive is truncated or damaged", path=archive) from error
    return tuple(members)


Entry = tuple[str, IO[bytes] | None, str]


def _limited(entries: Iterator[Entry]) -> Iterator[Entry]:
    for number, entry in enumerate(entries):
        if number >= _MAX_MEMBERS:
            raise CorruptData(f"the archive has more than `{_MAX_MEMBERS}` members")
        yield entry


def _iter_zip(archive: Path) -> Iterator[Entry]:
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if info.is_dir():
                continue
            if info.flag_bits & 1:  # APPNOTE 4.4.4: bit 0, encrypted
                yield info.filename, None, "it is encrypted"
                continue
            with opened.open(info) as stream:
                yield info.filename, stream, ""


def _iter_tar(archive: Path) -> Iterator[Entry]:
    with tarfile.open(archive, "r:*") as opened:
        for info in opened:
            if info.isdir():
                continue
            stream = opened.extractfile(info) if info.isreg() else None
            yield info.name, stream, "" if stream else "it is a link or a device"


def _safe_name(name: str, taken: set[str]) -> str | None:
    """Return a relative path for a member that no other one has, None if it leads out."""
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or re.match(r"[A-Za-z]:", parts[0]):
        return None
    safe = "/".join(re.sub(r"[^\w.\- ]", "_", part)[-100:] for part in parts[-8:])
    stem, number = safe, 1
    while safe.lower() in taken:
        number += 1
        safe = f"{number}/{stem}"
    taken.add(safe.lower())
    return safe


def _copy(stream: IO[bytes], target: Path, allowance: int) -> int:
    """Copy a member and return its size."""
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with target.open("xb") as output:
        while data := stream.read(_COPY_BYTES):
            written += len(data)
            if written > allowance:
                raise CorruptData("the archive unpacks to more than any scanner's data would")
            output.write(data)
    return written
