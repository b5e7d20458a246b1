"""What PS3.5 allows in each transfer syntax, and what a frame's attributes become in it.

Source
------
PS3.5 8.2.1 to 8.2.16, one table each: photometric interpretation, samples per
pixel, pixel representation, bits allocated, bits stored
"""

from __future__ import annotations

from dataclasses import replace

from imgconv.codecs.frame import PixelFormat
from imgconv.errors import UnsupportedData
from imgconv.records import record
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["encoded_format", "require_encodable"]

_BASE = "1.2.840.10008.1.2"
_ALL_BITS = (1, 38)
_ANY = "any"


@record
class _Limit:
    """One row of a table of PS3.5 8.2, for the samples that go into the encoder.

    `result` is the photometric interpretation after encoding, empty for the same.
    """

    photometric: str
    samples: int
    allocated: tuple[int, ...]
    stored: tuple[int, int]
    signed: bool = False  # whether Pixel Representation 1 is allowed
    result: str = ""


def _monochrome(
    allocated: tuple[int, ...], stored: tuple[int, int], *, signed: bool
) -> tuple[_Limit, ...]:
    return tuple(
        _Limit(name, 1, allocated, stored, signed) for name in ("MONOCHROME1", "MONOCHROME2")
    )


_PALETTE_16 = _Limit("PALETTE COLOR", 1, (8, 16), (1, 16))
_LOSSLESS_JPEG = (  # Table 8.2.1-2
    *_monochrome((8, 16), (1, 16), signed=True),
    _PALETTE_16,
    _Limit("YBR_FULL", 3, (8, 16), (1, 16)),
    _Limit("RGB", 3, (8, 16), (1, 16)),
)
_BASELINE_JPEG = (  # Table 8.2.1-1
    *_monochrome((8,), (8, 8), signed=False),
    _Limit("YBR_FULL", 3, (8,), (8, 8), result="YBR_FULL_422"),
    _Limit("RGB", 3, (8,), (8, 8), result="YBR_FULL_422"),
)
_EXTENDED_JPEG = (  # Table 8.2.1-1; 8 bits go to the baseline process
    *_monochrome((16,), (12, 12), signed=False),
)
_JPEG_LS = (  # Table 8.2.3-1
    *_monochrome((8, 16), (2, 16), signed=True),
    _Limit("PALETTE COLOR", 1, (8, 16), (2, 16)),
    _Limit("YBR_FULL", 3, (8,), (2, 8)),
    _Limit("RGB", 3, (8, 16), (2, 16)),
)
_JPEG_2000 = (  # Table 8.2.4-1, lossless; 8.2.14 says the same for HTJ2K
    *_monochrome((8, 16, 32), _ALL_BITS, signed=True),
    _PALETTE_16,
    _Limit("YBR_FULL", 3, (8, 16, 32), _ALL_BITS),
    _Limit("RGB", 3, (8, 16, 32), _ALL_BITS, result="YBR_RCT"),
)
_JPEG_2000_LOSSY = (  # Table 8.2.4-1; a palette's indices cannot be lossy
    *_monochrome((8, 16), (1, 16), signed=True),
    _Limit("YBR_FULL", 3, (8, 16), (1, 16)),
    _Limit("RGB", 3, (8, 16), (1, 16), result="YBR_ICT"),
)
_RLE = (  # Table 8.2.2-1
    *_monochrome((8, 16), (1, 16), signed=True),
    _PALETTE_16,
    _Limit("YBR_FULL", 3, (8,), (1, 8)),
    _Limit("RGB", 3, (8, 16), (1, 16)),
)
_JPEG_XL = (  # Table 8.2.15-1, as far as libjxl codes it: no sign, no YCbCr
    *_monochrome((8, 16), (1, 16), signed=False),
    _Limit("PALETTE COLOR", 1, (8, 16), (1, 16)),
    _Limit("RGB", 3, (8, 16), (1, 16)),
)
_JPEG_XL_LOSSY = (
    *_monochrome((8, 16), (1, 16), signed=False),
    _Limit("RGB", 3, (8, 16), (1, 16), result="XYB"),
)

