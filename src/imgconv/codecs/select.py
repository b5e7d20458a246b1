"""Choose the codec for a transfer syntax, and run it on one frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat
from imgconv.core.expansion import FRAME
from imgconv.errors import CorruptData, InternalError, UnsupportedData, UsageError
from imgconv.registry import codecs
from imgconv.spec import CodecSpec, resolve
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["decode_frame", "find_decoder", "find_encoder", "find_second_decoder"]

_NO_CHOICE: Mapping[str, str] = {}


def find_decoder(transfer_syntax_uid: str, choice: Mapping[str, str] = _NO_CHOICE) -> CodecSpec:
    """Return the codec that decodes a transfer syntax.

    Parameters
    ----------
    transfer_syntax_uid
        Of the file.
    choice
        Family -> library, where the caller does not want the first one.

    Raises
    ------
    UnsupportedData
        No codec decodes it.
    UsageError
        The chosen library is not there, or cannot decode it.
    """
    return _find(transfer_syntax_uid, "decodes", tuple(sorted(choice.items())))


def find_encoder(transfer_syntax_uid: str, choice: Mapping[str, str] = _NO_CHOICE) -> CodecSpec:
    """Return the codec that encodes a transfer syntax; parameters and errors as `find_decoder`."""
    return _find(transfer_syntax_uid, "encodes", tuple(sorted(choice.items())))


def find_second_decoder(transfer_syntax_uid: str, first: CodecSpec) -> CodecSpec:
    """Return a decoder of another library than `first`, to check its work.

    Raises
    ------
    UsageError
        There is none.
    """
    for spec in codecs:
        if transfer_syntax_uid in spec.decodes and spec.library != first.library:
            return cast("CodecSpec", spec)
    name = BY_UID[transfer_syntax_uid].name
    raise UsageError(f"no second library decodes `{name}`", hint="choose `--verify fast`")


@lru_cache(maxsize=256)
def _find(uid: str, ability: str, choice: tuple[tuple[str, str], ...]) -> CodecSpec:
    own = [spec for spec in codecs.own() if uid in getattr(spec, ability)]
    able = own if own and not choice else [s for s in codecs if uid in getattr(s, ability)]
    syntax = BY_UID.get(uid)
    name = f"{uid} ({syntax.name})" if syntax else uid
    verb = ability.removesuffix("s")
    if not able:
        raise UnsupportedData(
            f"no codec can {verb} transfer syntax `{name}`",
            hint="list what can be done by `imgconv transfer-syntaxes`",
        )
    wanted = dict(choice).get(able[0].family)
    for spec in able:
        if wanted is None or spec.library == wanted:
            return cast("CodecSpec", spec)
    libraries = ", ".join(spec.library for spec in able)
    raise UsageError(f"library `{wanted}` cannot {verb} `{name}`; these can: {libraries}")


def decode_frame(
    data: bytes | memoryview,
    transfer_syntax_uid: str,
    pixel_format: PixelFormat,
    *,
    choice: Mapping[str, str] = _NO_CHOICE,
) -> NDArray[Any]:
    """Decode one frame.

    Parameters
    ----------
    data
        The frame's bytes: all its fragments joined, or its part of native
        pixel data; one-bit frames begin at the lowest bit of the first byte.
    transfer_syntax_uid
        Of the file.
    pixel_format
        As the data set says. The result is in ``pixel_format.decoded``.
    choice
        Family -> library, see `find_decoder`.

    Returns
    -------
    ndarray
        Shape ``(j, i)`` or ``(j, i, c)``, of ``pixel_format.dtype`` in native
        byte order; it may be read-only. Stored values, in the stored colour space:
        nothing is rescaled, and YCbCr is not converted to RGB.

    Raises
    ------
    CorruptData
        The frame is damaged, or contradicts the pixel format.
    UnsupportedData
        No codec decodes the transfer syntax, or not this kind of data.
    """
    spec = find_decoder(transfer_syntax_uid, choice)
    size = pixel_format.array_bytes
    if not FRAME.allows(size, len(data)):
        raise CorruptData(f"a frame of `{len(data)}` bytes cannot hold {size} bytes of an image")
    try:
        array: NDArray[Any] = resolve(spec.decode)(data, pixel_format, transfer_syntax_uid)
    except MemoryError as error:
        raise CorruptData("a frame needs more memory than there is") from error
    if array.shape != pixel_format.shape or array.dtype != pixel_format.dtype:
        raise InternalError(
            f"codec `{spec.name}` returned {array.dtype}{array.shape}; "
            f"expected {pixel_format.dtype}{pixel_format.shape}"
        )
    return array
