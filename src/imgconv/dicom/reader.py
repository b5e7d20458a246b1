"""Read DICOM files into images: scan, plan, load.

`read_images` does it all; a caller that wants to report, select or name in
between calls `read_headers`, `plan_series` and `load` itself.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.display import Display
from imgconv.core.image import Encoded, Image, LazyArray, Source
from imgconv.core.lazy_volume import LazyVolume
from imgconv.core.options import ReadOptions, Tilt
from imgconv.dicom.describe import describe, image_name
from imgconv.dicom.diffusion import find_gradient_losses
from imgconv.dicom.display import slice_display
from imgconv.dicom.header import Header, HeaderReader
from imgconv.dicom.plan import ObjectPlan, Outcome, Problem, VolumePlan
from imgconv.dicom.scaling import value_map
from imgconv.dicom.series import plan_series
from imgconv.dicom.vendors.slice_numbering import is_numbered_against_normal
from imgconv.dicom.volumes import VolumeReader
from imgconv.errors import InputError, UnknownFormat
from imgconv.spec import resolve

__all__ = ["load", "read_headers", "read_images"]

_log = logging.getLogger(__name__)


def read_headers(paths: Iterable[Path]) -> tuple[list[Header], list[Problem]]:
    """Read the headers of files; what is no DICOM, or broken, becomes a problem."""
    headers: list[Header] = []
    problems: list[Problem] = []
    reader = HeaderReader()
    for path in paths:
        try:
            headers.append(reader.read(path))
        except UnknownFormat as error:
            problems.append(Problem((path,), Outcome.SKIPPED, "no-dicom", error.message, error))
        except InputError as error:
            problems.append(
                Problem((path,), Outcome.FAILED, "unreadable-header", error.message, error)
            )
    return headers, problems


def read_images(
    source: Path | Iterable[Path], options: ReadOptions | None = None
) -> Iterator[Image]:
    """Yield the images of DICOM files, series by series.

    Parameters
    ----------
    source
        A file, or the files of any number of series.
    options
        See `ReadOptions`.

    Raises
    ------
    InputError
        After the last image: the first failure, if there was any. What was
        only skipped is logged.
    UnknownFormat
        No file is DICOM.
    """
    options = options or ReadOptions()
    paths = [source] if isinstance(source, Path) else list(source)
    headers, problems = read_headers(paths)
    if not headers:
        raise (
            problems[0].error or UnknownFormat("no DICOM file")
            if problems
            else UnknownFormat("no DICOM file")
        )
    failures = []
    for series in plan_series(headers, options):
        problems += series.problems
        for volume in series.volumes:
            try:
                yield load(volume, options)
            except InputError as error:
                failures.append(error)
    for problem in problems:
        if problem.outcome is Outcome.SKIPPED:
            _log.warning("%s: %s", problem.paths[0], problem.message)
        elif problem.error is not None:
            failures.append(problem.error.with_path(problem.paths[0]))  # type: ignore[arg-type]  # keeps the class
    if failures:
        raise failures[0]


def load(plan: VolumePlan | ObjectPlan, options: ReadOptions | None = None) -> Image:
    """Return a planned image; a series is read volume by volume, when it is asked for.

    Of a single volume that may be `lazy`, native samples are read slab by slab.

    Raises
    ------
    CorruptData
        Pixel data are missing, truncated or damaged.
    UnsupportedData
        They are of a kind that cannot be decoded, or too large.
    InputError
        A file cannot be read.
    """
    options = options or ReadOptions()
    image: Image
    if isinstance(plan, ObjectPlan):
        image = resolve(plan.read)(plan, options)
        return image
    try:
        reader = VolumeReader(plan, max_bytes=options.max_bytes)
        array = _samples(reader, plan, lazy=options.lazy)
        slices = [item for volume in plan.volumes for item in volume]
        axes = ("t" if plan.is_series else "") + "kji" + ("c" if len(reader.shape) == 4 else "")
        image = Image(
            array=array,
            axes=axes,
            geometry=plan.geometry,
            values=value_map(slices, reader.photometric),
            metadata=describe(plan),
            sources=_sources(plan),
            name=image_name(plan),
            losses=(*plan.losses, *find_gradient_losses(plan.acquisition)),
            encoded=_encoded(reader, plan, array),
            display=Display(array, partial(slice_display, plan)),
            reversed_slices=is_numbered_against_normal(plan.acquisition),
        )
        return _resample_tilt(image) if options.tilt is Tilt.RESAMPLE else image
    except InputError as error:
        raise error.with_path(plan.first.header.path) from error.__cause__
    finally:
        plan.release()


def _samples(
    reader: VolumeReader, plan: VolumePlan, *, lazy: bool
) -> NDArray[Any] | LazyArray | LazyVolume:
    if plan.is_series:
        return LazyArray((len(plan.volumes), *reader.shape), reader.dtype, reader.read)
    if lazy and reader.is_direct:
        return LazyVolume(reader.shape, reader.dtype, reader.read_slab)
    return reader.read(0)


def _encoded(reader: VolumeReader, plan: VolumePlan, array: object) -> Encoded | None:
    if plan.is_series or not isinstance(array, np.ndarray):
        return None
    streams = reader.codestreams()
    return Encoded(streams, array) if streams else None


def _resample_tilt(image: Image) -> Image:
    from imgconv.core.untilt import untilt

    return untilt(image)


def _sources(plan: VolumePlan) -> tuple[Source, ...]:
    series = str(plan.header.get("SeriesInstanceUID", ""))
    uids = {item.header.path: item.uid for volume in plan.volumes for item in volume}
    return tuple(Source(path, uid, series) for path, uid in uids.items())
