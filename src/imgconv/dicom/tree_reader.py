"""Read a DICOM file as it is: preamble, file meta information, data set, problems.

Nothing is repaired; where the file contradicts itself, what its bytes say is
used, and a `Problem` is noted.

Source
------
PS3.10 7.1 (file meta information); PS3.5 annex A (transfer syntaxes)
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from imgconv.dicom.element_reader import VRS, ElementReader, StopReading
from imgconv.dicom.elements import Buffer, Item, Problem, Tree, format_tag
from imgconv.errors import CorruptData, UnsupportedData, input_error
from imgconv.standard.elements import find_vr

__all__ = ["read_tree"]

# A few bytes before the first element are what is left of a preamble that was cut.
_MAX_STRAY_BYTES = 16
_MAP_BYTES = 1 << 25  # larger files are mapped
_IMPLICIT, _BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2"
_DEFLATED = ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205")


def read_tree(path: Path, data: Buffer | None = None) -> Tree:
    """Read a DICOM file, or `data` that came from it.

    Raises
    ------
    InputError
        It cannot be read.
    CorruptData
        It is empty or no DICOM.
    UnsupportedData
        It inflates so far that it was made to fill the memory.
    """
    if data is None:
        data = _read(path)
    tree = Tree(path, len(data), data)
    start = _find_start(tree)
    start = _read_meta(tree, start)
    _choose_encoding(tree, start)
    if tree.transfer_syntax in _DEFLATED and not tree.has_problem("encoding"):
        start = _inflate(tree, start)
    reader = ElementReader(tree, tree.data)
    try:
        end = reader.read_item(tree.dataset, start, len(tree.data), 0, explicit=tree.explicit)
        if end < len(tree.data):
            tree.problems.append(Problem("trailing", note=f"{len(tree.data) - end} bytes"))
    except StopReading:
        pass
    if not tree.dataset.elements:
        raise CorruptData("is no DICOM: no data element can be read", path=path)
    return tree


def _read(path: Path) -> Buffer:
    try:
        size = path.stat().st_size
        if size < _MAP_BYTES:
            return path.read_bytes()
        with path.open("rb") as stream:
            return memoryview(mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise input_error(error, path) from error


def _find_start(tree: Tree) -> int:
    """Return where the first element stands; set the preamble if there is one."""
    data = tree.data
    if bytes(data[128:132]) == b"DICM":
        tree.preamble = bytes(data[:128])
        return 132
    if bytes(data[:4]) == b"DICM":
        return 4
    if len(data) >= 8 and _looks_like_element(data, 0):
        return 0
    # A preamble whose signature is lost, before a file meta group.
    if bytes(data[132:136]) in (b"\2\0\0\0", b"\2\0\1\0", b"\2\0\2\0"):
        tree.preamble = None
        return 132
    for start in range(1, _MAX_STRAY_BYTES):
        if len(data) >= start + 8 and _starts_with_two_elements(data, start):
            tree.problems.append(Problem("leading", note=f"{start} bytes"))
            return start
    raise CorruptData("is no DICOM", path=tree.path)


def _starts_with_two_elements(data: Buffer, at: int) -> bool:
    """Whether two explicit elements of group 0008 stand there, in order."""
    if bytes(data[at : at + 2]) != b"\x08\0" or bytes(data[at + 4 : at + 6]) not in VRS:
        return False
    _, first, _, length = struct.unpack_from("<HH2sH", data, at)
    after = at + 8 + length
    if after + 8 > len(data) or bytes(data[after + 4 : after + 6]) not in VRS:
        return False
    group, second, _, _ = struct.unpack_from("<HH2sH", data, after)
    return bool(group == 8 and second > first)


def _looks_like_element(data: Buffer, at: int) -> bool:
    return any(_is_plausible(data, at, order) for order in "<>")


def _is_plausible(data: Buffer, at: int, order: str) -> bool:
    group, element, vr, _length = struct.unpack_from(f"{order}HH2sH", data, at)
    if group not in (2, 8, 0x10, 0x20, 0x28, 4):
        return False
    if vr in VRS:
        return True
    (long_length,) = struct.unpack_from(f"{order}I", data, at + 4)
    known = element == 0 or find_vr(group << 16 | element) is not None
    return known and long_length <= len(data) - at - 8


def _read_meta(tree: Tree, start: int) -> int:
    """Read group 0002, always explicit little endian; return where it ends."""
    data = tree.data
    if len(data) < start + 8 or bytes(data[start : start + 2]) != b"\2\0":
        return start
    tree.meta = Item()
    reader = ElementReader(tree, data)
    try:
        end = reader.read_item(tree.meta, start, len(data), 0, explicit=True, only_group=2)
    except StopReading:
        end = len(data)
    tree.transfer_syntax = tree.meta.text(0x00020010)
    length = tree.meta.get(0x00020000)
    if length is not None:
        declared = tree.meta.integer(0x00020000)
        if declared != end - (start + 8 + len(length.value)):
            tree.problems.append(Problem("group-length", format_tag(0x00020000)))
    return end


def _choose_encoding(tree: Tree, start: int) -> None:
    """Decide between implicit and explicit, little and big endian, by the declared syntax.

    Where the first bytes contradict it, what they say is used and a problem is noted.
    """
    syntax, data = tree.transfer_syntax, tree.data
    big = syntax == _BIG_ENDIAN
    if len(data) < start + 8:
        return
    looks_explicit = bytes(data[start + 4 : start + 6]) in VRS
    tree.explicit = looks_explicit if not syntax else syntax != _IMPLICIT
    if syntax in _DEFLATED:
        if looks_explicit:
            tree.problems.append(Problem("encoding", note="the data set is not deflated"))
        tree.explicit = True
        return
    group = int.from_bytes(bytes(data[start : start + 2]), "big" if big else "little")
    if group > 0xFF and group >> 8 and not group & 0xFF:  # read in the wrong byte order
        tree.problems.append(Problem("encoding", note="the byte order is another"))
        big = not big
    elif syntax and looks_explicit != tree.explicit:
        found = "explicit" if looks_explicit else "implicit"
        tree.problems.append(Problem("encoding", note=f"the value representations are {found}"))
        tree.explicit = looks_explicit
    elif not syntax and tree.meta is None and group > 0xFF and not group & 0xFF:
        big = True
    tree.dataset.big_endian = big


def _inflate(tree: Tree, start: int) -> int:
    """Inflate the data set into `tree.data`; return 0, where it starts there."""
    # Needs numpy, which a process that only hands files to workers does without.
    from imgconv.dicom.header_scan import inflate_part

    try:
        plain, complete = inflate_part(bytes(tree.data[start:]))
    except CorruptData:
        plain, complete = b"", False
    except UnsupportedData as error:  # made to fill the memory: nothing is known about it
        raise error.with_path(tree.path) from None
    if not complete:
        tree.problems.append(Problem("deflate"))
    tree.data = plain
    return 0
