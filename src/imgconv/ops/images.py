"""Open images of any format in this process, and write one: for scripts that need the pixels.

image = read_image("scan/")
write_image(image, "brain.nii.gz")
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from imgconv.core.image import Image
from imgconv.core.loss import require_allowed
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.staging import staging_folder
from imgconv.errors import ImgconvError, InputError, UnknownFormat, UnsupportedData, UsageError
from imgconv.events import ignore_events
from imgconv.ops.convert import find_extension, find_target
from imgconv.ops.convert_plan import Plan, PlannedVolume, Task, make_plan
from imgconv.ops.convert_run import Run, read_volume, write_volume
from imgconv.ops.inputs import Inputs, list_inputs

__all__ = ["read_image", "read_images", "write_image"]

_log = logging.getLogger(__name__)


def read_images(
    inputs: Inputs,
    options: ReadOptions = ReadOptions(),  # noqa: B008  frozen
) -> Iterator[Image]:
    """Yield the images of files, folders, archives and patterns, whatever their format.

    A DICOM series gives one image for each volume that `convert` would write.

    Parameters
    ----------
    inputs
        One path, or several.
    options
        Which series, what is merged, which losses are allowed.

    Yields
    ------
    Image
        Stored samples, slices first: axes ``kji``, ``tkji`` or ``kjic``;
        geometry in LPS millimetres. A 4D array may be read when it is asked
        for, so its files have to stay.

    Raises
    ------
    InputError
        An input does not exist. After the last image: the first failure, if
        there was any; what was only skipped is logged.
    LossRefused
        Likewise: a reader had to leave out or to approximate something that
        is harmful and not allowed.
    UnknownFormat
        Nothing is an image.
    """
    with tempfile.TemporaryDirectory(prefix="imgconv-") as scratch:
        plan = make_plan(
            list_inputs(inputs), Path(scratch), options=options, listener=ignore_events
        )
        failures = _failures(plan)
        for task in plan.tasks:
            for volume in task.volumes:
                try:
                    for image in _read(task, volume, options):
                        yield _in_memory(image) if _is_below(task, Path(scratch)) else image
                except ImgconvError as error:
                    failures.append(_named(error, task))
        if failures:
            raise failures[0]
        if not plan.tasks:
            raise UnknownFormat("nothing is an image")


def read_image(
    inputs: Inputs,
    options: ReadOptions = ReadOptions(),  # noqa: B008  frozen
) -> Image:
    """Return the only image in the inputs: of a file, or of a folder with one series.

    Parameters and errors are those of `read_images`.

    Raises
    ------
    UnsupportedData
        There are several; none of them is preferred.
    """
    found = list(islice(read_images(inputs, options), 2))
    if len(found) > 1:
        hint = "choose one by `ReadOptions(series=...)`, or iterate over `read_images`"
        raise UnsupportedData("there is more than one image", hint=hint)
    if not found:
        raise InputError("holds no image")
    return found[0]


def write_image(
    image: Image,
    target: str | os.PathLike[str],
    options: WriteOptions = WriteOptions(),  # noqa: B008  frozen
) -> tuple[Path, ...]:
    """Write an image to a file whose extension tells the format, with what belongs beside it.

    Parameters
    ----------
    target
        ``brain.nii.gz``; its folder is made if it is missing. A DICOM series,
        ``ct.dcm``, becomes a folder of that name without the extension.
    options
        What may be replaced and lost, and what the formats understand.

    Returns
    -------
    tuple
        All files that were written, or were there already with this content.

    Raises
    ------
    UsageError
        No format that is written has this extension.
    LossRefused
        The format cannot hold something, and that is harmful and not allowed.
        Harmless losses are logged.
    OutputError
        A file cannot be written, or exists and must not be replaced.
    """
    path = Path(target)
    extension = find_extension(path.name)
    if not extension:
        hint = "`imgconv formats` lists the extensions"
        raise UsageError("no format that is written has this extension", path=path, hint=hint)
    format_to_write = find_target(extension, options)
    with staging_folder(path.parent) as staging:
        run = Run(format_to_write, path.parent, staging, ReadOptions(), options)
        outcome = write_volume(image, path.name[: -len(extension)], run)
    for loss in outcome.losses:
        _log.warning("%s: %s [%s]", path, loss.message, loss.name)
    return outcome.outputs


def _failures(plan: Plan) -> list[ImgconvError]:
    """Return what failed before anything was read, and log what was skipped."""
    failures = []
    for file in plan.left_out:
        if file.error is None:
            _log.info("%s: %s", file.path, file.reason)
        else:
            failures.append(file.error)
    return failures


def _read(task: Task, volume: PlannedVolume, options: ReadOptions) -> Iterator[Image]:
    for image in read_volume(task, volume, options):
        if isinstance(image, Image):
            require_allowed(image.losses, allow=options.allow, strict=options.strict)
            yield image
        else:
            _log.warning("%s: a document, no image", task.files[0].shown)


def _named(error: ImgconvError, task: Task) -> ImgconvError:
    """Return an error whose path is the user's: members of archives are read elsewhere."""
    shown = task.files[0].shown if error.path is None else task.shown(error.path)
    return type(error)(error.message, path=shown, hint=error.hint)


def _is_below(task: Task, scratch: Path) -> bool:
    return any(file.path.is_relative_to(scratch) for file in task.files)


def _in_memory(image: Image) -> Image:
    """Return an image that needs no file any more."""
    if isinstance(image.array, np.ndarray):
        return image
    return replace(image, array=np.asarray(image.array))
