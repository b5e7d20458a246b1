"""MetaImage (.mha, .mhd): read and written, plain and zlib-compressed, 2D to 4D.

Data files lie in the folder of their header, under a plain name. Slope and
intercept are applied when writing, as MetaIO's readers ignore those of a
header. Not supported: patterns of file names, element types without a fixed
width (MET_LONG), vectors other than RGB and RGBA, HeaderSize -1.

Source: MetaIO documentation (https://itk.org/Wiki/MetaIO/Documentation);
ITK's coordinates are LPS millimetres.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import atomic_output
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Source
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.rescale import real_dtype, to_real
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, ImgconvError, UnsupportedData, input_error
from imgconv.formats._data_files import find_data_file
from imgconv.formats._samples import iter_blocks
from imgconv.formats._volume_losses import volume_losses
from imgconv.formats.metaimage_header import DTYPES, MetaHeader, parse_header

__all__ = ["check", "read", "write"]

_LOCAL = "LOCAL"
_TYPES = {np.dtype(code): name for name, code in DTYPES.items()}
_PHOTOMETRIC = {1: "MONOCHROME2", 3: "RGB", 4: "RGBA"}
_MAX_DEFLATE_RATIO = 1100  # of zlib; RFC 1951 gives 1032


# --- reading --------------------------------------------------------------------------------------


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the image of a MetaImage header and its data.

    Raises
    ------
    CorruptData
        Truncated, contradictory, hostile, or a data file outside the folder.
    UnsupportedData
        Legal, but listed as not supported above.
    """
    try:
        yield _read_image(source, options)
    except OSError as error:
        raise input_error(error, source) from error
    except ImgconvError as error:
        raise error.with_path(source) from error


def _read_image(source: Path, options: ReadOptions) -> Image:
    head = _read_head(source)
    header = parse_header(head)
    shape, axes = _shape(header)
    count = int(np.prod([int(n) for n in shape], dtype=object))
    expected = count * header.dtype.itemsize
    if options.max_bytes and expected > options.max_bytes:
        raise CorruptData(f"the header promises {expected} bytes; the limit is {options.max_bytes}")
    paths = _data_paths(source, header)
    data = _read_data(source, header, paths, expected)
    array = np.frombuffer(data, header.dtype).reshape(shape)
    array = array.astype(header.dtype.newbyteorder("="), copy=not array.flags.writeable)
    return Image(
        array,
        axes,
        geometry=_geometry(header),
        values=ValueMap(
            rescale=_rescale(header),
            photometric=_PHOTOMETRIC[header.channels],
            bits_stored=8 * array.dtype.itemsize if array.dtype.kind in "ui" else None,
        ),
        sources=tuple(Source(path) for path in dict.fromkeys((source, *paths))),
        name=source.stem,
    )


def _read_head(source: Path) -> bytes:
    with source.open("rb") as stream:
        return stream.read(1 << 20)


def _shape(header: MetaHeader) -> tuple[tuple[int, ...], str]:
    """Return the array's shape and axes."""
    sizes = header.dimensions
    if header.channels not in _PHOTOMETRIC:
        raise UnsupportedData(f"`{header.channels}` channels are not read; expected 1, 3 or 4")
    if len(sizes) not in (2, 3, 4):
        raise UnsupportedData(f"`{len(sizes)}` dimensions are not read; expected 2 to 4")
    shape = tuple(reversed(sizes)) if len(sizes) > 2 else (1, sizes[1], sizes[0])
    axes = "tkji" if len(sizes) == 4 else "kji"
    return (*shape, header.channels) if header.channels > 1 else shape, (
        f"{axes}c" if header.channels > 1 else axes
    )


def _data_paths(source: Path, header: MetaHeader) -> tuple[Path, ...]:
    """Return the data files; a name may not lead out of the header's folder.

    Raises
    ------
    CorruptData
        A name has a folder in it, or is a link to elsewhere.
    """
    if header.files == (_LOCAL,):
        return (source,)
    return tuple(find_data_file(source, name, "ElementDataFile") for name in header.files)


def _read_data(
    source: Path, header: MetaHeader, paths: tuple[Path, ...], expected: int
) -> bytes | bytearray:
    if header.is_compressed:
        if len(paths) != 1:
            raise UnsupportedData("compressed data in several files is not read")
        skip = header.size if paths[0] == source else 0
        return _inflate(paths[0], skip, expected)
    share, rest = divmod(expected, len(paths) or 1)
    if rest or not paths:
        raise CorruptData(f"{len(paths)} data files do not share the image evenly")
    data = bytearray()
    for path in paths:
        skip = header.size if path == source else _skip(header)
        present = path.stat().st_size - skip
        if present < share:
            raise CorruptData(f"the data is truncated: {present} bytes; expected {share}")
        with path.open("rb") as stream:
            stream.seek(skip)
            data += stream.read(share)
    return data


def _skip(header: MetaHeader) -> int:
    """Return HeaderSize, the bytes to skip in each data file."""
    text = header.fields.get("headersize", "0")
    if not text.isdigit():
        raise UnsupportedData("`HeaderSize` is not a positive number")
    return int(text)


def _inflate(path: Path, skip: int, expected: int) -> bytes:
    packed = path.read_bytes()[skip:]
    if expected > len(packed) * _MAX_DEFLATE_RATIO + 1024:
        raise CorruptData(f"{len(packed)} compressed bytes cannot hold the promised {expected}")
    inflate = zlib.decompressobj(wbits=47)  # zlib or gzip, as the head says
    try:
        data = inflate.decompress(packed, expected)
    except (zlib.error, MemoryError) as error:
        raise CorruptData("the compressed data is damaged") from error
    if len(data) < expected:
        raise CorruptData(f"the data is truncated: {len(data)} bytes; expected {expected}")
    return data


