"""What imgconv relies on in a format; run by `pytest --pyargs imgconv.testing`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.rescale import to_real
from imgconv.errors import InputError
from imgconv.ops.detect import detect_format, read_head
from imgconv.registry import formats
from imgconv.spec import FormatSpec, resolve
from imgconv.testing.samples import sample_image, sample_images

_CHOSEN = frozenset(filter(None, os.environ.get("IMGCONV_CONTRACT_FORMATS", "").split(",")))
_SPECS = [spec for spec in formats if not _CHOSEN or spec.name in _CHOSEN]
_ALLOW_ALL = frozenset({"all"})
_TOLERANCE_MM = 1e-3


def _ids(spec: FormatSpec) -> str:
    return spec.name


readers = pytest.mark.parametrize("spec", [spec for spec in _SPECS if spec.read], ids=_ids)
writers = pytest.mark.parametrize("spec", [spec for spec in _SPECS if spec.write], ids=_ids)
both = pytest.mark.parametrize(
    "spec", [spec for spec in _SPECS if spec.read and spec.write], ids=_ids
)


def _write(spec: FormatSpec, image: Image, folder: Path) -> tuple[tuple[Path, ...], Any]:
    options = WriteOptions(allow=_ALLOW_ALL)
    losses = tuple(resolve(spec.check)(image, options)) if spec.check else ()
    paths = tuple(resolve(spec.write)(image, folder / f"x{spec.extensions[0]}", options))
    return paths, losses


def _read(spec: FormatSpec, paths: tuple[Path, ...]) -> list[Image]:
    # The last path is the one that tells that all are there.
    source: Any = list(paths) if spec.gathers else paths[-1]
    return list(resolve(spec.read)(source, ReadOptions(allow=_ALLOW_ALL)))


def _held_samples(spec: FormatSpec) -> list[Image]:
    """Return the samples that a format does not refuse."""
    held = []
    for image in sample_images(spec):
        try:
            resolve(spec.check)(image, WriteOptions()) if spec.check else ()
        except InputError:
            continue
        held.append(image)
    return held


def _first_sample(spec: FormatSpec) -> Image:
    samples = _held_samples(spec)
    if not samples:
        pytest.skip("the format claims to hold no samples")
    return samples[0]


def _error_of(spec: FormatSpec, paths: tuple[Path, ...]) -> InputError | None:
    """Return the error of reading everything; one that is not ours is not caught."""
    try:
        for image in _read(spec, paths):
            np.asarray(image.array)
    except InputError as error:
        return error
    return None


@pytest.mark.parametrize("spec", _SPECS, ids=_ids)
def test_spec_is_complete(spec: FormatSpec) -> None:
    assert spec.name == spec.name.lower()
    assert spec.title
    assert spec.extensions
    assert all(extension.startswith(".") for extension in spec.extensions)
    assert spec.read or spec.write
    for reference in (spec.read, spec.check, spec.write, spec.probe):
        assert not reference or callable(resolve(reference))


@writers
def test_check_returns_losses_and_writes_nothing(spec: FormatSpec, tmp_path: Path) -> None:
    samples = _held_samples(spec)
    assert samples or not spec.capabilities.dtypes, "a type that the capabilities claim is refused"
    for image in samples:
        losses = resolve(spec.check)(image, WriteOptions()) if spec.check else ()
        assert isinstance(losses, tuple)
        assert all(isinstance(loss, Loss) and loss.name and loss.message for loss in losses)
    assert list(tmp_path.iterdir()) == []


@writers
def test_write_returns_its_files_and_leaves_no_others(spec: FormatSpec, tmp_path: Path) -> None:
    for number, image in enumerate(_held_samples(spec)):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths, _ = _write(spec, image, folder)
        assert paths
        found = {path for path in folder.rglob("*") if path.is_file()}
        assert found == set(paths)


@writers
def test_write_leaves_the_image_as_it_was(spec: FormatSpec, tmp_path: Path) -> None:
    for number, image in enumerate(_held_samples(spec)):
        before = np.array(image.array)
        np.asarray(image.array).setflags(write=False)
        folder = tmp_path / str(number)
        folder.mkdir()
        _write(spec, image, folder)
        assert np.array_equal(before, np.asarray(image.array))


@writers
def test_write_gives_the_same_bytes_each_time(spec: FormatSpec, tmp_path: Path) -> None:
    if spec.name == "dicom":
        pytest.skip("new objects have new UIDs")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for image in _held_samples(spec):
        first, _ = _write(spec, image, tmp_path / "a")
        second, _ = _write(spec, image, tmp_path / "b")
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@both
def test_read_gives_back_what_was_written(spec: FormatSpec, tmp_path: Path) -> None:
    for number, image in enumerate(_held_samples(spec)):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths, losses = _write(spec, image, folder)
        before = {path: path.read_bytes() for path in paths}
        images = _read(spec, paths)
        assert len(images) == 1
        back = to_real(images[0])
        array = np.asarray(back.array)
        assert array.dtype.isnative
        assert {path: path.read_bytes() for path in paths} == before
        if any(loss.harmful for loss in losses) or not spec.capabilities.exact:
            continue
        assert np.array_equal(array, np.asarray(to_real(image).array))
        assert back.axes == image.axes
        if spec.capabilities.geometry and image.geometry is not None:
            assert back.geometry is not None
            assert np.allclose(back.geometry.affine, image.geometry.affine, atol=_TOLERANCE_MM)


@both
def test_arrays_that_were_read_can_be_written_to(spec: FormatSpec, tmp_path: Path) -> None:
    for number, image in enumerate(_held_samples(spec)):
        folder = tmp_path / str(number)
        folder.mkdir()
        paths, _ = _write(spec, image, folder)
        for back in _read(spec, paths):
            for volume in back.iter_volumes():
                assert volume.flags.writeable


@both
def test_what_was_written_is_recognised(spec: FormatSpec, tmp_path: Path) -> None:
    paths, _ = _write(spec, _first_sample(spec), tmp_path)
    found = detect_format(paths[-1], read_head(paths[-1]))
    assert found is not None
    assert found.name == spec.name


@both
@pytest.mark.parametrize("keep", [0, 1, 8, 0.1, 0.5, 0.9])
def test_read_of_a_truncated_file_raises_our_errors_only(
    spec: FormatSpec, keep: float, tmp_path: Path
) -> None:
    paths, _ = _write(spec, _first_sample(spec), tmp_path)
    for path in paths:
        data = path.read_bytes()
        path.write_bytes(data[: int(keep * len(data)) if keep < 1 else int(keep)])
    error = _error_of(spec, paths)
    assert error is None or error.path is not None, "the message does not name the file"


@readers
def test_read_of_noise_raises_our_errors_only(spec: FormatSpec, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for magic in [*(magic.signature for magic in spec.magic), b""]:
        offset = next((one.offset for one in spec.magic if one.signature == magic), 0)
        path = tmp_path / f"x{spec.extensions[0]}"
        path.write_bytes(bytes(offset) + magic + rng.bytes(3000))
        assert _error_of(spec, (path,)) is not None


def test_samples_have_no_symmetry() -> None:
    array = np.asarray(sample_image().array)
    for axis in range(3):
        assert not np.array_equal(array, np.flip(array, axis))
