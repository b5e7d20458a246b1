"""The hub where the pixels of all formats meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.display import Display, SliceDisplay
from imgconv.core.geometry import Geometry
from imgconv.core.lazy_volume import LazyVolume, Unread
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.values import ValueMap
from imgconv.errors import InternalError
from imgconv.records import record

__all__ = ["Encoded", "Image", "LazyArray", "Segment", "Source"]

_AXES = frozenset("tkjic")


class LazyArray(Unread):
    """An array whose volumes are read on demand, so that 4D data larger than memory can stream.

    Parameters
    ----------
    shape, dtype
        As of a numpy array ``(t, k, j, i)`` or ``(t, k, j, i, c)``.
    load
        ``load(t)`` returns volume `t`, an array of ``shape[1:]`` and `dtype`.
        It may be called more than once for one `t`, and in any order.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any] | type,
        load: Callable[[int], NDArray[Any]],
    ) -> None:
        super().__init__(shape, dtype)
        self._load = load

    def volume(self, t: int) -> NDArray[Any]:
        """Return volume `t`.

        Raises
        ------
        InternalError
            The loader returned another shape or dtype than promised.
        """
        volume = self._load(t)
        if volume.shape != self.shape[1:] or volume.dtype != self.dtype:
            raise InternalError(f"volume {t} is {volume.dtype}{volume.shape}")
        return volume

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        whole = np.empty(self.shape, self.dtype)
        for t in range(self.shape[0]):
            whole[t] = self.volume(t)
        return whole if dtype is None else whole.astype(dtype, copy=False)


@record
class Source:
    """Where an image came from; paths are for the report, never for file contents."""

    path: Path
    sop_instance_uid: str = ""
    series_instance_uid: str = ""
    sha256: str = ""


@record(eq=False)
class Encoded:
    """The compressed codestreams that an array was decoded from, with nothing else done to it.

    Parameters
    ----------
    frames
        One codestream per slice, without any file format around it where
        DICOM wants none: JPEG, JPEG 2000, JPEG-LS, JPEG XL.
    array
        What they decode to. It is compared by identity, so that an image
        whose array was flipped, cropped or cast never passes for the original.
    """

    frames: tuple[bytes, ...]
    array: NDArray[Any]


@record
class Segment:
    """One label of a label map.

    Parameters
    ----------
    number
        The value in the array.
    label
        Its name.
    category, type, type_modifier, region, region_modifier
        Codes ``(value, scheme, meaning)``: property category and type, their
        modifier (laterality), the anatomic region and its modifier.
    colour
        8-bit sRGB.
    algorithm_type
        ``AUTOMATIC``, ``SEMIAUTOMATIC`` or ``MANUAL``, empty if unknown.
    layer
        The index on the time-like axis where it is: segments that overlap lie
        in different layers.
    """

    number: int
    label: str
    category: tuple[str, str, str] | None = None
    type: tuple[str, str, str] | None = None
    colour: tuple[int, int, int] | None = None
    algorithm_type: str = ""
    algorithm_name: str = ""
    description: str = ""
    type_modifier: tuple[str, str, str] | None = None
    region: tuple[str, str, str] | None = None
    region_modifier: tuple[str, str, str] | None = None
    tracking_id: str = ""
    tracking_uid: str = ""
    layer: int = 0


@record(eq=False)
class Image:
    """Pixels with geometry and meaning.

    Parameters
    ----------
    array
        *Stored* samples in native byte order, never silently rescaled or
        narrowed. Axes slowest first, as `axes` says.
    axes
        One letter per array axis, out of ``t`` (time-like: time, echo,
        b-value), ``k`` slice, ``j`` row, ``i`` column, ``c`` colour sample;
        in that order: ``"kji"``, ``"tkji"``, ``"kjic"``. ``k j i`` are always there.
    geometry
        None if unknown; never a made-up default.
    values
        What a sample means.
    metadata
        What is not already applied to the pixels.
    sources
        The files that it was made from.
    segments
        For label maps, else empty.
    name
        A hint for a file name, free of identifying values.
    losses
        What the reader had to leave out or to approximate; a conversion
        treats it like the losses that its target reports.
    encoded
        See `codestreams`.
    display
        See `shown_as`.
    reversed_slices
        Whether users expect the slices in the opposite order, against the
        normal. Writers that keep habits may follow it; it says nothing about
        where a slice is.

    Raises
    ------
    InternalError
        Axes and array do not fit each other.
    """

    array: NDArray[Any] | LazyArray | LazyVolume
    axes: str
    geometry: Geometry | None = None
    values: ValueMap = field(default_factory=ValueMap)
    metadata: Metadata = field(default_factory=Metadata)
    sources: tuple[Source, ...] = ()
    segments: tuple[Segment, ...] = ()
    name: str = ""
    losses: tuple[Loss, ...] = ()
    encoded: Encoded | None = None
    display: Display | None = None
    reversed_slices: bool = False

    def __post_init__(self) -> None:
        ordered = "".join(letter for letter in "tkjic" if letter in self.axes)
        if not set("kji") <= set(self.axes) <= _AXES or ordered != self.axes:
            raise InternalError(f"axes `{self.axes}`")
        if len(self.axes) != self.array.ndim:
            raise InternalError(f"axes `{self.axes}` for an array of {self.array.ndim} dimensions")

    @property
    def codestreams(self) -> tuple[bytes, ...]:
        """One compressed codestream per slice that decodes to `array` as it is, else nothing."""
        if self.encoded is None or self.encoded.array is not self.array:
            return ()
        return self.encoded.frames

    def shown_as(self, t: int, k: int) -> SliceDisplay:
        """Return how slice `k` of volume `t` wants to be shown, as far as that is known."""
        if self.display is None or self.display.array is not self.array:
            return SliceDisplay()
        return self.display.of(t, k)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a stored sample."""
        return self.array.dtype

    @property
    def size_ijk(self) -> tuple[int, int, int]:
        """The numbers of columns, rows and slices."""
        k = self.axes.index("k")
        shape = self.array.shape
        return shape[k + 2], shape[k + 1], shape[k]

    @property
    def volume_count(self) -> int:
        """The length of the time-like axis, 1 if there is none."""
        return self.array.shape[0] if self.axes[0] == "t" else 1

    def iter_volumes(self) -> Iterator[NDArray[Any]]:
        """Yield each volume ``(k, j, i)`` or ``(k, j, i, c)`` in turn."""
        if self.axes[0] != "t":
            yield np.asarray(self.array)
        elif isinstance(self.array, LazyArray):
            for t in range(self.array.shape[0]):
                yield self.array.volume(t)
        else:
            yield from np.asarray(self.array)
