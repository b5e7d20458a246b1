"""NRRD volumes (.nrrd, .nhdr), attached or with one data file, in every encoding.

Read: all integer and floating types, both byte orders, three spatial axes
and at most one more (samples of colour, or volumes), diffusion gradients,
segments of 3D Slicer. Data files lie in the folder of their header. Written:
attached, little endian, LPS, raw or gzipped. Not supported: lists of data
files, axes of other kinds.

A reader of our own, and not pynrrd or SimpleITK: neither streams 4D data,
pynrrd opens whatever path a header names, and SimpleITK drops the axis kinds.

Source: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import atomic_output
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, LazyArray, Source
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.rescale import real_dtype, to_real
from imgconv.core.slicer_segments import format_slicer_segments, parse_slicer_segments
from imgconv.core.values import ValueMap
from imgconv.errors import CorruptData, ImgconvError, UnsupportedData, input_error
from imgconv.formats._data_files import find_data_file
from imgconv.formats._gzip import DEFAULT_LEVEL, GzipSink
from imgconv.formats._samples import iter_blocks, write_blocks
from imgconv.formats._volume_losses import volume_losses
from imgconv.formats._volumes import StoredVolumes
from imgconv.formats.nrrd_encodings import WHOLE_ENCODINGS, decode_whole
from imgconv.formats.nrrd_gradients import format_gradients, has_gradients, parse_gradients
from imgconv.formats.nrrd_header import (
    MAX_HEADER_BYTES,
    TYPES,
    NrrdHeader,
    format_header,
    parse_header,
)

__all__ = ["check", "read", "write"]

_ENCODINGS = {"raw": False, "gzip": True, "gz": True}
_HELD_LOSSES = frozenset({"segments", "gradients"})  # NRRD has places for these
# Space -> the signs that turn it to LPS; None: not related to the patient.
_SPACES: Mapping[str, tuple[int, int, int] | None] = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
    "scanner-xyz": None,
    "3d-right-handed": None,
    "3d-left-handed": None,
}
_MILLIMETRES = {"": 1.0, "mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
_COLOUR_KINDS = {"rgb-color": 3, "rgba-color": 4, "3-color": 3, "4-color": 4}
_SPATIAL_KINDS = frozenset({"domain", "space"})
_NAMES = {"i1": "int8", "u1": "uint8", "f4": "float", "f8": "double"}


# --- reading --------------------------------------------------------------------------------------


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the image of an NRRD file.

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
        raise error.with_path(source) from error.__cause__


def _read_image(source: Path, options: ReadOptions) -> Image:
    with source.open("rb") as stream:
        header = parse_header(stream.read(MAX_HEADER_BYTES))
    axes = _classify(header)
    array = _read_array(source, header, axes, options)
    letters = f"{'t' if 't' in axes else ''}kji{'c' if 'c' in axes else ''}"
    to_lps = _to_lps(header)
    geometry, losses = _read_geometry(header, axes, to_lps)
    gradients = parse_gradients(header, to_lps, array.shape[0]) if letters[0] == "t" else {}
    is_colour = letters[-1] == "c"
    return Image(
        array,
        letters,
        geometry=geometry,
        values=ValueMap(
            photometric="RGB" if is_colour else "MONOCHROME2",
            bits_stored=8 * array.dtype.itemsize if array.dtype.kind in "iu" else None,
        ),
        metadata=Metadata(shared=_spacing(header, axes, geometry), per_volume=gradients),
        sources=tuple(Source(path) for path in dict.fromkeys((source, _data_path(source, header)))),
        segments=parse_slicer_segments(header.pairs),
        name=source.name.removesuffix(".nrrd").removesuffix(".nhdr").removesuffix(".seg"),
        losses=losses,
    )


def _classify(header: NrrdHeader) -> str:
    """Return a letter for each axis, fastest first: three of them are ``i j k``.

    Raises
    ------
    UnsupportedData
        There are other axes than three spatial ones and one more.
    """
    count = len(header.sizes)
    kinds = [kind.lower() for kind in header.words("kinds")] or ["???"] * count
    directions = header.vectors("space directions")
    if len(kinds) != count or (directions and len(directions) != count):
        raise CorruptData("`kinds` or `space directions` has not one entry per axis")
    others = [
        axis
        for axis in range(count)
        if (directions and directions[axis] is None)
        or kinds[axis] in _COLOUR_KINDS
        or (not directions and kinds[axis] not in {*_SPATIAL_KINDS, "???", "none"})
    ]
    if not others and count == 4:
        others = [3]  # four axes and no word about them: volumes, slowest
    spatial = count - len(others)
    if len(others) > 1 or not 2 <= spatial <= 3:
        raise UnsupportedData(
            f"`{spatial}` spatial axes and {len(others)} others are not supported; "
            "2 or 3 and at most one are"
        )
    letters = list("ijk"[:spatial])
    for axis in others:
        letters.insert(axis, "c" if _is_colour(header, kinds[axis], axis) else "t")
    return "".join(letters)


def _is_colour(header: NrrdHeader, kind: str, axis: int) -> bool:
    # ITK calls the samples of a colour image a vector.
    is_pixel = kind == "vector" and axis == 0 and header.dtype == np.uint8
    size = header.sizes[axis]
    return _COLOUR_KINDS.get(kind) == size or (is_pixel and size in (3, 4))


def _read_array(
    source: Path, header: NrrdHeader, axes: str, options: ReadOptions
) -> NDArray[Any] | LazyArray:
    shape = dict(zip(axes, header.sizes, strict=True))
    shape.setdefault("k", 1)
    stored = "".join(reversed(axes if "k" in axes else axes.replace("j", "jk")))
    volume = tuple(shape[letter] for letter in stored)
    count = None
    if stored[0] == "t":  # one volume behind the other
        count, volume = volume[0], volume[1:]
    array = _read_stored(source, header, volume, count, options)
    letters = [letter for letter in stored if letter != "t" or count is None]
    order = sorted(range(len(letters)), key=lambda n: "tkjic".index(letters[n]))
    if order == list(range(len(letters))) or isinstance(array, LazyArray):
        return array
    return np.ascontiguousarray(np.transpose(array, order))


def _read_stored(
    source: Path,
    header: NrrdHeader,
    volume: tuple[int, ...],
    count: int | None,
    options: ReadOptions,
) -> NDArray[Any] | LazyArray:
    """Return the samples in the order of the file, `count` volumes of that shape."""
    path = _data_path(source, header)
    start = _data_start(source, path, header)
    skip = max(0, header.integer("byte skip", 0))
    encoding = _encoding(header)
    if encoding in WHOLE_ENCODINGS:
        shape = volume if count is None else (count, *volume)
        samples = decode_whole(
            path,
            encoding,
            header.dtype,
            math.prod(shape),
            start=start,
            skip=skip,
            max_bytes=options.max_bytes,
        )
        return samples.reshape(shape)
    data = StoredVolumes(
        path,
        volume,
        header.dtype,
        count or 1,
        start=start,
        is_gzipped=_ENCODINGS[encoding],
        skip=skip,
    )
    data.require_plausible(options.max_bytes)
    return data.array(0, count)


def _encoding(header: NrrdHeader) -> str:
    """Return the name of the encoding, one of those that are known."""
    name = header.fields.get("encoding", "").lower()
    if name not in _ENCODINGS and name not in WHOLE_ENCODINGS:
        known = ", ".join([*_ENCODINGS, *WHOLE_ENCODINGS])
        raise UnsupportedData(f"encoding `{name[:20]}` is not known; these are: {known}")
    return name


def _data_path(source: Path, header: NrrdHeader) -> Path:
    """Return the file that holds the data.

    Raises
    ------
    CorruptData
        It lies outside the header's folder, or is missing.
    UnsupportedData
        There is a list of files.
    """
    name = header.fields.get("data file")
    if name is None:
        return source
    if name == "LIST" or "%" in name:
        raise UnsupportedData("a list of data files is not supported; one file is")
    return find_data_file(source, name, "data file")


def _data_start(source: Path, path: Path, header: NrrdHeader) -> int:
    """Return where the encoded data begin: behind the header and the lines to skip.

    Raises
    ------
    UnsupportedData
        A byte skip of -1 for other than raw data.
    """
    start = header.size if path == source else 0
    lines = header.integer("line skip", 0)
    if lines > 0:
        with path.open("rb") as stream:
            stream.seek(start)
            for _ in range(min(lines, 1 << 16)):
                stream.readline(1 << 20)
            start = stream.tell()
    if header.integer("byte skip", 0) >= 0:
        return start
    if _encoding(header) != "raw":
        raise UnsupportedData("a byte skip of -1 goes with raw data only")
    samples = header.dtype.itemsize * int(np.prod([int(n) for n in header.sizes], dtype=object))
    return max(0, path.stat().st_size - samples)


def _to_lps(header: NrrdHeader) -> NDArray[np.float64]:
    """Return the 3x3 matrix from the header's space to LPS; the identity if that is unknown."""
    signs = _SPACES.get(header.fields.get("space", "").lower()) or (1, 1, 1)
    return np.diag(np.array(signs, dtype=np.float64))


