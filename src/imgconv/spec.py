"""Frozen descriptions of what can be plugged in; they name functions, they import nothing.

A reference is a string ``"package.module:function"``, resolved on first use,
so that a table of a hundred specs costs no import. Third parties hand over
the same types through the entry points that `imgconv.registry` lists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

__all__ = ["Capabilities", "FormatSpec", "Magic", "resolve"]


def resolve(reference: str) -> Callable[..., Any]:
    """Import and return the function that ``"module:function"`` names.

    Raises
    ------
    ImportError
        The module cannot be imported.
    AttributeError
        The module has no such name.
    """
    module, _, name = reference.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


@dataclass(frozen=True, slots=True)
class Magic:
    """Bytes that stand at `offset` of every file of a format."""

    signature: bytes
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a format can hold: data for `imgconv formats` and for `--matrix`.

    `dtypes` are numpy names. `max_dims` counts spatial and time axes, not
    colour samples. The flags name the parts of `core.image.Image`.
    """

    dtypes: tuple[str, ...] = ()
    max_dims: int = 3
    geometry: bool = False  # index -> patient, in millimetres
    sheared: bool = False  # axes that are not orthogonal
    rescale: bool = False  # slope and intercept beside stored values
    colour: bool = False  # RGB samples
    gradients: bool = False  # b-values and directions
    segments: bool = False  # names, codes, colours of labels
    metadata: bool = False  # patient, study, acquisition


@dataclass(frozen=True, slots=True)
class FormatSpec:
    """One image format: data plus up to three functions.

    ``read(source: Path, options: ReadOptions) -> Iterator[Image]``
    ``check(image: Image, options: WriteOptions) -> tuple[Loss, ...]``, asked before writing
    ``write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]``

    An empty reference means that the format cannot do that. `extensions` are
    lower case with their dot; the first is the one written. `probe` is asked
    with a path and its first 1024 bytes, for formats that no magic tells.
    A format with `gathers` reads many files as one source (a folder of DICOM
    files); its `read` takes a sequence of paths.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    magic: tuple[Magic, ...] = ()
    probe: str = ""
    read: str = ""
    check: str = ""
    write: str = ""
    gathers: bool = False
    capabilities: Capabilities = field(default_factory=Capabilities)
    provider: str = "imgconv"
    extra: str = ""  # the optional dependency group that it needs
