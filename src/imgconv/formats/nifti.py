"""NIfTI-1 and NIfTI-2 volumes, single files and pairs, plain and gzipped.

Read: all integer and floating types, RGB and RGBA, both byte orders, 4D, and
5D as one image per index of the last axis. Written: single little-endian
files with qform and sform, and their BIDS sidecar and FSL gradient files.
Not supported: complex samples, 128-bit floats, Analyze 7.5, header extensions
(reported), files of more than five dimensions.

Source: nifti1.h and nifti2.h (https://nifti.nimh.nih.gov).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import atomic_output
from imgconv.core.geometry import LPS_TO_RAS, Geometry
from imgconv.core.image import Image, LazyArray, Source
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.options import Sidecar as WriteSidecar
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, UnsupportedData, UsageError
from imgconv.formats._gzip import DEFAULT_LEVEL, GzipSink
from imgconv.formats._nifti_data import NiftiData
from imgconv.formats._samples import LargestSample, iter_blocks, write_blocks
from imgconv.formats.nifti_header import RGB24, NiftiHeader, header_size
from imgconv.formats.nifti_sidecar import (
    SLICE_POSITIONS,
    read_sidecar,
    slice_fields,
    slice_positions,
    volume_seconds,
    write_sidecars,
)
from imgconv.formats.nifti_storage import Storage, is_from_dicom, to_storage

__all__ = ["check", "read", "write"]

_VECTOR_INTENTS = (1006, 1007)  # NIFTI_INTENT_DISPVECT, NIFTI_INTENT_VECTOR
# Where qform and sform lie further apart than this, they say different things.
_FORM_TOLERANCE_MM = 0.1
_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT


# --- reading --------------------------------------------------------------------------------------


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the image in a NIfTI file, or one per index of its fifth dimension.

    Parameters
    ----------
    source
        ``.nii``, ``.nii.gz``, or either part of a ``.hdr`` and ``.img`` pair.

    Raises
    ------
    CorruptData
        Truncated, hostile, or not NIfTI at all.
    UnsupportedData
        Legal, but listed as not supported above.
    """
    with NiftiData.opened(source) as data:
        header = data.header
        if np.dtype(header.dtype).kind == "c":
            raise UnsupportedData("complex samples are not supported", path=source)
        shape = header.shape
        if len(shape) > 5:
            raise UnsupportedData(
                f"`{len(shape)}` dimensions are not supported; up to 5 are", path=source
            )
        volumes = data.volumes
        volumes.require_plausible(options.max_bytes)
        colour = "c" if header.samples > 1 else ""
        for index, (first, count) in enumerate(_split(shape)):
            array = volumes.array(first, count)
            axes = "kji" if count is None else "tkji"
            yield _to_image(data, array, axes + colour, index)


def _split(shape: tuple[int, ...]) -> Iterator[tuple[int, int | None]]:
    """Yield (first volume, number of volumes) of each image in a file; None for a single one."""
    volumes = shape[3] if len(shape) > 3 else 1
    fifth = shape[4] if len(shape) > 4 else 1
    if volumes == 1:
        yield 0, fifth if fifth > 1 else None
        return
    for index in range(fifth):
        yield index * volumes, volumes


def _to_image(data: NiftiData, array: NDArray[Any] | LazyArray, axes: str, index: int) -> Image:
    header = data.header
    geometry = _read_geometry(header, data.path)
    shared: dict[str, Any] = {}
    if geometry is None:
        shared = {"PixelSpacing": (header.spacing[1], header.spacing[0])}
        shared["SpacingBetweenSlices"] = header.spacing[2]
    side = read_sidecar(data.path, geometry, array.shape[0] if axes[0] == "t" else 1)
    bids = dict(side.bids)
    if geometry is not None:
        positions = slice_positions(bids, header.shape[2])
        bids.pop(SLICE_POSITIONS, None)
        geometry = replace(geometry, slice_positions=positions)
    if axes[0] == "t" and header.volume_seconds > 0:
        bids.setdefault("RepetitionTime", header.volume_seconds)
    stem = data.stem if index == 0 else f"{data.stem}_{index + 1}"
    return Image(
        array,
        axes,
        geometry=geometry,
        values=ValueMap(
            rescale=Rescale(header.slope, header.inter),
            photometric="RGB" if header.samples > 1 else "MONOCHROME2",
            bits_stored=header.dtype.itemsize * 8 if header.dtype.kind in "iu" else None,
        ),
        metadata=Metadata(shared=shared, per_volume=side.per_volume, bids=bids),
        sources=tuple(Source(path) for path in (*data.paths, *side.paths)),
        name=stem,
        losses=_read_losses(header),
    )


