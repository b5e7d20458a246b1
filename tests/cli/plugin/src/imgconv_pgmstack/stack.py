"""A line with type and size, then the samples, little endian."""

import math

import numpy as np

from imgconv.core.atomic import atomic_output
from imgconv.core.image import Image, Source
from imgconv.core.loss import Loss
from imgconv.core.rescale import real_dtype, to_real
from imgconv.errors import CorruptData, UnsupportedData

TYPES = ("uint8", "uint16", "int16")


def read(source, options):
    with source.open("rb") as stream:
        words = stream.readline(200).split()
        data = stream.read()
    try:
        magic, name, *size = (word.decode("ascii") for word in words)
        shape = tuple(int(length) for length in size)
    except ValueError as error:
        raise CorruptData("the first line is not that of a stack", path=source) from error
    if magic != "PGMSTACK" or name not in TYPES or len(shape) != 3 or min(shape) < 1:
        raise CorruptData("the first line is not that of a stack", path=source)
    dtype = np.dtype(name).newbyteorder("<")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise CorruptData("the samples are truncated", path=source)
    array = np.frombuffer(data, dtype).reshape(shape).astype(name)
    yield Image(array, "kji", sources=(Source(source),), name=source.stem)


def check(image, options):
    if image.axes != "kji":
        raise UnsupportedData("a stack holds grey samples only, of one volume")
    if real_dtype(image).name not in TYPES:
        raise UnsupportedData(f"a stack holds no samples of `{real_dtype(image)}`")
    if image.geometry is None:
        return ()
    return (Loss("geometry", "the position in the patient is not kept", harmful=False),)


def write(image, target, options):
    check(image, options)
    real = to_real(image)
    size = " ".join(str(length) for length in real.array.shape)
    samples = np.asarray(real.array)
    with atomic_output(target) as stream:
        stream.write(f"PGMSTACK {samples.dtype.name} {size}\n".encode("ascii"))
        stream.write(samples.astype(samples.dtype.newbyteorder("<")).tobytes())
    return (target,)
