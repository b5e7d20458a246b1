"""NumPy arrays: ``.npy`` (samples only) and ``.npz`` (samples with geometry and meaning).

A ``.npz`` that imgconv writes holds `array`, `axes` (text such as ``kji``),
`affine` (index i j k to LPS millimetres), `slope`, `intercept`, `unit`,
`photometric`; only `array` must be there to be read. Axes of an array that
does not say: (rows, columns), (slices, rows, columns), (volumes, slices, rows,
columns), slowest first; a last axis of 3 or 4 is colour if the type is uint8 and
rows and columns are at least 8. Not supported: pickled objects; structured,
complex and text arrays.

Source: numpy.lib.format (NEP 1).
"""

from __future__ import annotations

import ast
import io
import math
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from imgconv.core.atomic import atomic_output
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image, Source
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import CorruptData, ImgconvError, UnsupportedData, UsageError, input_error
from imgconv.formats._samples import iter_blocks
from imgconv.formats._volume_losses import volume_losses

__all__ = ["check_npy", "check_npz", "read", "write_npy", "write_npz"]

_NPZ_MAGIC = b"PK\x03\x04"
_NPY_MAGIC = b"\x93NUMPY"
_SIZE_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4, b"\x03\x00": 4}  # by version
_MAX_HEADER = 10_000  # bytes; numpy refuses more as well
_TYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248])")
_ARRAY = "array"
_TEXT_FIELDS = ("axes", "unit", "photometric")
_SMALL = 4096  # bytes of a field that is no array of samples
_PLAIN_AXES = {2: "ji", 3: "kji", 4: "tkji"}
_MIN_PICTURE = 8  # rows and columns below which a last axis of 3 or 4 is not taken for colour
_PHOTOMETRICS = ("MONOCHROME1", "MONOCHROME2", "RGB", "RGBA")
_MAX_DEFLATE_RATIO = 1100  # of zlib; RFC 1951 gives 1032
_RESCALE = Loss(
    "rescale", "slope and intercept are not kept in .npy; `--to npz` keeps them", harmful=True
)
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # equal input gives equal files


# --- reading --------------------------------------------------------------------------------------


def read(source: Path, options: ReadOptions) -> Iterator[Image]:
    """Yield the image of an array file.

    Parameters
    ----------
    options
        ``extra["numpy"]["axes"]`` names the axes of an array that does not:
        a string of ``t k j i c``. ``extra["numpy"]["key"]`` names the array
        in a ``.npz`` of several.

    Raises
    ------
    CorruptData
        Truncated, contradictory or hostile.
    UnsupportedData
        No image, or of a type that is not read.
    UsageError
        The given axes do not fit the array.
    """
    try:
        with source.open("rb") as stream:
            if stream.read(4) == _NPZ_MAGIC:
                fields = _read_npz(source, options)
            else:
                stream.seek(0)
                fields = {_ARRAY: _read_array(stream, source.stat().st_size, options)}
        yield _to_image(fields, source, options)
    except OSError as error:
        raise input_error(error, source) from error
    except ImgconvError as error:
        raise error.with_path(source) from error


def _read_array(stream: IO[bytes], available: int, options: ReadOptions) -> NDArray[Any]:
    """Read one array; its header may not promise more than `available` bytes hold."""
    shape, is_fortran, dtype = _read_header(stream)
    expected = math.prod(shape) * dtype.itemsize
    if not all(n > 0 for n in shape) or expected > available:
        raise CorruptData(f"the data is truncated: shape `{shape}` needs {expected} bytes")
    if options.max_bytes and expected > options.max_bytes:
        raise CorruptData(f"the array has {expected} bytes; the limit is {options.max_bytes}")
    data = bytearray(stream.read(expected))
    if len(data) < expected:
        raise CorruptData(f"the data is truncated: {len(data)} bytes; expected {expected}")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if is_fortran else "C")
    native = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("=")
    result: NDArray[Any] = array.astype(native, order="C", copy=False)
    return result


