"""A volume whose slices are read when a writer asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import InternalError

__all__ = ["LazyVolume", "Unread"]


class Unread:
    """What is known of an array before it is read: its shape and its dtype."""

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any] | type) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """The size of the whole array in memory, in bytes."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


class LazyVolume(Unread):
    """A volume that is read slab by slab, so that it is written while it is read.

    Who needs all of it takes ``np.asarray(volume)``, which reads it once and
    keeps it; slabs are not kept.

    Parameters
    ----------
    shape, dtype
        As of a numpy array ``(k, j, i)`` or ``(k, j, i, c)``.
    load
        ``load(first, stop)`` returns the slices from `first` to before
        `stop`, an array of `dtype`. It may be called more than once for a
        slice, in any order, and from several threads at a time.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any] | type,
        load: Callable[[int, int], NDArray[Any]],
    ) -> None:
        super().__init__(shape, dtype)
        self._load = load
        self._whole: NDArray[Any] | None = None

    def slab(self, first: int, stop: int) -> NDArray[Any]:
        """Return the slices from `first` to before `stop`, which is cut off at the last.

        Raises
        ------
        InputError
            A file cannot be read, or ends too early.
        InternalError
            The loader returned another shape or dtype than promised.
        """
        if self._whole is not None:
            return self._whole[first:stop]
        stop = min(stop, self.shape[0])
        part = self._load(first, stop)
        if part.shape != (stop - first, *self.shape[1:]) or part.dtype != self.dtype:
            raise InternalError(f"slices {first} to {stop} are {part.dtype}{part.shape}")
        return part

    def flipped(self, axis: int) -> LazyVolume:
        """Return the volume with array axis `axis` reversed; nothing is read."""
        count = self.shape[0]
        if axis == 0:
            return LazyVolume(
                self.shape,
                self.dtype,
                lambda first, stop: self.slab(count - stop, count - first)[::-1],
            )
        return LazyVolume(
            self.shape, self.dtype, lambda first, stop: np.flip(self.slab(first, stop), axis)
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        if self._whole is None:
            self._whole = self.slab(0, self.shape[0])
        whole = self._whole if dtype is None else self._whole.astype(dtype, copy=False)
        return whole.copy() if copy and whole is self._whole else whole
