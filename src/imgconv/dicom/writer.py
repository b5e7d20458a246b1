"""Write an image as DICOM: the bridge from `Image` to data sets.

The object is chosen by ``extra["dicom"]["as"]``, else by what the image is
(`choose_object`). A series of files is made in a staging folder and placed
when it is complete, so that no half series is ever seen.

Options in ``WriteOptions.extra["dicom"]``: ``as``, ``uid_seed``,
``metadata_files``, ``resample``, ``transfer_syntax`` (a lossless one: files are
made uncompressed first, then recoded like those of anyone else).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from imgconv.core.atomic import atomic_output
from imgconv.core.document import Document
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import Overwrite, WriteOptions
from imgconv.core.staging import flush_all, place_all, staging_folder
from imgconv.dicom.context import Context, gather_context
from imgconv.dicom.recode_new import recode_new
from imgconv.dicom.sops._table import OBJECTS, ObjectSpec, get_object
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job, now
from imgconv.dicom.sops.unshear import remove_in_plane_shear
from imgconv.dicom.turn import turn_to_reference
from imgconv.dicom.uids import UidMaker, digest_source
from imgconv.errors import UnsupportedData, output_error
from imgconv.spec import resolve

__all__ = ["Description", "check", "choose_object", "describe", "series_paths", "write"]

_MAX_SIDE = 0xFFFF
_BY_MODALITY = {"CT": "ct", "MR": "mr", "PT": "pet"}


def check(image: Image | Document, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what the chosen object cannot hold of `image`, or of a document.

    Raises
    ------
    UnsupportedData, GeometryError
        No object of that kind can hold it.
    UsageError
        The context contradicts itself or has an invalid value.
    """
    document = image if isinstance(image, Document) else None
    image = turn_to_reference(_pixels_of(image, options), options)
    context = gather_context(image, options)
    row, losses = _choose(image, document, context, options)
    job = Job(image, context, options, UidMaker(), document=document)
    if document is not None and row.name != "encapsulated-pdf":
        raise UnsupportedData(f"{row.title} holds images; the input is a document")
    resampled = tuple(loss for loss in image.losses if loss.name == "resampled")
    losses = (*losses, *_fixed_modality_losses(row, context))
    return (*resampled, *losses, *context.losses, *resolve(row.check)(job))


def _fixed_modality_losses(row: ObjectSpec, context: Context) -> Iterator[Loss]:
    """Say that a Modality given by hand cannot stand in this object."""
    given = context.text("Modality")
    by_hand = "Modality" in context.given_by_user()
    if row.modality and by_hand and given != row.modality:
        yield Loss(
            "fixed-modality",
            f"the Modality of this object is always {row.modality}; the one given is left out",
            harmful=False,
        )


class Description(NamedTuple):
    """What would be written.

    Parameters
    ----------
    name
        As ``--as`` has it.
    origins
        Origin -> sorted keywords of the attributes that come from there. No values.
    files
        Number of files of a series, 0 of what is one file.
    """

    name: str
    origins: dict[str, list[str]]
    files: int


def describe(image: Image | Document, options: WriteOptions) -> Description:
    """Return what would be written, without writing it.

    Raises
    ------
    UnsupportedData, GeometryError, UsageError
        As `check`.
    """
    check(image, options)
    document = image if isinstance(image, Document) else None
    pixels = turn_to_reference(_pixels_of(image, options), options)
    context = gather_context(pixels, options)
    row, _ = _choose(pixels, document, context, options)
    found: dict[str, list[str]] = {}
    given = context.given_by_user()
    for keyword, origin in sorted(context.origins.items()):
        if keyword in row.own and keyword not in given:
            continue
        if keyword == "Modality" and row.modality not in ("", context.text("Modality")):
            continue
        found.setdefault(origin, []).append(keyword)
    job = Job(pixels, context, options, UidMaker("", "", row.name), document=document)
    count: int = resolve(row.count)(job) if row.count else 0
    return Description(row.name, found, count)


def series_paths(target: Path, count: int) -> tuple[Path, ...]:
    """Return the files that `write` makes of `target`: itself, or those of a series of `count`."""
    if not count:
        return (target,)
    folder = target.with_name(target.name.removesuffix(".dcm"))
    return tuple(folder / _name_of(number) for number in range(1, count + 1))


def _name_of(number: int) -> str:
    return f"{number:04d}.dcm"


def _pixels_of(image: Image | Document, options: WriteOptions) -> Image:
    """Return the image, resampled if asked for; for a document an empty one with its metadata."""
    if isinstance(image, Image):
        _require_size(image)
        return remove_in_plane_shear(image) if options.of("dicom").get("resample") else image
    return Image(
        np.zeros((1, 1, 1), np.uint8),
        "kji",
        metadata=image.metadata,
        sources=image.sources,
        name=image.name,
    )


def _require_size(image: Image) -> None:
    """Refuse what Rows and Columns cannot say: 16 bits, and not 0; PS3.3 C.7.6.3."""
    columns, rows, slices = image.size_ijk
    if min(columns, rows, slices, image.volume_count) < 1:
        raise UnsupportedData("the image has no pixels")
    if max(columns, rows) > _MAX_SIDE:
        raise UnsupportedData(
            f"the image has {columns} columns and {rows} rows; DICOM holds {_MAX_SIDE} of each"
        )