def _read_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and type; numpy's own parser accepts more than it should.

    Raises
    ------
    CorruptData
        It is no array header.
    UnsupportedData
        A type that is not read.
    """
    head = stream.read(8)
    size_bytes = _SIZE_BYTES.get(head[6:])
    if not head.startswith(_NPY_MAGIC) or size_bytes is None:
        raise CorruptData("it does not begin with the header of an array")
    text = stream.read(min(int.from_bytes(stream.read(size_bytes), "little"), _MAX_HEADER))
    try:
        header = ast.literal_eval(text.decode("utf-8").strip())
        shape, is_fortran = header["shape"], header["fortran_order"]
        kind = header["descr"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, MemoryError) as error:
        raise CorruptData("the array header is truncated or damaged") from error
    if not isinstance(kind, str) or _TYPE.fullmatch(kind) is None:
        raise UnsupportedData("arrays of this type are not read; integers, floats, booleans are")
    if not isinstance(shape, tuple) or not all(type(n) is int for n in shape):
        raise CorruptData("the shape of the array is not a tuple of integers")
    return shape, is_fortran is True, np.dtype(kind)


def _read_npz(source: Path, options: ReadOptions) -> dict[str, NDArray[Any]]:
    try:
        with zipfile.ZipFile(source) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            key = _choose_key(members, options)
            wanted = {key: _ARRAY, **{name: name for name in _known_fields(members) if name != key}}
            return {
                target: _read_member(archive, members[name], options)
                for name, target in wanted.items()
            }
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise CorruptData("the .npz archive is truncated or damaged") from error


def _known_fields(members: Mapping[str, zipfile.ZipInfo]) -> list[str]:
    """Return our small fields, if the archive is one of ours."""
    if _ARRAY not in members:
        return []
    names = ("affine", "slope", "intercept", "frame_of_reference_uid")
    return [name for name in (*names, *_TEXT_FIELDS) if name in members]


def _choose_key(members: Mapping[str, zipfile.ZipInfo], options: ReadOptions) -> str:
    asked = options.extra.get("numpy", {}).get("key")
    if asked is not None:
        if asked not in members:
            raise UsageError(f"the .npz has no array `{asked}`")
        return str(asked)
    if _ARRAY in members:
        return _ARRAY
    if len(members) != 1:
        raise UnsupportedData(
            f"the .npz holds {len(members)} arrays; expected one, or one called `{_ARRAY}`",
            hint="name the array by the option `numpy.key`",
        )
    return next(iter(members))


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, options: ReadOptions
) -> NDArray[Any]:
    if info.file_size > info.compress_size * _MAX_DEFLATE_RATIO + _SMALL:
        raise CorruptData(f"`{info.filename}` promises more than its compressed bytes can hold")
    with archive.open(info) as stream:
        name = info.filename.removesuffix(".npy")
        if name in _TEXT_FIELDS:
            return _read_text(stream.read(_SMALL))
        return _read_array(stream, info.file_size, options)


def _read_text(data: bytes) -> NDArray[Any]:
    """Read a field of text, which `_read_array` refuses."""
    try:
        text: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    except (ValueError, EOFError, SyntaxError, TypeError, MemoryError) as error:
        raise CorruptData("a text of the .npz is damaged") from error
    if text.dtype.kind != "U" or text.shape != ():
        raise CorruptData("a text of the .npz is no text")
    return text


def _to_image(fields: Mapping[str, NDArray[Any]], source: Path, options: ReadOptions) -> Image:
    array = fields[_ARRAY]
    asked = options.extra.get("numpy", {}).get("axes")
    axes = str(asked or fields.get("axes", "") or _guess_axes(array))
    array, axes = _complete(array, axes)
    affine = fields.get("affine")
    if affine is not None and (affine.shape != (4, 4) or affine.dtype.kind != "f"):
        raise CorruptData("`affine` is not a 4x4 matrix")
    samples = array.shape[-1] if axes[-1] == "c" else 1
    photometric = str(fields.get("photometric", "") or _photometric(samples))
    if photometric not in _PHOTOMETRICS:
        raise CorruptData("`photometric` is not known")
    return Image(
        array,
        axes,
        geometry=None if affine is None else Geometry(affine),
        values=ValueMap(
            rescale=Rescale(_number(fields, "slope", 1.0), _number(fields, "intercept", 0.0)),
            unit=str(fields.get("unit", "")),
            bits_stored=8 * array.dtype.itemsize if array.dtype.kind in "ui" else None,
            photometric=photometric,
        ),
        sources=(Source(source),),
        name=source.stem,
    )


def _photometric(samples: int) -> str:
    return {3: "RGB", 4: "RGBA"}.get(samples, "MONOCHROME2")


def _number(fields: Mapping[str, NDArray[Any]], name: str, default: float) -> float:
    field = fields.get(name)
    if field is None:
        return default
    if field.size != 1 or not np.isfinite(field).all():
        raise CorruptData(f"`{name}` is not one finite number")
    return float(field.ravel()[0])


def _guess_axes(array: NDArray[Any]) -> str:
    has_colour = (
        array.dtype == np.uint8
        and array.ndim >= 3
        and array.shape[-1] in (3, 4)
        and min(array.shape[-3:-1]) >= _MIN_PICTURE
    )
    plain = _PLAIN_AXES.get(array.ndim - has_colour)
    if plain is None:
        raise UnsupportedData(
            f"an array of {array.ndim} dimensions is not read as an image",
            hint="name its axes by the option `numpy.axes`, such as `tkji`",
        )
    return f"{plain}c" if has_colour else plain


def _complete(array: NDArray[Any], axes: str) -> tuple[NDArray[Any], str]:
    """Put the axes in our order and add a slice axis of length 1 if there is none."""
    if len(set(axes)) != len(axes) or not {"j", "i"} <= set(axes) <= set("tkjic"):
        raise UsageError(f"axes `{axes}`; expected letters of `tkjic`, `j` and `i` among them")
    if len(axes) != array.ndim:
        raise UsageError(f"axes `{axes}` for an array of {array.ndim} dimensions")
    if "k" not in axes:
        array, axes = array[np.newaxis], f"k{axes}"
    ordered = "".join(letter for letter in "tkjic" if letter in axes)
    array = np.ascontiguousarray(np.transpose(array, [axes.index(letter) for letter in ordered]))
    if "c" in ordered and array.shape[-1] not in (3, 4):
        raise UnsupportedData(f"`{array.shape[-1]}` colours are not read; expected 3 or 4")
    return array, ordered


# --- writing --------------------------------------------------------------------------------------


def check_npy(image: Image, options: WriteOptions) -> tuple[Loss, ...]:  # noqa: ARG001  one signature
    """Return what an ``.npy`` cannot hold: all but the samples."""
    losses = volume_losses(image, affine=False)
    return losses if image.values.rescale.is_identity else (*losses, _RESCALE)


def check_npz(image: Image, options: WriteOptions) -> tuple[Loss, ...]:  # noqa: ARG001  one signature
    """Return what an ``.npz`` cannot hold."""
    losses = volume_losses(image)
    return tuple(loss for loss in losses if loss.name != "photometric")


def write_npy(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:  # noqa: ARG001  one signature
    """Write the stored samples.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with atomic_output(target) as stream:
        _write_array(image, stream)
    return (target,)


