"""Read single-frame images as what they are to a multi-frame object: attributes and one frame each.

Values keep their bytes, so that what is the same in two files is told by
comparing bytes, and what is written is what was read.

Source
------
PS3.3 C.7.6.3 (image pixel); PS3.5 8.1 (native frames), A.4 (encapsulation)
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np

from imgconv.dicom.elements import Buffer, Element, Item, Tree
from imgconv.dicom.repair.encode import to_little_endian
from imgconv.dicom.tree_reader import read_tree
from imgconv.errors import CorruptData, UnsupportedData, input_error
from imgconv.standard.transfer_syntaxes import BY_UID, EXPLICIT_LITTLE

__all__ = ["ClassicFrame", "creator_of", "find_shared", "graft", "join_pixels", "read_frames"]

_READERS = 2  # threads that copy: what touches memory first waits for the system
_PIXEL_DATA, _FRAMES = 0x7FE00010, 0x00280008
_ROWS, _COLUMNS, _SAMPLES, _ALLOCATED = 0x00280010, 0x00280011, 0x00280002, 0x00280100
# What is about the file as it was, not about the image: padding, signatures.
_OF_THE_FILE = frozenset({0xFFFCFFFC, 0xFFFAFFFA, 0x4FFE0001})


@dataclass(frozen=True, slots=True)
class ClassicFrame:
    """One single-frame image.

    Parameters
    ----------
    path
        Its file.
    root
        Its attributes, little endian, without the pixel data.
    pixels
        The bytes of a native frame, without padding, or of its fragments.
    transfer_syntax
        Of the pixel data: explicit VR little endian if they are native.
    """

    path: Path
    root: Item
    pixels: tuple[Buffer, ...]
    transfer_syntax: str


def read_frames(paths: Sequence[Path], prepare: Callable[[Tree], object]) -> Iterator[ClassicFrame]:
    """Yield the images of files.

    Parameters
    ----------
    prepare
        Mends the encoding of a file, and what else the caller wants mended.

    Raises
    ------
    InputError
        A file cannot be read.
    CorruptData
        It is truncated, or its pixels are.
    UnsupportedData
        It has no pixels, or more than one frame.
    """
    for path, data in zip(paths, _read_all(paths), strict=True):
        tree = read_tree(path, data)
        prepare(tree)
        to_little_endian(tree.dataset)
        for tag in _OF_THE_FILE & tree.dataset.elements.keys():
            del tree.dataset.elements[tag]
        pixels, syntax = _take_pixels(tree)
        yield ClassicFrame(path, tree.dataset, pixels, syntax)


def _read_all(paths: Sequence[Path]) -> Iterator[memoryview]:
    """Yield the bytes of each file, all in one buffer, which other threads fill."""
    sizes = [_ask(path, lambda path: path.stat().st_size) for path in paths]
    places = _cut(_allocate(sum(sizes)), sizes)
    with ThreadPoolExecutor(_READERS) as readers:
        try:
            yield from readers.map(_read_into, paths, places)
        finally:
            readers.shutdown(cancel_futures=True)


def _cut(buffer: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    ends = list(accumulate(sizes))
    return [buffer[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def _read_into(path: Path, place: memoryview) -> memoryview:
    def read(path: Path) -> int:
        with path.open("rb", buffering=0) as stream:
            return stream.readinto(place) or 0

    return place[: _ask(path, read)]


def _ask(path: Path, question: Callable[[Path], int]) -> int:
    try:
        return question(path)
    except OSError as error:
        raise input_error(error, path) from error


def _allocate(size: int) -> memoryview:
    """Return a zeroed buffer, of huge pages if there are: touching small ones takes longer."""
    if not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(bytearray(size))
    # Shared memory, the default, has small pages.
    buffer = mmap.mmap(-1, max(size, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):
        buffer.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(buffer)[:size]


def _take_pixels(tree: Tree) -> tuple[tuple[Buffer, ...], str]:
    element = tree.dataset.elements.pop(_PIXEL_DATA, None)
    if element is None or (tree.dataset.integer(_FRAMES) or 1) != 1:
        raise UnsupportedData("is no image of one frame", path=tree.path)
    if element.fragments is None:
        return (_native_frame(tree, element),), EXPLICIT_LITTLE
    syntax = BY_UID.get(tree.transfer_syntax)
    if syntax is None or not syntax.encapsulated:
        raise UnsupportedData(
            "the pixel data are encapsulated, and no known transfer syntax is declared",
            path=tree.path,
        )
    whole = memoryview(tree.data)
    # PS3.5 A.4: the first item is the offset table.
    parts = tuple(whole[at : at + length] for at, length in element.fragments[1:])
    return parts, syntax.uid


def _native_frame(tree: Tree, element: Element) -> Buffer:
    root = tree.dataset
    sizes = [root.integer(tag) for tag in (_ROWS, _COLUMNS, _SAMPLES, _ALLOCATED)]
    rows, columns, samples, allocated = (size or 0 for size in sizes)
    if allocated % 8 or not rows * columns * samples * allocated:
        raise UnsupportedData("the size of the frame is not known", path=tree.path)
    expected = rows * columns * samples * allocated // 8
    if len(element.value) < expected:
        raise CorruptData(
            f"the pixel data have `{len(element.value)}` bytes; expected {expected}",
            path=tree.path,
        )
    return memoryview(element.value)[:expected]


def join_pixels(frames: Sequence[ClassicFrame]) -> tuple[Element, Buffer]:
    """Return Pixel Data of all frames in their order, and the buffer that holds them.

    Each encapsulated frame becomes one fragment, behind an empty offset table.
    """
    sizes = [sum(map(len, frame.pixels)) for frame in frames]
    view = _allocate(sum(sizes))
    with ThreadPoolExecutor(_READERS) as copying:
        for _ in copying.map(_copy_pixels, _cut(view, sizes), frames):
            pass
    starts = [0, *accumulate(sizes)]
    fragments = [(0, 0), *zip(starts, sizes, strict=False)]
    is_native = frames[0].transfer_syntax == EXPLICIT_LITTLE
    allocated = frames[0].root.integer(_ALLOCATED) or 0
    vr = "OW" if is_native and allocated > 8 else "OB"
    element = Element(Item(), _PIXEL_DATA, vr, view.toreadonly() if is_native else b"", vr)
    if not is_native:
        element.fragments = fragments
    return element, view.toreadonly()


def _copy_pixels(place: memoryview, frame: ClassicFrame) -> None:
    for part, room in zip(frame.pixels, _cut(place, [*map(len, frame.pixels)]), strict=True):
        # An assignment to the memoryview would hold the GIL.
        np.frombuffer(room, np.uint8)[:] = np.frombuffer(part, np.uint8)


def find_shared(frames: Sequence[ClassicFrame]) -> tuple[dict[int, Element], set[int]]:
    """Tell what all frames have with the same value from what differs.

    Returns
    -------
    tuple
        Elements of the first frame by tag, for all that is shared; the tags of
        the rest. A private element is shared only if its creator is.
    """
    first = frames[0].root.elements
    rest = [frame.root.elements for frame in frames[1:]]
    tags = set(first).union(*rest)
    shared = {
        tag: element
        for tag, element in first.items()
        if all(_is_same(element, other.get(tag)) for other in rest)
    }
    for tag in [tag for tag in shared if tag >> 16 & 1 and tag & 0xFFFF > 0xFF]:
        if creator_of(tag) not in shared:
            del shared[tag]
    return shared, tags - set(shared)


def creator_of(tag: int) -> int:
    """Return the tag of the creator of a private element."""
    return tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8


def _is_same(a: Element, b: Element | None) -> bool:
    if b is None or a.vr != b.vr:
        return False
    if a.items is None or b.items is None:
        return a.items is b.items and a.value == b.value
    return len(a.items) == len(b.items) and all(
        x.elements.keys() == y.elements.keys()
        and all(_is_same(x.elements[tag], y.elements[tag]) for tag in x.elements)
        for x, y in zip(a.items, b.items, strict=True)
    )


def graft(element: Element, item: Item, tag: int = 0) -> None:
    """Put an element into another item, under another tag if one is given."""
    tag = tag or element.tag
    fresh = Element(item, tag, element.vr, element.value, element.vr)
    if element.items is not None:
        fresh.items = []
        for number, child in enumerate(element.items):
            copy = Item(item, tag, number)
            for inner in child.elements.values():
                graft(inner, copy)
            fresh.items.append(copy)
    item.elements[tag] = fresh
