"""Read several label maps as the layers of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from imgconv.core.image import Image
from imgconv.core.layers import stack_layers
from imgconv.core.options import ReadOptions
from imgconv.errors import UnknownFormat
from imgconv.ops.detect import detect_format, read_head
from imgconv.spec import FormatSpec, resolve

__all__ = ["LAYERS", "read_layers"]

# What a plan names as the format of inputs that become one image.
LAYERS = FormatSpec(
    name="layers",
    title="Label maps, one layer each",
    extensions=(),
    read="imgconv.ops.layers:read_layers",
    gathers=True,
)


def read_layers(paths: Sequence[Path], options: ReadOptions) -> Iterator[Image]:
    """Yield the one image whose volumes are the images of `paths`, in order.

    Raises
    ------
    UnknownFormat
        No format recognises a file, or imgconv does not read it.
    GeometryError, UnsupportedData
        As `core.layers.stack_layers`, and as the formats say.
    """
    images: list[Image] = []
    for path in paths:
        spec = detect_format(path, read_head(path))
        if spec is None or not spec.read:
            raise UnknownFormat("no image format is recognised", path=path)
        images += resolve(spec.read)([path] if spec.gathers else path, options)
    yield stack_layers(images)