def write_npz(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]:
    """Write the stored samples with their geometry and meaning.

    Parameters
    ----------
    options
        `compress` deflates the members.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    with atomic_output(target) as stream:
        _write_npz(image, stream, compress=bool(options.compress))
    return (target,)


def _write_array(image: Image, stream: Any) -> None:
    header = {
        "descr": np.lib.format.dtype_to_descr(image.dtype.newbyteorder("<")),
        "fortran_order": False,
        "shape": image.array.shape,
    }
    np.lib.format.write_array_header_1_0(stream, header)
    for block in iter_blocks(image):
        stream.write(block().data)


def _write_npz(image: Image, stream: Any, *, compress: bool) -> None:
    geometry, values = image.geometry, image.values
    fields: dict[str, NDArray[Any]] = {
        "axes": np.array(image.axes),
        "slope": np.array(values.rescale.slope),
        "intercept": np.array(values.rescale.intercept),
        "unit": np.array(values.unit),
        "photometric": np.array(values.photometric),
    }
    if geometry is not None:
        fields["affine"] = geometry.affine
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(stream, "w", kind) as archive:
        with archive.open(_member(_ARRAY, kind), "w", force_zip64=True) as member:
            _write_array(image, member)
        for name, field in fields.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, field, allow_pickle=False)
            archive.writestr(_member(name, kind), buffer.getvalue())


def _member(name: str, kind: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{name}.npy", _ZIP_DATE)
    info.compress_type = kind
    return info
