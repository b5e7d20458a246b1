"""The header of NIfTI-1 and NIfTI-2: parse hostile bytes, pack exact ones.

Not supported: Analyze 7.5 (no magic), 1-bit samples, 128-bit floats.

Source: nifti1.h and nifti2.h (https://nifti.nimh.nih.gov).
"""

from __future__ import annotations

import math
from dataclasses import field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import CorruptData, UnsupportedData
from imgconv.records import record

__all__ = [
    "DATATYPES",
    "RGB24",
    "RGBA32",
    "NiftiHeader",
    "affine_to_qform",
    "header_size",
    "qform_to_affine",
]

ByteOrder = Literal["<", ">"]

RGB24 = 128
RGBA32 = 2304

# datatype code -> numpy name; RGB(A) have a further axis of 3 or 4 samples.
DATATYPES = {
    2: "uint8",
    4: "int16",
    8: "int32",
    16: "float32",
    32: "complex64",
    64: "float64",
    RGB24: "uint8",
    256: "int8",
    512: "uint16",
    768: "uint32",
    1024: "int64",
    1280: "uint64",
    1792: "complex128",
    RGBA32: "uint8",
}
_CODES = {name: code for code, name in reversed(DATATYPES.items()) if code not in (RGB24, RGBA32)}
_CODES["uint8"] = 2

_FIELDS_1 = [
    ("sizeof_hdr", "i4"),
    ("data_type", "S10"),
    ("db_name", "S18"),
    ("extents", "i4"),
    ("session_error", "i2"),
    ("regular", "S1"),
    ("dim_info", "u1"),
    ("dim", "i2", (8,)),
    ("intent_p", "f4", (3,)),
    ("intent_code", "i2"),
    ("datatype", "i2"),
    ("bitpix", "i2"),
    ("slice_start", "i2"),
    ("pixdim", "f4", (8,)),
    ("vox_offset", "f4"),
    ("scl_slope", "f4"),
    ("scl_inter", "f4"),
    ("slice_end", "i2"),
    ("slice_code", "u1"),
    ("xyzt_units", "u1"),
    ("cal_max", "f4"),
    ("cal_min", "f4"),
    ("slice_duration", "f4"),
    ("toffset", "f4"),
    ("glmax", "i4"),
    ("glmin", "i4"),
    ("descrip", "S80"),
    ("aux_file", "S24"),
    ("qform_code", "i2"),
    ("sform_code", "i2"),
    ("quatern", "f4", (3,)),
    ("qoffset", "f4", (3,)),
    ("srow", "f4", (3, 4)),
    ("intent_name", "S16"),
    ("magic", "S4"),
]
_FIELDS_2 = [
    ("sizeof_hdr", "i4"),
    ("magic", "S8"),
    ("datatype", "i2"),
    ("bitpix", "i2"),
    ("dim", "i8", (8,)),
    ("intent_p", "f8", (3,)),
    ("pixdim", "f8", (8,)),
    ("vox_offset", "i8"),
    ("scl_slope", "f8"),
    ("scl_inter", "f8"),
    ("cal_max", "f8"),
    ("cal_min", "f8"),
    ("slice_duration", "f8"),
    ("toffset", "f8"),
    ("slice_start", "i8"),
    ("slice_end", "i8"),
    ("descrip", "S80"),
    ("aux_file", "S24"),
    ("qform_code", "i4"),
    ("sform_code", "i4"),
    ("quatern", "f8", (3,)),
    ("qoffset", "f8", (3,)),
    ("srow", "f8", (3, 4)),
    ("slice_code", "i4"),
    ("xyzt_units", "i4"),
    ("intent_code", "i4"),
    ("intent_name", "S16"),
    ("dim_info", "u1"),
    ("unused", "S15"),
]
_SIZES = {1: 348, 2: 540}
_MAGICS = {1: b"n+1", 2: b"n+2\0\r\n\x1a\n"}
_EXTENSION_FLAG = 4  # bytes behind the header that tell whether extensions follow

# xyzt_units: a space code in bits 0-2 and a time code in bits 3-5.
_MILLIMETRES = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_SECONDS = {0: 1.0, 8: 1.0, 16: 1e-3, 24: 1e-6}
_MM_AND_SECONDS = 2 + 8

_MAX_DIM_1 = 32767  # dim is int16 in NIfTI-1
# How far a quaternion's parts may move to fit each other, in half units of the last place below 1.
_NEIGHBOURS = 4


