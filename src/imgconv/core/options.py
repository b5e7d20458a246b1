"""What a caller may ask of a reader and of a writer, the same for every format.

Options are frozen and picklable, they are passed down and never stored. What
only one format understands stands in `extra`, under the format's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from pathlib import Path
from typing import Any

from imgconv.records import record

__all__ = ["Merge", "Overwrite", "ReadOptions", "Sidecar", "Tilt", "WriteOptions"]


class Merge(StrEnum):
    """Which slices of one series become one volume or one 4D image."""

    AUTO = "auto"  # as the headers say: echoes, phases, b-values and time points are told apart
    NEVER = "never"  # additionally, a volume per time point: nothing becomes 4D
    SERIES = "series"  # all that fits geometrically within one series, whatever echo or exposure


class Tilt(StrEnum):
    """What becomes of a CT with a tilted gantry."""

    KEEP = "keep"  # the affine is sheared, the samples stay as they are
    RESAMPLE = "resample"  # the samples are interpolated onto orthogonal axes


class Overwrite(StrEnum):
    """What becomes of an output that exists already."""

    NEVER = "never"  # kept; a different one is refused
    IF_DIFFERENT = "if-different"  # replaced only if the content differs
    ALWAYS = "always"


class Sidecar(StrEnum):
    """Which text files are written beside a volume."""

    OFF = "off"  # no JSON; gradients are written all the same
    ANONYMISED = "anonymised"  # without any attribute that may identify a person
    FULL = "full"


@record
class ReadOptions:
    """What to read and how.

    Parameters
    ----------
    series
        Series Numbers or Series Instance UIDs to read, empty for all.
    ignore_localizers, ignore_derived
        Leave out localizers (and screen shots of them), or what was computed
        from other images; they are reported as skipped.
    merge, tilt
        See the enumerations.
    allow
        Names of losses and irregularities that are accepted: ``missing-slices``;
        ``all`` accepts each.
    strict
        Refuse harmless ones as well.
    max_bytes
        An image that needs more memory than this *per volume* is refused as
        hostile before anything is allocated; 0 for no limit.
    lazy
        Whether the pixels may stay in their files until a writer asks for
        them, slab by slab; what is wrong with them is found only then.
    extra
        Format name -> its own options.
    """

    series: tuple[str, ...] = ()
    ignore_localizers: bool = False
    ignore_derived: bool = False
    merge: Merge = Merge.AUTO
    tilt: Tilt = Tilt.KEEP
    allow: frozenset[str] = frozenset()
    strict: bool = False
    max_bytes: int = 0
    lazy: bool = False
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@record
class WriteOptions:
    """What to write and how.

    Parameters
    ----------
    compress
        Whether to compress where the format leaves the choice; None: as the
        target's extension says, else the format's habit.
    level
        Compression level, 1 fast to 9 small; None for the format's default.
    quality
        Of lossy image formats, 1 to 100; None writes without loss.
    sidecar
        Which text files are written beside a volume.
    overwrite
        What becomes of a target that exists.
    allow, strict
        As in `ReadOptions`; `check` ignores them, its caller applies them.
    reference
        Data sets (files or a folder) whose patient, study and frame of
        reference a DICOM output takes over.
    metadata
        DICOM keyword -> value, over what the image brings.
    extra
        Format name -> its own options.
    """

    compress: bool | None = None
    level: int | None = None
    quality: int | None = None
    sidecar: Sidecar = Sidecar.ANONYMISED
    overwrite: Overwrite = Overwrite.NEVER
    allow: frozenset[str] = frozenset()
    strict: bool = False
    reference: tuple[Path, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, name: str) -> Mapping[str, Any]:
        """Return the options that only format `name` understands."""
        return self.extra.get(name, {})
