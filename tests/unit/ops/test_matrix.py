import json
from dataclasses import replace

import imagecodecs
import numpy as np
import pytest

from imgconv.cli import main
from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.core.values import Rescale, ValueMap
from imgconv.errors import InputError
from imgconv.ops.matrix import ASPECTS, compare_formats
from imgconv.registry import formats
from imgconv.spec import Capabilities, FormatSpec, resolve

RICH = FormatSpec(
    "rich",
    "Rich",
    (".r",),
    read="m:r",
    write="m:w",
    capabilities=Capabilities(("uint8", "float32"), 4, geometry=True, rescale=True, colour=True),
)
POOR = FormatSpec(
    "poor", "Poor", (".p",), read="m:r", write="m:w", capabilities=Capabilities(("uint8",), 2)
)
MUTE = FormatSpec("mute", "Mute", (".m",), read="m:r", capabilities=Capabilities(("uint8",), 3))


def test_compare_formats_tells_what_is_kept_and_lost():
    pairs = {(p.source, p.target): p for p in compare_formats([RICH, POOR, MUTE])}
    assert set(pairs) == {("rich", "poor"), ("poor", "rich"), ("mute", "poor"), ("mute", "rich")}
    pair = pairs["rich", "poor"]
    assert pair.lost == ("geometry", "rescale", "colour", "dims", "dtypes")
    assert "shown" in pair.kept
    assert pair.dtypes == ("float32",)
    assert pairs["poor", "rich"].lost == ()
    assert pairs["poor", "rich"].kept == ("dims", "dtypes", "exact")


def test_aspects_cover_all_flags():
    flags = {
        name
        for name in Capabilities.__dataclass_fields__
        if name not in ("dtypes", "max_dims", "exact", "colour_dtypes", "renders", "lossless")
    }
    assert flags | {"dims", "dtypes", "depth", "shown", "exact"} == set(ASPECTS)
    assert len({letter for letter, _ in ASPECTS.values()}) == len(ASPECTS)


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_formats_matrix_lists_every_pair(capsys, arguments):
    assert main(["formats", "--matrix", *arguments]) == 0
    text = capsys.readouterr().out
    if not arguments:
        assert "dicom" in text
        return
    pairs = json.loads(text)
    images = [spec for spec in formats if spec.capabilities.dtypes]
    reads = [spec for spec in images if spec.read]
    writes = [spec for spec in images if spec.write]
    expected = len(reads) * len(writes) - len([spec for spec in reads if spec.write])
    assert len(pairs if isinstance(pairs, list) else pairs["formats"]) == expected


def volume(dtype="int16", shape=(3, 4, 5), axes="kji", affine=(1.0, 2.0, 3.0, 1.0), **values):
    array = (np.arange(np.prod(shape)) % 251).astype(dtype).reshape(shape)
    values.setdefault("bits_stored", array.dtype.itemsize * 8 if array.dtype.kind != "f" else None)
    if axes.endswith("c"):
        values["photometric"] = {3: "RGB", 4: "RGBA"}[shape[-1]]
    geometry = (
        None if shape[0] == 1 else Geometry(np.diag(affine) if np.ndim(affine) == 1 else affine)
    )
    return Image(array, axes, geometry=geometry, values=ValueMap(**values), name="x")


def picture(dtype, samples):
    return volume(dtype, (1, 4, 5, samples), "kjic")


SHEARED = np.diag([1.0, 2.0, 3.0, 1.0])
SHEARED[1, 2] = 0.5
# Aspect -> what has nothing else that a format could lose.
PROBES = {
    "geometry": volume("uint8"),
    "sheared": volume("uint8", affine=SHEARED),
    "rescale": volume(rescale=Rescale(2.5, -3.0)),
    "colour": picture("uint8", 3),
    "depth": picture("uint16", 3),
    "alpha": picture("uint8", 4),
    "dims": volume("int16", (2, 3, 4, 5), "tkji"),
    "shown": volume("int16"),
    "exact": volume("uint8", (1, 4, 5)),
}
EVERYTHING = FormatSpec(
    "everything",
    "Everything",
    (".all",),
    read="m:r",
    capabilities=Capabilities(
        ("uint8", "int16"), 4, geometry=True, sheared=True, rescale=True, colour=True,
        colour_dtypes=("uint8", "uint16"), alpha=True,
    ),
)  # fmt: skip
WRITTEN = [spec for spec in formats if spec.write and spec.capabilities.dtypes]


