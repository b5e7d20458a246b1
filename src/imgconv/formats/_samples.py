"""Cut an image into contiguous blocks of bytes, so that a writer can stream it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from imgconv.core.image import Image
from imgconv.core.large_output import EarlyFlush
from imgconv.core.lazy_volume import LazyVolume

__all__ = ["LargestSample", "iter_blocks", "write_blocks"]

# Large enough for a good ratio and few calls, small enough to stay in the cache of the processor.
_BLOCK_BYTES = 1 << 20

_PREPARED = 2  # blocks that wait for the disk

Block = Callable[[], NDArray[Any]]


class LargestSample:
    """Keeps the largest sample of all blocks that passed; safe to use from threads."""

    def __init__(self) -> None:
        self._largest: list[int] = []

    def note(self, block: NDArray[Any]) -> None:
        """Look at a block."""
        self._largest.append(int(block.max()))

    @property
    def value(self) -> float:
        """The largest sample so far, minus infinity if there was none."""
        return max(self._largest, default=-math.inf)


def iter_blocks(
    image: Image, *, byte_order: Literal["<", ">"] = "<", largest: LargestSample | None = None
) -> Iterator[Block]:
    """Yield functions that return the samples block by block, in storage order.

    A volume is loaded when its first block is asked for, a lazy one block by
    block; each function copies its slices into a contiguous array of
    `byte_order` when it is called, which may be in another thread.
    """
    dtype = image.dtype.newbyteorder(byte_order)
    lazy = image.array if isinstance(image.array, LazyVolume) else None
    for volume in image.iter_volumes() if lazy is None else (lazy,):
        count = volume.shape[0]
        step = max(1, _BLOCK_BYTES * count // max(1, volume.nbytes))
        for first in range(0, count, step):
            yield _cut(volume, slice(first, first + step), dtype, largest)


def write_blocks(stream: IO[bytes], blocks: Iterator[Block]) -> None:
    """Write blocks one after the other.

    One thread prepares the next ones meanwhile, another sends what was
    written to the disk, so that the flush at the end finds little to do.
    """
    with ThreadPoolExecutor(1) as preparing, EarlyFlush(stream) as early:
        pending: deque[Future[NDArray[Any]]] = deque()
        for block in chain(blocks, [None] * _PREPARED):
            if block is not None:
                pending.append(preparing.submit(block))
                if len(pending) <= _PREPARED:
                    continue
            if pending:
                early.wrote(stream.write(pending.popleft().result().data.cast("B")))


def _cut(
    volume: NDArray[Any] | LazyVolume,
    slices: slice,
    dtype: np.dtype[Any],
    largest: LargestSample | None,
) -> Block:
    def block() -> NDArray[Any]:
        part = (
            volume.slab(slices.start, slices.stop)
            if isinstance(volume, LazyVolume)
            else volume[slices]
        )
        contiguous = np.ascontiguousarray(part, dtype=dtype)
        if largest is not None:
            largest.note(contiguous)
        return contiguous

    return block