def _read_geometry(
    header: NrrdHeader, axes: str, to_lps: NDArray[np.float64]
) -> tuple[Geometry | None, tuple[Loss, ...]]:
    directions = header.vectors("space directions")
    space = header.fields.get("space", "").lower().removesuffix("-time")
    if not directions or "k" not in axes:
        return None, ()
    if _SPACES.get(space) is None:
        lost = Loss("space", "the space is not that of a patient: the position is not kept", False)
        return None, (lost,)
    columns = [directions[axes.index(letter)] for letter in "ijk"]
    origins = header.vectors("space origin")
    origin = np.zeros(3) if not origins else origins[0]
    given = [vector for vector in (*columns, origin) if vector is not None]
    if len(given) != 4 or any(vector.shape != (3,) for vector in given):
        raise CorruptData("`space directions` and `space origin` are not vectors of three numbers")
    affine = np.eye(4)
    affine[:3, :] = to_lps @ np.stack(given, axis=1) * _unit(header)
    return Geometry(affine), ()


def _unit(header: NrrdHeader) -> float:
    """Return the millimetres in a unit of space."""
    names = {name.lower() for name in header.words("space units")[:3]} or {""}
    if len(names) > 1 or not names <= _MILLIMETRES.keys():
        raise UnsupportedData("`space units` are not one known unit of length")
    return _MILLIMETRES[names.pop()]