def _read_geometry(header: NiftiHeader, path: Path) -> Geometry | None:
    affine = header.sform if header.sform is not None else header.qform
    if affine is None:
        return None
    if not np.isfinite(affine).all():
        raise CorruptData("the affine is not finite", path=path)
    return Geometry(LPS_TO_RAS @ affine)


def _read_losses(header: NiftiHeader) -> tuple[Loss, ...]:
    losses = []
    if header.has_extensions:
        losses.append(Loss("nifti-extensions", "the header's extensions are not kept", False))
    if len(header.shape) > 4 and (header.shape[3] == 1 or header.intent_code in _VECTOR_INTENTS):
        losses.append(
            Loss("vector-axis", "the fifth dimension (vectors) is taken for a series", True)
        )
    if header.qform is not None and header.sform is not None:
        apart = _corner_distance(header.qform, header.sform, header.shape)
        if apart > _FORM_TOLERANCE_MM:
            losses.append(
                Loss(
                    "qform", f"qform and sform lie up to {apart:.3g} mm apart, sform is used", False
                )
            )
    return tuple(losses)


def _corner_distance(
    first: NDArray[np.float64], second: NDArray[np.float64], shape: tuple[int, ...]
) -> float:
    corners = np.array(
        [
            [i, j, k, 1]
            for i in (0, shape[0] - 1)
            for j in (0, shape[1] - 1)
            for k in (0, shape[2] - 1)
        ]
    )
    return float(np.abs((first - second) @ corners.T).max())


# --- writing --------------------------------------------------------------------------------------


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what NIfTI cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        There is no NIfTI data type for its samples.
    """
    _require_datatype(image)
    geometry = image.geometry
    # A sidecar holds the place of each slice, so that nothing is lost.
    has_sidecar = options.sidecar is not WriteSidecar.OFF
    uneven = "the slices are not evenly spaced, an affine is"
    uneven += f"; the true positions stand in `{SLICE_POSITIONS}`" if has_sidecar else ""
    found = [
        (
            geometry is not None and geometry.slice_positions is not None,
            Loss("uneven-slice-spacing", uneven, not has_sidecar),
        ),
        (
            geometry is None,
            Loss("no-geometry", "the position in the patient is unknown: both codes are 0", False),
        ),
        (
            geometry is not None and not geometry.is_orthogonal,
            Loss("qform", "the axes are sheared, which only the sform holds", False),
        ),
        (
            image.values.photometric == "MONOCHROME1",
            Loss("photometric", "nothing tells that low values are bright (MONOCHROME1)", False),
        ),
        (
            bool(image.segments),
            Loss("segments", "names, codes and colours of labels go to a table beside it", False),
        ),
        (
            image.values.padding is not None,
            Loss("padding", "nothing tells which value marks pixels outside the image", False),
        ),
        (
            not _fits_float32(image.values.rescale),
            Loss("rescale", "slope or intercept exceed the range of scl_slope", True),
        ),
    ]
    return tuple(loss for applies, loss in found if applies)


def _fits_float32(rescale: Rescale) -> bool:
    with np.errstate(all="ignore"):
        slope, intercept = np.float32(rescale.slope), np.float32(rescale.intercept)
    tiny = np.finfo(np.float32).tiny
    return bool(np.isfinite([slope, intercept]).all() and abs(slope) >= tiny)


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write a NIfTI file with its sidecars, the volume last.

    Parameters
    ----------
    target
        Ends with ``.nii.gz`` or ``.nii``, which decides on compression unless
        the options do.
    options
        ``extra["nifti"]["storage"]`` is one of `Storage`.

    Returns
    -------
    tuple
        The paths written: JSON, bval and bvec if there are any, the volume.

    Raises
    ------
    OutputError
        A file cannot be written.
    UnsupportedData
        There is no NIfTI data type for the samples.
    """
    _require_datatype(image)
    stored = to_storage(image, _storage(options))
    compress = options.compress
    if compress is None:
        compress = target.suffix == ".gz"
    narrow = _may_narrow(image)
    with atomic_output(target) as stream:
        if compress:
            _write_gzip(stored, stream, options.level or DEFAULT_LEVEL, narrow=narrow)
        else:
            _write_plain(stored, stream, narrow=narrow)
        # The disk is still busy with the samples.
        written = write_sidecars(stored, target, options)
    return (*written, target)