def _layout(version: int, order: ByteOrder) -> np.dtype[Any]:
    fields: list[Any] = _FIELDS_1 if version == 1 else _FIELDS_2
    return np.dtype(fields).newbyteorder(order)


def header_size(shape: tuple[int, ...]) -> int:
    """Return where samples begin in a single file whose dimensions are `shape`.

    NIfTI-1 is used while its 16-bit dimensions suffice, NIfTI-2 otherwise.
    """
    return _SIZES[1 if max(shape) <= _MAX_DIM_1 else 2] + _EXTENSION_FLAG


@record(frozen=False)
class NiftiHeader:
    """What a header says, in plain values.

    Parameters
    ----------
    shape
        i, j, k and further axes; at least three.
    datatype
        A key of `DATATYPES`.
    affines
        ``qform`` and ``sform``: 4x4 index -> RAS millimetres, None where the
        code is 0.
    codes
        ``(qform_code, sform_code)``.
    spacing
        Millimetres along i, j, k; 0 if the header gives none.
    volume_seconds
        ``pixdim[4]`` in seconds.
    slope, inter
        ``scl_slope``, ``scl_inter``; slope 0 means none.
    """

    shape: tuple[int, ...]
    datatype: int
    qform: NDArray[np.float64] | None = None
    sform: NDArray[np.float64] | None = None
    codes: tuple[int, int] = (0, 0)
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    volume_seconds: float = 0.0
    slope: float = 1.0
    inter: float = 0.0
    dim_info: int = 0
    slice_code: int = 0
    slice_start: int = 0
    slice_end: int = 0
    slice_duration: float = 0.0
    intent_code: int = 0
    descrip: bytes = b""
    version: int = 1
    byte_order: ByteOrder = "<"
    data_offset: int = 0
    is_pair: bool = False
    has_extensions: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a stored sample, in the file's byte order."""
        return np.dtype(DATATYPES[self.datatype]).newbyteorder(self.byte_order)

    @property
    def samples(self) -> int:
        """Samples per voxel."""
        return {RGB24: 3, RGBA32: 4}.get(self.datatype, 1)

    @staticmethod
    def code_of(dtype: np.dtype[Any], samples: int) -> int | None:
        """Return the datatype code for samples of `dtype`, None if there is none."""
        if samples == 1:
            return _CODES.get(dtype.name)
        return {3: RGB24, 4: RGBA32}.get(samples) if dtype == np.uint8 else None

    @classmethod
    def parse(cls, head: bytes) -> NiftiHeader:
        """Parse the first bytes of a file.

        Parameters
        ----------
        head
            At least 544 bytes, or the whole file if it is shorter.

        Raises
        ------
        CorruptData
            Truncated, no NIfTI header, or values that contradict each other.
        UnsupportedData
            Analyze 7.5, or a data type that imgconv does not read.
        """
        version, order = _find_layout(head)
        layout = _layout(version, order)
        if len(head) < layout.itemsize:
            raise CorruptData(
                f"the header has `{len(head)}` bytes; NIfTI-{version} has {layout.itemsize}"
            )
        raw = np.frombuffer(head, layout, 1)[0]
        magic = bytes(raw["magic"])[:3]
        if magic not in (b"n+1", b"ni1", b"n+2", b"ni2"):
            raise UnsupportedData(
                "this is Analyze 7.5, which does not tell left from right; expected NIfTI"
            )
        datatype = int(raw["datatype"])
        if datatype not in DATATYPES:
            raise UnsupportedData(f"NIfTI datatype `{datatype}` is not supported")
        is_pair = magic.startswith(b"ni")
        extension_flag = head[layout.itemsize : layout.itemsize + 1]
        header = cls(
            shape=_parse_shape(raw),
            datatype=datatype,
            version=version,
            byte_order=order,
            is_pair=is_pair,
            data_offset=_parse_offset(raw, layout.itemsize, is_pair=is_pair),
            intent_code=int(raw["intent_code"]),
            has_extensions=extension_flag not in (b"", b"\0"),
        )
        _parse_scaling(header, raw)
        _parse_space(header, raw)
        return header

    def pack(self) -> bytes:
        """Return the header of a single little-endian file, with the four bytes behind it."""
        version = 1 if max(self.shape) <= _MAX_DIM_1 else 2
        raw = np.zeros((), _layout(version, "<"))
        raw["sizeof_hdr"] = _SIZES[version]
        raw["magic"] = _MAGICS[version]
        if version == 1:
            raw["regular"] = b"r"
        raw["dim"][:] = 1
        raw["dim"][0] = len(self.shape)
        raw["dim"][1 : len(self.shape) + 1] = self.shape
        raw["datatype"] = self.datatype
        raw["bitpix"] = self.dtype.itemsize * 8 * self.samples
        raw["vox_offset"] = _SIZES[version] + _EXTENSION_FLAG
        raw["scl_slope"], raw["scl_inter"] = self.slope, self.inter
        raw["xyzt_units"] = _MM_AND_SECONDS
        raw["pixdim"][1:4] = self.spacing
        raw["pixdim"][4] = self.volume_seconds
        raw["pixdim"][0] = 1.0
        raw["descrip"] = self.descrip
        for name in ("dim_info", "slice_code", "slice_start", "slice_end", "slice_duration"):
            raw[name] = getattr(self, name)
        raw["intent_code"] = self.intent_code
        raw["qform_code"], raw["sform_code"] = self.codes
        if self.sform is not None:
            raw["srow"] = self.sform[:3]
        if self.qform is not None:
            quatern, offset, qfac = affine_to_qform(self.qform, raw["quatern"].dtype)
            raw["quatern"], raw["qoffset"], raw["pixdim"][0] = quatern, offset, qfac
        return raw.tobytes() + bytes(_EXTENSION_FLAG)