def _choose(
    image: Image, document: Document | None, context: Context, options: WriteOptions
) -> tuple[ObjectSpec, tuple[Loss, ...]]:
    wanted = str(options.of("dicom").get("as", ""))
    if document is not None:
        return get_object(wanted or "encapsulated-pdf"), ()
    return choose_object(image, context, wanted)


def choose_object(
    image: Image, context: Context, wanted: str
) -> tuple[ObjectSpec, tuple[Loss, ...]]:
    """Return the kind of object, and what was assumed in choosing it.

    Colour, and images without geometry, become Secondary Capture; floating
    point, and integers that need more than 16 bits, Parametric Map. Others go
    by their Modality: CT, MR or PET, and Enhanced MR where there is a rescale.
    An unknown Modality is taken for MR, and reported.

    Raises
    ------
    UsageError
        `wanted` is unknown.
    """
    if wanted:
        return get_object(wanted), ()
    if image.segments and any(row.name == "segmentation" for row in OBJECTS):
        return get_object("segmentation"), ()
    if "c" in image.axes or image.geometry is None:
        return get_object("secondary-capture"), ()
    if image.dtype.kind == "f":
        return get_object("parametric-map"), ()
    if image.dtype.itemsize > 2 and not _fits_16_bits(image):
        return get_object("parametric-map"), ()
    modality = context.text("Modality")
    if modality and modality not in _BY_MODALITY:
        return get_object(_without_modality(image)), ()
    losses = () if modality else (_assumed_modality(),)
    name = _BY_MODALITY.get(modality, "mr")
    rescale = image.values.rescale
    if name == "mr" and not rescale.is_identity:
        name = "enhanced-mr"
    if name == "pet" and rescale.intercept != 0:
        name = "parametric-map"
    return get_object(name), losses


def _without_modality(image: Image) -> str:
    """Return an object for any modality: secondary capture holds unsigned samples only."""
    plain = image.dtype.kind == "u" and image.values.rescale.is_identity
    return "secondary-capture" if plain else "parametric-map"


def _assumed_modality() -> Loss:
    return Loss(
        "assumed-modality",
        "nothing tells the modality: MR is assumed; `--as ct` or `--set Modality=CT` says better",
        harmful=False,
    )


def _fits_16_bits(image: Image) -> bool:
    from imgconv.dicom.sops.samples import fit_samples

    try:
        fit_samples(image, ("int16", "uint16"), "")
    except UnsupportedData:
        return False
    return True


def write(image: Image | Document, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write `image`, or a document, as one DICOM file, or as a folder of them.

    Parameters
    ----------
    target
        The file of an object that is one file; a series gets a folder of the
        same name without ``.dcm``.

    Returns
    -------
    tuple
        The files written, in the order of their Instance Numbers.

    Raises
    ------
    OutputError
        A file cannot be written, or exists with another content.
    UnsupportedData, GeometryError, UsageError
        As `check`.
    """
    document = image if isinstance(image, Document) else None
    image = turn_to_reference(_pixels_of(image, options), options)
    context = gather_context(image, options)
    row, _ = _choose(image, document, context, options)
    if document is not None and row.name != "encapsulated-pdf":
        raise UnsupportedData(f"{row.title} holds images; the input is a document")
    seed = str(options.of("dicom").get("uid_seed", ""))
    uids = UidMaker(seed, digest_source(image) if seed else "", row.name)
    source = image.sources[0].path if seed and image.sources else None
    job = Job(image, context, options, uids, made=now(source), document=document)
    instances: Iterator[Instance] = resolve(row.build)(job)
    first = next(instances)
    syntax = str(options.of("dicom").get("transfer_syntax", ""))
    if first.number == 0 and syntax:
        with staging_folder(target.parent) as staging:
            name = _write_one(first, staging, syntax)
            place_all([(staging / name, target)], options.overwrite)
        return (target,)
    if first.number == 0:
        with atomic_output(target) as stream:
            for part in first.parts:
                stream.write(part)
        return (target,)
    folder = target.with_name(target.name.removesuffix(".dcm"))
    return _write_series(chain([first], instances), folder, options.overwrite, syntax)


def _write_series(
    instances: Iterable[Instance], folder: Path, overwrite: Overwrite, syntax: str
) -> tuple[Path, ...]:
    """Write all files to a staging folder, then move them to `folder`, all or none."""
    with staging_folder(folder.parent) as staging:
        names = [_write_one(instance, staging, syntax) for instance in instances]
        flush_all(staging / name for name in names)
        moves = [(staging / name, folder / name) for name in names]
        place_all(moves, overwrite)
    return tuple(folder / name for name in names)


def _write_one(instance: Instance, folder: Path, syntax: str) -> str:
    """Write one file; in the transfer syntax with that UID, if it is not empty."""
    name = _name_of(instance.number)
    path = folder / (f"{name}.native" if syntax else name)
    try:
        with path.open("wb") as stream:
            for part in instance.parts:
                stream.write(part)
        if syntax:
            recode_new(path, folder / name, syntax)
            path.unlink()
    except OSError as error:
        raise output_error(error, path) from error
    return name