def _geometry(header: MetaHeader) -> Geometry | None:
    """Return the geometry; a plane of two dimensions has no place in a patient."""
    count = header.dimension_count
    if count < 3:
        return None
    spacing = header.numbers("elementspacing", "elementsize")
    origin = header.numbers("offset", "position", "origin")
    matrix = header.numbers("transformmatrix", "rotation", "orientation")
    if spacing is None:
        return None
    spacing = _exactly(spacing, count, "ElementSpacing")
    if (spacing[:3] <= 0).any():
        raise CorruptData("`ElementSpacing` is not positive")
    offset = np.zeros(count) if origin is None else _exactly(origin, count, "Offset")
    axes = np.eye(count)
    if matrix is not None:
        # Row n of the text is the direction of axis n.
        axes = _exactly(matrix, count * count, "TransformMatrix").reshape(count, count).T
    affine = np.eye(4)
    affine[:3, :3] = axes[:3, :3] * spacing[:3]
    affine[:3, 3] = offset[:3]
    return Geometry(affine)


def _exactly(values: NDArray[np.float64], count: int, key: str) -> NDArray[np.float64]:
    if len(values) != count:
        raise CorruptData(f"`{key}` has {len(values)} numbers; expected {count}")
    return values


def _rescale(header: MetaHeader) -> Rescale:
    slope = header.numbers("elementtointensityfunctionslope")
    offset = header.numbers("elementtointensityfunctionoffset")
    return Rescale(
        1.0 if slope is None or len(slope) != 1 else float(slope[0]),
        0.0 if offset is None or len(offset) != 1 else float(offset[0]),
    )


# --- writing --------------------------------------------------------------------------------------


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:  # noqa: ARG001  one signature
    """Return what MetaImage cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        There is no element type for its samples.
    """
    _require_type(image)
    return volume_losses(image)


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write ``.mha``, or ``.mhd`` with its data file; the header comes last.

    Parameters
    ----------
    options
        `compress` deflates the data; a file is not compressed otherwise.

    Returns
    -------
    tuple
        The data file if it is one of its own, and the header.

    Raises
    ------
    OutputError
        A file cannot be written.
    UnsupportedData
        There is no element type for the samples.
    """
    _require_type(image)
    image = to_real(image)
    packed = _deflate(image, options.level or 2) if options.compress else None
    name = _LOCAL
    written: tuple[Path, ...] = ()
    if target.suffix.lower() == ".mhd":
        data_path = target.with_suffix(".zraw" if packed is not None else ".raw")
        with atomic_output(data_path) as stream:
            _write_samples(image, stream, packed)
        name, written = data_path.name, (data_path,)
    with atomic_output(target) as stream:
        stream.write(_format_header(image, name, packed))
        if not written:
            _write_samples(image, stream, packed)
    return (*written, target)


def _require_type(image: Image) -> None:
    samples = image.array.shape[-1] if image.axes[-1] == "c" else 1
    if real_dtype(image) not in _TYPES or samples not in _PHOTOMETRIC:
        raise UnsupportedData(f"MetaImage has no type for `{samples}` samples of `{image.dtype}`")


def _deflate(image: Image, level: int) -> list[bytes]:
    packer = zlib.compressobj(level)
    parts = [packer.compress(block().data) for block in iter_blocks(image)]
    return [*parts, packer.flush()]


def _write_samples(image: Image, stream: Any, packed: list[bytes] | None) -> None:
    if packed is not None:
        stream.writelines(packed)
        return
    for block in iter_blocks(image):
        stream.write(block().data)


def _format_header(image: Image, data_file: str, packed: list[bytes] | None) -> bytes:
    i, j, k = image.size_ijk
    sizes = [i, j, k, image.volume_count] if image.axes[0] == "t" else [i, j, k]
    lines = ["ObjectType = Image", f"NDims = {len(sizes)}", "BinaryData = True"]
    lines.append("BinaryDataByteOrderMSB = False")
    lines.append(f"CompressedData = {packed is not None}")
    if packed is not None:
        lines.append(f"CompressedDataSize = {sum(map(len, packed))}")
    lines += _format_geometry(image.geometry, len(sizes))
    lines.append(f"DimSize = {' '.join(map(str, sizes))}")
    if image.axes[-1] == "c":
        lines.append(f"ElementNumberOfChannels = {image.array.shape[-1]}")
    lines.append(f"ElementType = {_TYPES[image.dtype]}")
    lines.append(f"ElementDataFile = {data_file}")
    return ("\n".join(lines) + "\n").encode("ascii", "replace")


def _format_geometry(geometry: Geometry | None, count: int) -> list[str]:
    if geometry is None:
        return []
    axes, offset, spacing = np.eye(count), np.zeros(count), np.ones(count)
    axes[:3, :3] = geometry.directions
    offset[:3], spacing[:3] = geometry.origin, geometry.spacing
    return [
        f"TransformMatrix = {_format_numbers(axes.T.ravel())}",
        f"Offset = {_format_numbers(offset)}",
        f"ElementSpacing = {_format_numbers(spacing)}",
        *(["AnatomicalOrientation = ???"] if count != 3 else []),
    ]


def _format_numbers(values: NDArray[np.float64]) -> str:
    """Shortest text that reads back as the same double."""
    return " ".join(repr(float(value)) for value in values)