def _find_layout(head: bytes) -> tuple[int, ByteOrder]:
    if len(head) < 4:
        raise CorruptData(f"the header has `{len(head)}` bytes; expected 348 for NIfTI-1")
    sizes = {size: version for version, size in _SIZES.items()}
    little, big = int.from_bytes(head[:4], "little"), int.from_bytes(head[:4], "big")
    if little in sizes:
        return sizes[little], "<"
    if big in sizes:
        return sizes[big], ">"
    raise CorruptData("the header's size is neither 348 (NIfTI-1) nor 540 (NIfTI-2)")


def _parse_shape(raw: Any) -> tuple[int, ...]:
    count = int(raw["dim"][0])
    if not 1 <= count <= 7:
        raise CorruptData(f"dim[0] is `{count}`; expected 1 to 7")
    shape = [int(length) for length in raw["dim"][1 : count + 1]]
    if min(shape) < 1:
        raise CorruptData(f"a dimension is `{min(shape)}`; expected at least 1")
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    return tuple(shape + [1] * (3 - len(shape)))


def _parse_offset(raw: Any, size: int, *, is_pair: bool) -> int:
    offset = float(raw["vox_offset"])
    least = 0 if is_pair else size
    if not math.isfinite(offset) or not least <= offset < 2**48 or offset != int(offset):
        raise CorruptData(f"vox_offset is `{offset:g}`; expected a whole number from {least}")
    return int(offset)


def _parse_scaling(header: NiftiHeader, raw: Any) -> None:
    slope, inter = float(raw["scl_slope"]), float(raw["scl_inter"])
    # A slope of 0 says that there is no scaling (nifti1.h); NaN is written by some for the same.
    if slope == 0 or math.isnan(slope) or header.samples > 1:
        header.slope, header.inter = 1.0, 0.0
        return
    if not math.isfinite(slope) or not math.isfinite(inter):
        raise CorruptData(f"scl_slope `{slope:g}` and scl_inter `{inter:g}` are not both finite")
    header.slope, header.inter = slope, inter


def _doubles(raw: Any, field: str) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # a signalling NaN stays a NaN, of which others complain
        return raw[field].astype(np.float64)  # type: ignore[no-any-return]


def _parse_space(header: NiftiHeader, raw: Any) -> None:
    units = int(raw["xyzt_units"])
    scale = _MILLIMETRES.get(units & 7)
    if scale is None:
        raise CorruptData(f"xyzt_units has the unknown length code `{units & 7}`")
    pixdim = np.abs(_doubles(raw, "pixdim"))
    if not np.isfinite(pixdim[1:4]).all():
        raise CorruptData("pixdim is not finite")
    spacing = pixdim[1:4] * scale
    header.spacing = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    if len(header.shape) > 3 and math.isfinite(pixdim[4]):
        header.volume_seconds = float(pixdim[4]) * _SECONDS.get(units & 0x38, 0.0)
    header.codes = (int(raw["qform_code"]), int(raw["sform_code"]))
    if header.codes[1] > 0:
        header.sform = np.vstack([_doubles(raw, "srow") * scale, [0, 0, 0, 1]])
    if header.codes[0] > 0:
        header.qform = qform_to_affine(
            _doubles(raw, "quatern"),
            _doubles(raw, "qoffset") * scale,
            spacing,
            -1.0 if raw["pixdim"][0] < 0 else 1.0,
        )


