"""Frozen descriptions of what can be plugged in; they name functions, they import nothing.

A reference is a string ``"package.module:function"``, resolved on first use,
so that a table of a hundred specs costs no import. Third parties hand over
the same types through the entry points that `imgconv.registry` lists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from importlib import import_module
from typing import Any

from imgconv.records import record

__all__ = [
    "Capabilities",
    "CodecSpec",
    "FormatSpec",
    "Magic",
    "ProfileSpec",
    "RuleSpec",
    "resolve",
]


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


@record
class Magic:
    """Bytes that stand at `offset` of every file of a format."""

    signature: bytes
    offset: int = 0


@record
class Capabilities:
    """What a format can hold: data for `imgconv formats` and for `--matrix`.

    `dtypes` are numpy names; `colour_dtypes` those of colour samples.
    `max_dims` counts spatial and time axes, not colour samples. The flags name
    the parts of `core.image.Image`. `exact`: samples and axes come back as they
    were unless `check` reports a harmful loss; pictures do not promise that:
    those that `render` show placed images as a viewer does, and those that are
    not `lossless` alter samples.
    """

    dtypes: tuple[str, ...] = ()
    max_dims: int = 3
    geometry: bool = False  # index -> patient, in millimetres
    sheared: bool = False  # axes that are not orthogonal
    rescale: bool = False  # slope and intercept beside stored values
    colour: bool = False  # RGB samples
    colour_dtypes: tuple[str, ...] = ("uint8",)
    alpha: bool = False  # transparency
    gradients: bool = False  # b-values and directions
    segments: bool = False  # names, codes, colours of labels
    metadata: bool = False  # patient, study, acquisition
    exact: bool = True
    renders: bool = False
    lossless: bool = True


@record
class FormatSpec:
    """One image format: data plus up to three functions.

    ``read(source: Path, options: ReadOptions) -> Iterator[Image]``
    ``check(image: Image, options: WriteOptions) -> tuple[Loss, ...]``, asked before writing
    ``write(image: Image, target: Path, options: WriteOptions) -> tuple[Path, ...]``

    An empty reference means that the format cannot do that. `extensions` are
    lower case with their dot; the first is the one written. `probe` is asked
    with a path and its first 1024 bytes, for formats that no magic tells.
    A format with `gathers` reads many files as one source (a folder of DICOM
    files); its `read` takes a sequence of paths. A format that `streams` writes
    an image slab by slab, so that its pixels may still be in the files that they
    are read from.
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
    streams: bool = False
    capabilities: Capabilities = field(default_factory=Capabilities)
    provider: str = "imgconv"
    extra: str = ""  # the optional dependency group that it needs


@record
class CodecSpec:
    """One library's codec for the transfer syntaxes of one family.

    ``decode(data: bytes, pixel_format, transfer_syntax_uid) -> NDArray``
    ``encode(samples: NDArray, task: EncodeTask) -> bytes``

    `decodes` and `encodes` list transfer syntax UIDs; an empty tuple means
    that the codec cannot do that. Several codecs of one family stand in order
    of preference. See `imgconv.codecs` for the types.
    """

    family: str
    library: str
    decodes: tuple[str, ...] = ()
    encodes: tuple[str, ...] = ()
    decode: str = ""
    encode: str = ""
    releases_gil: bool = True
    provider: str = "imgconv"
    extra: str = ""  # the optional dependency group that it needs

    @property
    def name(self) -> str:
        """``family=library``, as `--codec` takes it."""
        return f"{self.family}={self.library}"


@record
class RuleSpec:
    """One rule of `imgconv validate`: what it says, and the function that finds it.

    ``check(subject) -> Iterator[Hit]``; the subject is a `rules.instance.Instance`
    for the scope ``instance`` and a `rules.records.SeriesRecords`,
    `StudyRecords` or `rules.record_store.RecordStore` for ``series``, ``study`` and ``set``. A
    function that serves several rules is called once.

    Parameters
    ----------
    id
        A letter and three digits: ``M001``. Never reused.
    name
        Kebab-case, reads well after "allow": ``missing-type-1``.
    title
        What is wrong, in one line.
    reason
        Why it matters to somebody.
    source
        The section of the standard that says so.
    severity
        ``error``, ``warning`` or ``info``, unless a profile grades it otherwise.
    check
        ``"module:function"``.
    fails, passes
        An example of each, as one line of text.
    opt_in
        Only profiles that ask for it run it.
    fix
        Name of the safe fix that mends it.
    """

    id: str
    name: str
    title: str
    reason: str
    source: str
    severity: str
    check: str
    fails: str = ""
    passes: str = ""
    scope: str = "instance"
    opt_in: bool = False
    fix: str = ""
    provider: str = "imgconv"


@record
class ProfileSpec:
    """One profile that comes with imgconv or a plug-in: a name and its data file.

    `package` and `resource` name the file as `imgconv.resources` reads it.
    """

    name: str
    title: str
    package: str
    resource: str
    provider: str = "imgconv"