def _spacing(header: NrrdHeader, axes: str, geometry: Geometry | None) -> dict[str, Any]:
    """Return the spacing of an image without a place in a patient, as far as it is known."""
    if geometry is not None:
        return {}
    words = header.fields.get("spacings", "").lower().split()
    lengths: dict[str, float] = {}
    if len(words) == len(axes):
        for letter, word in zip(axes, words, strict=True):
            try:
                lengths[letter] = abs(float(word))
            except ValueError:
                continue
    known = {letter for letter, value in lengths.items() if 0 < value < float("inf")}
    shared: dict[str, Any] = {}
    if {"i", "j"} <= known:
        shared["PixelSpacing"] = (lengths["j"], lengths["i"])
    if "k" in known:
        shared["SpacingBetweenSlices"] = lengths["k"]
    return shared


# --- writing --------------------------------------------------------------------------------------


def check(image: Image, options: WriteOptions) -> tuple[Loss, ...]:
    """Return what NRRD cannot hold of `image`.

    Raises
    ------
    UnsupportedData
        There is no NRRD type for its samples.
    """
    del options
    _require_type(image)
    losses = [loss for loss in volume_losses(image) if loss.name not in _HELD_LOSSES]
    if not image.values.rescale.is_identity:
        losses.append(
            Loss(
                "rescale", "slope and intercept are applied: they have no place of their own", False
            )
        )
    if has_gradients(image) and None in image.metadata.per_volume["DiffusionBValue"]:
        losses.append(Loss("gradients", "a volume has no b-value: it is stated as 0", False))
    return tuple(losses)