# None: as native data, nothing is excluded but floating point where fragments are needed.
_LIMITS: dict[str, tuple[_Limit, ...] | None] = {
    _BASE: None,
    _BASE + ".1": None,
    _BASE + ".1.98": None,
    _BASE + ".1.99": None,
    _BASE + ".2": None,
    _BASE + ".8.1": None,
    _BASE + ".4.50": _BASELINE_JPEG,
    _BASE + ".4.51": _EXTENDED_JPEG,
    _BASE + ".4.57": _LOSSLESS_JPEG,
    _BASE + ".4.70": _LOSSLESS_JPEG,
    _BASE + ".4.80": _JPEG_LS,
    _BASE + ".4.81": tuple(row for row in _JPEG_LS if row.photometric != "PALETTE COLOR"),
    _BASE + ".4.90": _JPEG_2000,
    _BASE + ".4.91": _JPEG_2000_LOSSY,
    _BASE + ".4.110": _JPEG_XL,
    _BASE + ".4.112": _JPEG_XL_LOSSY,
    _BASE + ".4.201": _JPEG_2000,
    _BASE + ".4.202": _JPEG_2000,
    _BASE + ".4.203": _JPEG_2000_LOSSY,
    _BASE + ".5": _RLE,
}

# Planar configuration 1 is meaningful in these; elsewhere the codestream says how samples lie.
_PLANAR = frozenset(
    {_BASE, _BASE + ".1", _BASE + ".1.98", _BASE + ".1.99", _BASE + ".2", _BASE + ".5"}
)
_WAY_OUT = "choose `--to deflated` or `--to explicit`, which take every kind of pixel data"


def encoded_format(
    pixel_format: PixelFormat, transfer_syntax_uid: str, *, planar_configuration: int = 0
) -> PixelFormat:
    """Return the pixel format that samples have after they are encoded.

    Parameters
    ----------
    pixel_format
        Of the samples that go into the encoder, see `PixelFormat.decoded`.
    transfer_syntax_uid
        The target.
    planar_configuration
        What is wanted where the target leaves the choice.

    Raises
    ------
    UnsupportedData
        PS3.5 does not allow such samples in this transfer syntax, or no
        encoder keeps them; the hint names a transfer syntax that takes them.
    """
    row = require_encodable(pixel_format, transfer_syntax_uid)
    planar = planar_configuration if transfer_syntax_uid in _PLANAR else 0
    result = row.result if row is not None else ""
    return replace(
        pixel_format,
        photometric_interpretation=result or pixel_format.photometric_interpretation,
        planar_configuration=planar if pixel_format.samples_per_pixel > 1 else 0,
    )


def require_encodable(pixel_format: PixelFormat, transfer_syntax_uid: str) -> _Limit | None:
    """Return the row of the standard's table that allows it; None if there is no table.

    Raises
    ------
    UnsupportedData
        As `encoded_format`.
    """
    syntax = BY_UID[transfer_syntax_uid]
    if pixel_format.floating and syntax.encapsulated:
        raise UnsupportedData("floating point pixel data cannot be compressed", hint=_WAY_OUT)
    rows = _LIMITS.get(transfer_syntax_uid)
    if rows is None:
        return None
    for row in rows:
        if not _mismatch(row, pixel_format):
            return row
    raise UnsupportedData(
        f"{syntax.name} does not allow {_first_mismatch(rows, pixel_format)}",
        hint=_way_out(pixel_format, transfer_syntax_uid),
    )


def _mismatch(row: _Limit, pixel_format: PixelFormat) -> str:
    """Return the first thing that a row does not allow, empty if it allows all."""
    if row.photometric != pixel_format.photometric_interpretation:
        return f"Photometric Interpretation `{pixel_format.photometric_interpretation}`"
    if row.samples != pixel_format.samples_per_pixel:
        return f"`{pixel_format.samples_per_pixel}` Samples per Pixel"
    if pixel_format.bits_allocated not in row.allocated:
        return f"`{pixel_format.bits_allocated}` Bits Allocated"
    if not row.stored[0] <= pixel_format.bits_stored <= row.stored[1]:
        return f"`{pixel_format.bits_stored}` Bits Stored"
    if pixel_format.signed and not row.signed:
        return "signed samples"
    return ""


def _first_mismatch(rows: tuple[_Limit, ...], pixel_format: PixelFormat) -> str:
    photometric = pixel_format.photometric_interpretation
    near = [row for row in rows if row.photometric == photometric] or list(rows)
    return _mismatch(near[0], pixel_format)


def _way_out(pixel_format: PixelFormat, refused: str) -> str:
    """Name a compression that takes such samples, lossless or lossy as the refused one is."""
    lossless = (_BASE + ".4.90", _BASE + ".4.201", _BASE + ".8.1")
    for uid in (_BASE + ".4.91",) if BY_UID[refused].lossy else lossless:
        if uid == _BASE + ".4.90" and pixel_format.bits_allocated > 16:
            continue  # allowed, but no encoder at hand is exact
        rows = _LIMITS[uid]
        if rows is None or any(not _mismatch(row, pixel_format) for row in rows):
            return f"choose `--to {BY_UID[uid].aliases[0]}`"
    return _WAY_OUT
