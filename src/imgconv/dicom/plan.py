"""What will be made out of a set of DICOM files: data, made by `series`, used by `reader`."""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from pathlib import Path

from imgconv.core.geometry import Geometry
from imgconv.core.loss import Loss
from imgconv.dicom.header import Header
from imgconv.dicom.slices import Slice
from imgconv.dicom.vendors.component import Component
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.errors import InputError
from imgconv.records import record

__all__ = ["ObjectPlan", "Outcome", "Problem", "SeriesPlan", "VolumePlan"]


class Outcome(StrEnum):
    """What became of files that are in no image."""

    SKIPPED = "skipped"  # there is nothing to convert, or it was not wanted
    FAILED = "failed"  # something is wrong with them


@record
class Problem:
    """Why files are in no image.

    Parameters
    ----------
    paths
        The files.
    outcome
        Skipped or failed.
    reason
        Kebab-case: ``duplicate``, ``no-pixels``, ``missing-slices``.
    message
        For a person, without identifying values.
    error
        For what failed: the exception that a caller may raise.
    """

    paths: tuple[Path, ...]
    outcome: Outcome
    reason: str
    message: str
    error: InputError | None = None


@record(slots=False)
class VolumePlan:
    """One image to be: its slices in the order of its array.

    Parameters
    ----------
    volumes
        ``volumes[t][k]``: slices ordered along increasing normal. Without
        geometry in the order of the files and frames.
    geometry
        None if the headers have none.
    is_series
        Whether the image has a time-like axis ``t``, even of length 1.
    component
        Magnitude, phase ..., ``UNKNOWN`` if the headers do not tell.
    echo_number
        1-based number of the echo if the series has several, else None.
    suffixes
        What tells this image from others of its series, for file names:
        ``e2``, ``ph``, ``real``, ``imaginary``, ``fieldmaphz``, ``trace``.
    losses
        What the plan had to leave out or to approximate.
    """

    volumes: tuple[tuple[Slice, ...], ...]
    geometry: Geometry | None
    is_series: bool = False
    component: Component = Component.UNKNOWN
    echo_number: int | None = None
    suffixes: tuple[str, ...] = ()
    losses: tuple[Loss, ...] = ()

    @property
    def header(self) -> Header:
        """The header of the first slice that the scanner numbered."""
        return min(self.volumes[0], key=lambda item: item.order).header

    @property
    def first(self) -> Slice:
        """The first slice of the array."""
        return self.volumes[0][0]

    @property
    def size_ijk(self) -> tuple[int, int, int]:
        """Columns, rows and slices of a volume."""
        return self.first.columns, self.first.rows, len(self.volumes[0])

    @cached_property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once, in the order of the array."""
        return tuple(dict.fromkeys(item.header.path for volume in self.volumes for item in volume))

    @property
    def frames(self) -> tuple[tuple[Facts, ...], ...]:
        """``frames[t][k]``, the attributes of each frame; one a volume where it is tiled."""
        if self.first.tile >= 0:
            return tuple((volume[0].facts,) for volume in self.volumes)
        return tuple(tuple(item.facts for item in volume) for volume in self.volumes)

    @property
    def acquisition(self) -> Acquisition:
        """The frames, as the vendors' modules want them."""
        tiles = tuple(item.tile for item in self.volumes[0]) if self.first.tile >= 0 else ()
        slices = [item for volume in self.volumes for item in volume]
        return Acquisition(
            frames=self.frames,
            size_ijk=self.size_ijk,
            tiles=tiles,
            earliest=min(slices, key=lambda item: item.order).facts,
            is_scaled_alike=len({(item.rescale, item.scale_slope) for item in slices}) == 1,
        )

    def release(self) -> None:
        """Give back the memory of all headers; they read their file again when asked."""
        for volume in self.volumes:
            for item in volume:
                item.header.release()


@record(slots=False)
class ObjectPlan:
    """A file that is an image by itself, not made of slices: a segmentation, contours.

    Parameters
    ----------
    header
        Of the file.
    read
        ``"module:function"``, called as ``read(plan, options)``; returns the image.
    companions
        The files of the images that it refers to, as far as they are among
        the inputs.
    """

    header: Header
    read: str
    companions: tuple[Path, ...] = ()
    suffixes: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The file."""
        return (self.header.path,)

    @property
    def volumes(self) -> tuple[tuple[()], ...]:
        """One volume, as far as the plan knows."""
        return ((),)

    @property
    def size_ijk(self) -> tuple[int, int, int]:
        """Columns, rows and frames; 0 where only the pixels of other files tell."""
        names = ("Columns", "Rows", "NumberOfFrames")
        columns, rows, frames = (int(self.header.get(name, 0)) for name in names)
        return columns, rows, frames


@record(slots=False)
class SeriesPlan:
    """One series: the images that will be made of it, and the files that will not be used.

    `problems` of files that belong to no series stand in a plan without
    volumes and with an empty UID.
    """

    series_instance_uid: str
    series_number: int | None
    description: str
    modality: str
    volumes: tuple[VolumePlan | ObjectPlan, ...]
    problems: tuple[Problem, ...]