def convert(spec, image, folder):
    """Return what comes back from a format; None if it is refused."""
    losses = resolve(spec.check)(image, WriteOptions())
    if any(loss.harmful for loss in losses):
        return None
    paths = resolve(spec.write)(image, folder / f"x{spec.extensions[0]}", WriteOptions())
    source = list(paths) if spec.gathers else paths[-1]
    return next(iter(resolve(spec.read)(source, ReadOptions())))


def is_kept(aspect, before, after):
    if aspect == "geometry":
        return after.geometry is not None
    if aspect == "sheared":
        return after.geometry is not None and np.allclose(
            after.geometry.affine, before.geometry.affine, atol=1e-4
        )
    if aspect == "rescale":
        return after.values.rescale == before.values.rescale
    same_axes = after.axes == before.axes and after.array.shape == before.array.shape
    if aspect == "colour":
        return same_axes
    return same_axes and np.array_equal(np.asarray(after.array), before.array)


@pytest.mark.parametrize("aspect", PROBES)
@pytest.mark.parametrize("spec", WRITTEN, ids=lambda spec: spec.name)
def test_matrix_says_what_really_happens(spec, aspect, tmp_path):
    (pair,) = compare_formats([EVERYTHING, replace(spec, read="")])
    image = PROBES[aspect]
    try:
        after = convert(spec, image, tmp_path)
    except InputError:
        after = None

    kept = after is not None and is_kept(aspect, image, after)

    # What is not even judged (16-bit colour where there is no colour) is lost with the rest.
    assert (aspect in pair.kept) is kept


@pytest.mark.parametrize("spec", WRITTEN, ids=lambda spec: spec.name)
def test_matrix_types_that_a_target_lacks_are_refused_or_changed(spec, tmp_path):
    for dtype in ("uint8", "int8", "uint16", "int16", "uint32", "int64", "float32", "float64"):
        image = volume(dtype, (1, 4, 5))
        try:
            after = convert(spec, image, tmp_path)
        except InputError:
            assert dtype not in spec.capabilities.dtypes
            continue
        # A wider type with the same values is as good.
        assert (
            after is None
            or not spec.capabilities.lossless
            or np.array_equal(after.array, image.array)
        )


ENCODERS = {
    "jpegls": imagecodecs.jpegls_encode,
    "jpeg2000": lambda samples: imagecodecs.jpeg2k_encode(samples, reversible=True),
    "jpegxl": lambda samples: imagecodecs.jpegxl_encode(samples, lossless=True),
    "webp": lambda samples: imagecodecs.webp_encode(samples, lossless=True),
    "png": imagecodecs.png_encode,
    "tiff": imagecodecs.tiff_encode,
}


COLOURS = [
    (name, dtype)
    for name in ENCODERS
    for dtype in ("uint8", "uint16")
    if dtype in formats.get(name).capabilities.colour_dtypes
]


@pytest.mark.parametrize("samples", [3, 4])
@pytest.mark.parametrize(("name", "dtype"), COLOURS)
def test_matrix_rows_of_pictures_say_what_is_read(name, samples, dtype, tmp_path):
    spec = formats.get(name)
    array = picture(dtype, samples).array[0]
    path = tmp_path / f"x{spec.extensions[0]}"
    path.write_bytes(ENCODERS[name](array))

    image = next(iter(resolve(spec.read)(path, ReadOptions())))

    assert spec.capabilities.alpha
    assert np.array_equal(np.asarray(image.array)[0], array)
