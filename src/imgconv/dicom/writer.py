"""Write an image as DICOM: the bridge from `Image` to data sets.

The object is chosen by ``extra["dicom"]["as"]``, else by what the image is
(`choose_object`). A series of files is written to a folder beside its final
place and renamed, so that no half series is ever seen.

Options in ``WriteOptions.extra["dicom"]``: ``as``, ``uid_seed``,
``metadata_files``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from imgconv.core.atomic import atomic_output
from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import WriteOptions
from imgconv.dicom.context import Context, gather_context
from imgconv.dicom.sops._table import OBJECTS, ObjectSpec, get_object
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.uids import UidMaker, digest_source
from imgconv.errors import OutputError, UnsupportedData, output_error
from imgconv.spec import resolve

__all__ = ["check", "choose_object", "write"]

_BY_MODALITY = {"CT": "ct", "MR": "mr", "PT": "pet"}


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what the chosen object cannot hold of `image`.

    Raises
    ------
    UnsupportedData, GeometryError
        No object of that kind can hold it.
    UsageError
        The context contradicts itself or has an invalid value.
    """
    context = gather_context(image, options)
    row, losses = choose_object(image, context, str(options.of("dicom").get("as", "")))
    job = Job(image, context, options, UidMaker())
    return (*losses, *context.losses, *resolve(row.check)(job))


def choose_object(
    image: Image, context: Context, wanted: str
) -> tuple[ObjectSpec, tuple[Loss, ...]]:
    """Return the kind of object, and what was assumed in choosing it.

    Colour, and images without geometry, become Secondary Capture; floating
    point, and integers that need more than 16 bits, Parametric Map. Others go
    by their Modality: CT, MR or PET, and Enhanced MR where there is a rescale
    or diffusion. An unknown Modality is taken for MR, and reported.

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
    if name == "mr" and (not rescale.is_identity or "DiffusionBValue" in context.per_volume):
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


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write `image` as one DICOM file, or as a folder of them.

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
        A file cannot be written, or the folder of a series has files already.
    UnsupportedData, GeometryError, UsageError
        As `check`.
    """
    context = gather_context(image, options)
    own = options.of("dicom")
    row, _ = choose_object(image, context, str(own.get("as", "")))
    seed = str(own.get("uid_seed", ""))
    uids = UidMaker(seed, digest_source(image) if seed else "", row.name)
    instances: Iterator[Instance] = resolve(row.build)(Job(image, context, options, uids))
    first = next(instances)
    if first.number == 0:
        with atomic_output(target) as stream:
            for part in first.parts:
                stream.write(part)
        return (target,)
    folder = target.with_name(target.name.removesuffix(".dcm"))
    return _write_series(first, instances, folder)


def _write_series(first: Instance, others: Iterable[Instance], folder: Path) -> tuple[Path, ...]:
    """Write all files to a temporary folder, then rename it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and any(folder.iterdir()):
            raise OutputError("exists already and is not empty", path=folder)
        temporary = Path(tempfile.mkdtemp(prefix=".imgconv-", suffix=".part", dir=folder.parent))
    except OSError as error:
        raise output_error(error, folder) from error
    try:
        names = [_write_one(first, temporary)]
        names += [_write_one(instance, temporary) for instance in others]
        temporary.chmod(0o777 & ~_umask())
        temporary.replace(folder)
    except OSError as error:
        raise output_error(error, folder) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return tuple(folder / name for name in names)


def _write_one(instance: Instance, folder: Path) -> str:
    name = f"{instance.number:04d}.dcm"
    with (folder / name).open("wb") as stream:
        for part in instance.parts:
            stream.write(part)
        stream.flush()
        os.fsync(stream.fileno())
    return name


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
