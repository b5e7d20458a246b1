"""Encode one frame: the options, what comes back, and the one door to all encoders."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.limits import encoded_format
from imgconv.codecs.select import find_encoder
from imgconv.errors import CorruptData, InternalError, UnsupportedData, UsageError
from imgconv.records import record
from imgconv.spec import CodecSpec, resolve
from imgconv.standard.transfer_syntaxes import BY_UID, JPEG_XL_RECOMPRESSION, TransferSyntax

__all__ = [
    "EncodeOptions",
    "EncodeTask",
    "EncodedFrame",
    "encode_frame",
    "find_largest_loss",
    "plan_encoding",
    "require_quality",
    "rms_error",
    "run_encoder",
]

_NO_CHOICE: Mapping[str, str] = {}


@record
class EncodeOptions:
    """How to encode; at most one of the first four, which make it lossy.

    Parameters
    ----------
    near
        JPEG-LS: the largest error of a sample.
    ratio
        JPEG 2000, HTJ2K, JPEG XL: uncompressed size over compressed size, at least.
    quality
        JPEG and JPEG XL: 1 to 100, as libjpeg has it.
    psnr
        JPEG 2000, HTJ2K: peak signal to noise ratio in dB, at least; the peak
        is the range of the codestream's precision.
    effort
        JPEG XL: 1 (fast) to 9 (small).
    """

    near: int | None = None
    ratio: float | None = None
    quality: int | None = None
    psnr: float | None = None
    effort: int = 3

    def __post_init__(self) -> None:
        given = self.given
        if len(given) > 1:
            raise UsageError(f"more than one quality: {', '.join(f'--{name}' for name in given)}")
        bounds = {"near": (0, 255), "ratio": (1, 1e6), "quality": (1, 100), "psnr": (1, 200)}
        for name in given:
            low, high = bounds[name]
            if not low <= getattr(self, name) <= high:
                raise UsageError(
                    f"--{name} is `{getattr(self, name)}`; expected {low:g} to {high:g}"
                )
        if not 1 <= self.effort <= 9:
            raise UsageError(f"--effort is `{self.effort}`; expected 1 to 9")

    @property
    def given(self) -> tuple[str, ...]:
        """The names of the qualities that are set."""
        names = ("near", "ratio", "quality", "psnr")
        return tuple(name for name in names if getattr(self, name) is not None)

    @property
    def quality_text(self) -> str:
        """The quality for people, as in ``psnr 50``; empty if none is set."""
        return " ".join(f"{name} {getattr(self, name):g}" for name in self.given)


@record
class EncodeTask:
    """What a codec's encoder is asked for, the same for all frames of a data set.

    Parameters
    ----------
    transfer_syntax_uid
        The target.
    source
        The format of the samples that it is given.
    target
        The format that the data set declares afterwards, see `encoded_format`.
    options
        The quality, checked to be one that the target has.
    """

    transfer_syntax_uid: str
    source: PixelFormat
    target: PixelFormat
    options: EncodeOptions


@record
class EncodedFrame:
    """A frame's bytes and the pixel format that the data set must now declare."""

    data: bytes
    pixel_format: PixelFormat


def require_quality(transfer_syntax_uid: str, options: EncodeOptions) -> bool:
    """Return whether encoding loses information; refuse what is not said clearly.

    Raises
    ------
    UsageError
        A lossy syntax without a quality, a lossless one with one, or a
        quality that its codec does not have.
    """
    syntax = BY_UID[transfer_syntax_uid]
    qualities = _QUALITIES.get(syntax.family, ()) if syntax.lossy else ()
    if syntax.uid == JPEG_XL_RECOMPRESSION:
        qualities = ()
    name = syntax.aliases[0] if syntax.aliases else syntax.uid
    if not qualities:
        if options.given:
            raise UsageError(
                f"`{name}` is lossless; it takes no `--{options.given[0]}`",
                hint=_lossy_relative(syntax, options.given[0]),
            )
        return False
    wanted = " or ".join(f"`--{quality}`" for quality in qualities)
    if not options.given:
        raise UsageError(f"`{name}` loses information; say how much by {wanted}")
    if options.given[0] not in qualities:
        raise UsageError(f"`{name}` has no `--{options.given[0]}`; it has {wanted}")
    return options.near != 0


