"""Unpack ZIP and TAR archives into a folder, without trusting a name or a size in them."""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tarfile import HeaderError, ReadError
from typing import IO, Self

from imgconv.core.expansion import ARCHIVE
from imgconv.errors import CorruptData, UnsupportedData, output_error

__all__ = ["Member", "unpack"]

_MAX_MEMBERS = 2_000_000
_COPY_BYTES = 1 << 20
_END_OF_TAR = ("EOFHeaderError", "EmptyHeaderError")  # of tarfile, which does not export them
_BOMB = "the archive unpacks to more than any scanner's data would"
# Long names and extended headers are read into memory, as a whole.
_HEADERS = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)
_LONG_NAMES = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
_MAX_HEADER_BYTES = 1 << 20
_DAMAGE = "it is truncated or damaged"
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

    Links, devices, encrypted or damaged members and names that lead out of the
    folder are left out, with the reason. An archive that is damaged behind sound
    members gives these, and last a member without a name for what was lost.

    Raises
    ------
    CorruptData
        Nothing in the archive is sound, or it is so large when unpacked that it
        is hostile.
    UnsupportedData
        Its compression is not known to this Python.
    OutputError
        The files cannot be written.
    """
    try:
        members = _Unpacking(archive, folder).run()
    except CorruptData as error:
        raise error.with_path(archive) from None
    except tarfile.CompressionError as error:
        raise UnsupportedData("its compression is not supported", path=archive) from error
    except OSError as error:
        raise output_error(error, folder) from error
    if members and not any(one.path or one.reason != _DAMAGE for one in members):
        raise CorruptData("the archive is truncated or damaged", path=archive)
    return tuple(members)


# A member's name, how it is opened unless it is left out, and why it is.
Entry = tuple[str, Callable[[], IO[bytes] | None] | None, str]


class _Unpacking:
    """The members that have been unpacked so far, and what may still be."""

    def __init__(self, archive: Path, folder: Path) -> None:
        self._archive = archive
        self._folder = folder
        self._is_zip = zipfile.is_zipfile(archive)
        self._allowance = ARCHIVE.limit(archive.stat().st_size)
        self._taken: dict[str, int] = {}
        self._members: list[Member] = []

    def run(self) -> list[Member]:
        """Unpack until the end, or until no further member can be found."""
        iterate = _iter_zip if self._is_zip else _iter_tar
        with closing(_limited(iterate(self._archive))) as entries:
            while (name := self._unpack_next(entries)) is not None:
                # A ZIP archive tells where each member is; in a TAR file one follows the other.
                if name and self._members[-1].reason == _DAMAGE and not self._is_zip:
                    self._members.append(Member("", None, _DAMAGE))
                    break
        return self._members

    def _unpack_next(self, entries: Iterator[Entry]) -> str | None:
        """Unpack one member and return its name, None if there is no further one."""
        name, target = "", None
        try:
            entry = next(entries, None)
            if entry is None:
                return None
            name, open_member, reason = entry
            safe = _safe_name(name, self._taken)
            if open_member is None or safe is None:
                reason = reason or "its name leads out of the archive"
                self._members.append(Member(name, None, reason))
                return name
            target = self._folder / safe
            self._allowance -= _copy(open_member(), target, self._allowance)
        except (*_DAMAGED, OSError) as error:
            if isinstance(error, tarfile.CompressionError):
                raise
            if isinstance(error, OSError) and error.errno is not None:
                raise
            if target is not None:
                target.unlink(missing_ok=True)
            self._members.append(Member(name, None, _DAMAGE))
            return name or None
        self._members.append(Member(name, target))
        return name


def _limited(entries: Iterator[Entry]) -> Generator[Entry, None, None]:
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
            yield info.filename, partial(opened.open, info), ""


def _iter_tar(archive: Path) -> Iterator[Entry]:
    limit = ARCHIVE.limit(archive.stat().st_size)
    with tarfile.open(archive, "r:*", tarinfo=_StrictInfo) as opened:
        for info in opened:
            # What is not wanted is unpacked as well, to get to what follows.
            has_data = not (info.islnk() or info.issym() or info.isdev())
            if has_data and info.offset_data + info.size > limit:
                raise CorruptData(_BOMB)
            if info.isdir():
                continue
            if info.isreg():
                yield info.name, partial(opened.extractfile, info), ""
            else:
                yield info.name, None, "it is a link or a device"


class _StrictInfo(tarfile.TarInfo):
    """A member's header; `tarfile` takes a damaged one for the end of the archive."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Decode a header."""
        info = super().frombuf(buf, encoding, errors)
        if info.type in (*_HEADERS, *_LONG_NAMES) and info.size > _MAX_HEADER_BYTES:
            raise CorruptData(f"the archive has a header of `{info.size}` bytes")
        return info

    @classmethod
    def fromtarfile(cls, tarfile: tarfile.TarFile) -> Self:  # its name there
        """Read the next header."""
        try:
            return super().fromtarfile(tarfile)
        except HeaderError as error:
            if type(error).__name__ in _END_OF_TAR:
                raise
            raise ReadError(str(error)) from error


def _safe_name(name: str, taken: dict[str, int]) -> str | None:
    """Return a relative path for a member that no other one has, None if it leads out.

    `taken` maps paths, in small letters, to how many members wanted them; it is added to.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or re.match(r"[A-Za-z]:", parts[0]):
        return None
    safe = "/".join(re.sub(r"[^\w.\- ]", "_", part)[-100:] for part in parts[-8:])
    stem, number = safe, taken.get(safe.lower(), 0)
    while safe.lower() in taken:
        number += 1
        safe = f"{number}/{stem}"
    taken[stem.lower()] = number or 1
    taken[safe.lower()] = taken.get(safe.lower(), 1)
    return safe


def _copy(stream: IO[bytes] | None, target: Path, allowance: int) -> int:
    """Copy a member, close it, and return its size."""
    if stream is None:  # typeshed: of a member that is no regular file
        raise tarfile.ReadError
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with stream, target.open("xb") as output:
        while data := stream.read(_COPY_BYTES):
            written += len(data)
            if written > allowance:
                raise CorruptData(_BOMB)
            output.write(data)
    return written
