"""What imgconv relies on in a codec; run by `pytest --pyargs imgconv.testing`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from imgconv.codecs.encode import EncodeOptions, EncodeTask, plan_encoding, run_encoder
from imgconv.codecs.frame import PixelFormat
from imgconv.codecs.select import find_decoder
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.registry import codecs
from imgconv.spec import CodecSpec, resolve
from imgconv.standard.transfer_syntaxes import BY_UID

_CHOSEN = frozenset(filter(None, os.environ.get("IMGCONV_CONTRACT_CODECS", "").split(",")))
_SPECS = [spec for spec in codecs if not _CHOSEN or spec.name in _CHOSEN]
_SHAPES = ((1, 1), (1, 97), (3, 3), (24, 20), (64, 64))
_KINDS: dict[str, dict[str, Any]] = {
    "8 bits": {"bits_allocated": 8, "bits_stored": 8},
    "12 bits": {"bits_allocated": 16, "bits_stored": 12},
    "16 bits": {"bits_allocated": 16, "bits_stored": 16},
    "signed": {"bits_allocated": 16, "bits_stored": 16, "signed": True},
    "colour": {
        "bits_allocated": 8,
        "bits_stored": 8,
        "samples_per_pixel": 3,
        "photometric_interpretation": "RGB",
    },
}


def _lossless(spec: CodecSpec) -> list[str]:
    return [uid for uid in spec.encodes if uid in BY_UID and not BY_UID[uid].lossy]


def _pairs(ability: str) -> list[Any]:
    return [
        pytest.param(spec, uid, id=f"{spec.name}-{uid}")
        for spec in _SPECS
        for uid in (_lossless(spec) if ability == "encodes" else spec.decodes)
    ]


encoders = pytest.mark.parametrize(("spec", "uid"), _pairs("encodes"))
decoders = pytest.mark.parametrize(("spec", "uid"), _pairs("decodes"))


def _frame(kind: str, shape: tuple[int, int]) -> tuple[NDArray[Any], PixelFormat]:
    pixel_format = PixelFormat(rows=shape[0], columns=shape[1], **_KINDS[kind])
    rng = np.random.default_rng(len(kind))
    top = 1 << pixel_format.bits_stored
    low = -top // 2 if pixel_format.signed else 0
    values = rng.integers(low, low + top, pixel_format.shape)
    values = np.where(rng.random(pixel_format.shape) < 0.5, values, low)  # noise and runs
    return values.astype(pixel_format.dtype), pixel_format


def _encoded(
    spec: CodecSpec, uid: str, kind: str, shape: tuple[int, int]
) -> tuple[bytes, NDArray[Any], EncodeTask]:
    samples, pixel_format = _frame(kind, shape)
    try:
        task = plan_encoding(pixel_format, uid, EncodeOptions())
        return run_encoder(spec, samples, task), samples, task
    except UnsupportedData as error:
        pytest.skip(str(error))


def _decode(spec: CodecSpec, uid: str, data: bytes, pixel_format: PixelFormat) -> NDArray[Any]:
    decoded: NDArray[Any] = resolve(spec.decode)(data, pixel_format, uid)
    return decoded


@pytest.mark.parametrize("spec", _SPECS, ids=lambda spec: spec.name)
def test_spec_names_one_family_and_functions_that_exist(spec: CodecSpec) -> None:
    known = {BY_UID[uid].family for uid in (*spec.decodes, *spec.encodes) if uid in BY_UID}
    assert known <= {spec.family}
    assert spec.decodes or spec.encodes
    for ability, reference in ((spec.decodes, spec.decode), (spec.encodes, spec.encode)):
        assert bool(ability) == bool(reference)
        assert not reference or callable(resolve(reference))


@encoders
@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("shape", _SHAPES)
def test_encoder_loses_nothing_and_leaves_its_input_alone(
    spec: CodecSpec, uid: str, kind: str, shape: tuple[int, int]
) -> None:
    data, samples, task = _encoded(spec, uid, kind, shape)
    again, _ = _frame(kind, shape)
    assert np.array_equal(samples, again)
    decoded = _decode(find_decoder(uid), uid, data, task.target)
    assert decoded.dtype == samples.dtype
    assert np.array_equal(decoded, samples)


@encoders
def test_encoder_gives_the_same_bytes_each_time(spec: CodecSpec, uid: str) -> None:
    first, samples, task = _encoded(spec, uid, "12 bits", (24, 20))
    assert run_encoder(spec, samples, task) == first


@decoders
@pytest.mark.parametrize("kind", _KINDS)
def test_decoder_agrees_with_the_first_choice(spec: CodecSpec, uid: str, kind: str) -> None:
    lossless = [one for one in _SPECS if uid in _lossless(one)]
    if not lossless:
        pytest.skip("no encoder is lossless in this transfer syntax")
    data, samples, task = _encoded(lossless[0], uid, kind, (24, 20))
    assert np.array_equal(_decode(spec, uid, data, task.target), samples)


@decoders
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 100, bytes(range(256)) * 4])
def test_decoder_of_rubbish_raises_ours_or_gives_the_promised_shape(
    spec: CodecSpec, uid: str, data: bytes
) -> None:
    _, pixel_format = _frame("16 bits", (24, 20))
    try:
        decoded = _decode(spec, uid, data, pixel_format)
    except (CorruptData, UnsupportedData):
        return
    assert decoded.shape == pixel_format.shape
    assert decoded.dtype == pixel_format.dtype