def _lossy_relative(syntax: TransferSyntax, quality: str) -> str:
    """Name the lossy syntax of the same family, if it has a quality."""
    if quality not in _QUALITIES.get(syntax.family, ()):
        return ""
    lossy = [other for other in BY_UID.values() if other.family == syntax.family and other.lossy]
    names = [f"`--to {other.aliases[0]}`" for other in lossy if other.aliases]
    return f"choose {names[-1]}" if names else ""


_QUALITIES = {
    "jpeg": ("quality",),
    "jpeg-ls": ("near",),
    "jpeg2000": ("ratio", "psnr"),
    "htj2k": ("ratio", "psnr"),
    "jpeg-xl": ("quality", "ratio"),
}


def encode_frame(
    samples: NDArray[Any],
    transfer_syntax_uid: str,
    pixel_format: PixelFormat,
    options: EncodeOptions = EncodeOptions(),  # noqa: B008  frozen
    *,
    choice: Mapping[str, str] = _NO_CHOICE,
    planar_configuration: int = 0,
) -> EncodedFrame:
    """Encode one frame.

    Parameters
    ----------
    samples
        As `decode_frame` returns them: ``(j, i)`` or ``(j, i, c)``.
    transfer_syntax_uid
        The target.
    pixel_format
        Of `samples`, see `PixelFormat.decoded`.
    options
        Qualities of lossy syntaxes.
    choice
        Family -> library, see `find_encoder`.
    planar_configuration
        What is wanted where the target leaves the choice.

    Raises
    ------
    UnsupportedData
        The standard, or every encoder, excludes such samples.
    UsageError
        The quality is missing, or the chosen library is not there.
    """
    if samples.shape != pixel_format.shape or samples.dtype != pixel_format.dtype:
        raise InternalError(f"samples {samples.dtype}{samples.shape} for {pixel_format}")
    spec = find_encoder(transfer_syntax_uid, choice)
    task = plan_encoding(
        pixel_format, transfer_syntax_uid, options, planar_configuration=planar_configuration
    )
    return EncodedFrame(run_encoder(spec, samples, task), task.target)


def plan_encoding(
    pixel_format: PixelFormat,
    transfer_syntax_uid: str,
    options: EncodeOptions,
    *,
    planar_configuration: int = 0,
) -> EncodeTask:
    """Check what can be checked without samples; parameters and errors as `encode_frame`."""
    require_quality(transfer_syntax_uid, options)
    target = encoded_format(
        pixel_format, transfer_syntax_uid, planar_configuration=planar_configuration
    )
    return EncodeTask(transfer_syntax_uid, pixel_format, target, options)


def run_encoder(spec: CodecSpec, samples: NDArray[Any], task: EncodeTask) -> bytes:
    """Encode by a codec that was chosen before, into a format that was checked before."""
    try:
        data = resolve(spec.encode)(samples, task)
    except MemoryError as error:
        raise CorruptData("a frame needs more memory than there is") from error
    if not isinstance(data, bytes):
        data = bytes(data)
    if len(data) >= 1 << 32:
        raise UnsupportedData("an encoded frame does not fit a fragment of 4 GiB")
    return data


def find_largest_loss(
    encode: Callable[[float], bytes],
    accept: Callable[[bytes], bool],
    bounds: tuple[float, float],
    *,
    steps: int = 10,
) -> bytes:
    """Bisect a codec's parameter for the one nearest to ``bounds[1]`` that is accepted.

    Parameters
    ----------
    encode
        Encodes with a parameter.
    accept
        Whether a result meets the demand.
    bounds
        The end that is tried last resort (sure to be accepted, or else the
        demand cannot be met) and the end that is wanted most; halved on a
        logarithmic scale.

    Raises
    ------
    UnsupportedData
        Even the first end is not accepted.
    """
    safe, wanted = math.log(bounds[0]), math.log(bounds[1])
    best: bytes | None = None
    for step in range(steps):
        middle = safe if step == 0 else (safe + wanted) / 2
        data = encode(math.exp(middle))
        if accept(data):
            best, safe = data, middle
        elif step == 0:
            break
        else:
            wanted = middle
    if best is None:
        raise UnsupportedData(
            "the quality asked for cannot be reached",
            hint="ask for a smaller `--ratio` or `--psnr`, or choose a lossless syntax",
        )
    return best


def rms_error(one: NDArray[Any], two: NDArray[Any]) -> float:
    """Return the root mean square difference of two arrays."""
    difference = one.astype(np.float64) - two
    return float(np.sqrt(np.mean(difference * difference)))