def _require_type(image: Image) -> np.dtype[Any]:
    dtype = real_dtype(image)
    code = f"{dtype.kind}{dtype.itemsize}"
    if code not in TYPES.values():
        raise UnsupportedData(f"NRRD has no type for samples of `{dtype}`")
    return dtype


def write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write an attached NRRD file, gzipped unless the options say otherwise.

    Raises
    ------
    OutputError
        It cannot be written.
    UnsupportedData
        There is no NRRD type for the samples.
    """
    _require_type(image)
    image = to_real(image)
    is_gzipped = options.compress is not False
    header = format_header(_fields(image, is_gzipped=is_gzipped), _pairs(image))
    with atomic_output(target) as stream:
        stream.write(header)
        if is_gzipped:
            with GzipSink(stream, level=options.level or DEFAULT_LEVEL) as sink:
                for block in iter_blocks(image):
                    sink.write(block)
                sink.finish()
        else:
            write_blocks(stream, iter_blocks(image))
    return (target,)


def _fields(image: Image, *, is_gzipped: bool) -> dict[str, str]:
    axes = image.axes[::-1]
    sizes = image.array.shape[::-1]
    kinds = {"i": "domain", "j": "domain", "k": "domain", "t": "list"}
    kinds["c"] = "RGB-color" if sizes[0] == 3 else "RGBA-color"
    dtype = image.dtype
    code = f"{dtype.kind}{dtype.itemsize}"
    fields = {"type": _NAMES.get(code, dtype.name), "dimension": str(len(axes))}
    geometry = image.geometry
    if geometry is not None:
        fields["space"] = "left-posterior-superior"
    fields["sizes"] = " ".join(str(size) for size in sizes)
    if geometry is not None:
        columns = {letter: geometry.affine[:3, n] for n, letter in enumerate("ijk")}
        fields["space directions"] = " ".join(
            _vector(columns[letter]) if letter in columns else "none" for letter in axes
        )
    fields["kinds"] = " ".join(kinds[letter] for letter in axes)
    if dtype.itemsize > 1:
        fields["endian"] = "little"
    fields["encoding"] = "gzip" if is_gzipped else "raw"
    if geometry is not None:
        fields["space units"] = '"mm" "mm" "mm"'
        fields["space origin"] = _vector(geometry.origin)
        if has_gradients(image):
            fields["measurement frame"] = "(1,0,0) (0,1,0) (0,0,1)"
    else:
        fields |= _spacing_field(image, axes)
    return fields


def _spacing_field(image: Image, axes: str) -> dict[str, str]:
    shared = image.metadata.shared
    pixel = shared.get("PixelSpacing")
    if not isinstance(pixel, tuple | list) or len(pixel) != 2:
        return {}
    between = shared.get("SpacingBetweenSlices", "nan")
    lengths = {"j": pixel[0], "i": pixel[1], "k": between}
    return {"spacings": " ".join(str(lengths.get(letter, "nan")) for letter in axes)}


def _vector(vector: NDArray[np.float64]) -> str:
    return "(" + ",".join(repr(float(part) + 0.0) for part in vector) + ")"


def _pairs(image: Image) -> dict[str, str]:
    segments = format_slicer_segments(image.segments, image.size_ijk) if image.segments else {}
    return {**format_gradients(image), **segments}