def _storage(options: WriteOptions) -> Storage:
    asked = options.of("nifti").get("storage", Storage.AUTO)
    try:
        return Storage(asked)
    except ValueError:
        known = ", ".join(Storage)
        raise UsageError(f"unknown storage `{asked}`; known: {known}") from None


def _require_datatype(image: Image) -> int:
    samples = image.array.shape[-1] if image.axes[-1] == "c" else 1
    code = NiftiHeader.code_of(image.dtype, samples)
    if code is None or image.dtype.kind == "c":
        what = f"`{samples}` samples of " if samples > 1 else ""
        raise UnsupportedData(f"NIfTI has no data type for {what}`{image.dtype}`")
    return code


def _may_narrow(image: Image) -> bool:
    """Whether uint16 becomes int16 if all samples fit: as dcm2niix does below 16 bits stored."""
    bits = image.values.bits_stored or 16
    return image.dtype == np.uint16 and bits < 16 and is_from_dicom(image)


def _write_gzip(image: Image, stream: Any, level: int, *, narrow: bool) -> None:
    largest = LargestSample() if narrow else None
    size = header_size(_shape(image))
    with GzipSink(stream, level=level, head_size=size) as sink:
        for block in iter_blocks(image, largest=largest):
            sink.write(block)
        # The last blocks are looked at when they are deflated, so the head comes after.
        sink.drain()
        sink.finish(_header(image, largest).pack())


def _write_plain(image: Image, stream: Any, *, narrow: bool) -> None:
    largest = LargestSample() if narrow else None
    stream.write(bytes(header_size(_shape(image))))
    write_blocks(stream, iter_blocks(image, largest=largest))
    stream.seek(0)
    stream.write(_header(image, largest).pack())


def _shape(image: Image) -> tuple[int, ...]:
    i, j, k = image.size_ijk
    return (i, j, k, image.volume_count) if image.volume_count > 1 else (i, j, k)


def _header(image: Image, largest: LargestSample | None) -> NiftiHeader:
    """Return the header of an image whose axes are those of the file."""
    code = _require_datatype(image)
    if largest is not None and largest.value <= np.iinfo(np.int16).max:
        code = NiftiHeader.code_of(np.dtype(np.int16), 1) or code
    header = NiftiHeader(
        shape=_shape(image),
        datatype=code,
        slope=1.0 if code == RGB24 else image.values.rescale.slope,
        inter=0.0 if code == RGB24 else image.values.rescale.intercept,
        spacing=_spacing(image),
        volume_seconds=volume_seconds(image),
        descrip=_description(image),
        **slice_fields(image),
    )
    geometry = image.geometry
    if geometry is None:
        return header
    affine = LPS_TO_RAS @ geometry.affine
    # A quaternion holds no shear: a qform that is not true is left out.
    qform = affine if geometry.is_orthogonal else None
    return replace(
        header, sform=affine, qform=qform, codes=(_SCANNER if qform is not None else 0, _SCANNER)
    )


def _spacing(image: Image) -> tuple[float, float, float]:
    if image.geometry is not None:
        return image.geometry.spacing
    shared = image.metadata.shared
    rows, columns = _pair(shared.get("PixelSpacing") or shared.get("ImagerPixelSpacing"))
    between = shared.get("SpacingBetweenSlices") or shared.get("SliceThickness") or 1.0
    return columns, rows, float(between) if _is_length(between) else 1.0


def _pair(value: Any) -> tuple[float, float]:
    if isinstance(value, tuple | list) and len(value) == 2 and all(map(_is_length, value)):
        return float(value[0]), float(value[1])
    return 1.0, 1.0


def _is_length(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value > 0


def _description(image: Image) -> bytes:
    """Return the echo time, the one acquisition fact that tools read from `descrip`."""
    echo_time = image.metadata.bids.get("EchoTime")
    if isinstance(echo_time, int | float) and math.isfinite(echo_time):
        return f"TE={echo_time * 1000:.4g}".encode("ascii")
    return b""