def qform_to_affine(
    quatern: NDArray[np.float64],
    offset: NDArray[np.float64],
    spacing: NDArray[np.float64],
    qfac: float,
) -> NDArray[np.float64]:
    """Return the 4x4 affine of the quaternion ``(b, c, d)``, as nifti1.h method 2.

    Raises
    ------
    CorruptData
        The quaternion is not finite, or longer than 1 by more than rounding.
    """
    square = float(np.dot(quatern, quatern))
    if not math.isfinite(square) or square > 1.0 + 1e-4:
        raise CorruptData("the qform's quaternion is no rotation")
    b, c, d, a = _complete(quatern)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    affine = np.eye(4)
    affine[:3, :3] = rotation * (spacing * [1.0, 1.0, qfac])
    affine[:3, 3] = offset
    return affine


def _complete(quatern: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(..., 4)`` b, c, d, a; a square of a below 1e-7 counts as 0, as in nifti1_io.c."""
    rest = 1.0 - (quatern * quatern).sum(axis=-1, keepdims=True)
    half_turn = rest < 1e-7
    whole: NDArray[np.float64] = np.concatenate(
        [
            np.where(half_turn, quatern / np.sqrt(np.maximum(1.0 - rest, 0.5)), quatern),
            np.where(half_turn, 0.0, np.sqrt(np.maximum(rest, 0.0))),
        ],
        axis=-1,
    )
    return whole


def affine_to_qform(
    affine: NDArray[np.float64], dtype: np.dtype[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return quaternion ``(b, c, d)``, offset and qfac of an orthogonal affine.

    The quaternion's fourth part is not stored but computed from the rounded
    others, which near half turns costs up to 1e-4 rad. So the stored parts
    are taken from the neighbours of the rounded ones that fit best together.
    """
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    rotation = affine[:3, :3] / spacing
    qfac = 1.0 if np.linalg.det(rotation) > 0 else -1.0
    left, _, right = np.linalg.svd(rotation * [1.0, 1.0, qfac])
    exact = _quaternion(left @ right)
    candidates = _neighbours(exact[:3], dtype)
    errors = np.abs(_complete(candidates) - exact).max(axis=1)
    # Some readers refuse a vector that is longer than 1 by more than rounding.
    errors[(candidates * candidates).sum(axis=1) > 1.0 + 1e-7] = np.inf
    return candidates[int(np.argmin(errors))], affine[:3, 3], qfac


def _neighbours(exact: NDArray[np.float64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """Return the rounded vector and those up to a few units in the last place away."""
    rounded = exact.astype(dtype)
    reach = np.arange(-_NEIGHBOURS, _NEIGHBOURS + 1) * float(np.finfo(dtype).eps) / 2
    steps = np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, 3)
    near: NDArray[np.float64] = (rounded + steps).astype(dtype).astype(np.float64)
    return np.concatenate([rounded.astype(np.float64)[None], near])


def _quaternion(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (b, c, d, a) of a proper rotation, a >= 0, by the method of Bar-Itzhack.

    Source: I. Y. Bar-Itzhack, J. Guidance 23 (2000) 1085.
    """
    r = rotation
    symmetric = np.array(
        [
            [r[0, 0] - r[1, 1] - r[2, 2], 0, 0, 0],
            [r[0, 1] + r[1, 0], r[1, 1] - r[0, 0] - r[2, 2], 0, 0],
            [r[0, 2] + r[2, 0], r[1, 2] + r[2, 1], r[2, 2] - r[0, 0] - r[1, 1], 0],
            [
                r[2, 1] - r[1, 2],
                r[0, 2] - r[2, 0],
                r[1, 0] - r[0, 1],
                r[0, 0] + r[1, 1] + r[2, 2],
            ],
        ]
    )
    _, vectors = np.linalg.eigh(symmetric / 3.0)
    quaternion: NDArray[np.float64] = vectors[:, -1] * (1.0 if vectors[3, -1] >= 0 else -1.0)
    return quaternion
