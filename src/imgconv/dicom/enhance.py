"""Make one Legacy Converted Enhanced object of a single-frame series.

highdicom builds the object: what is the same in all frames becomes shared,
the rest per frame, and what has no place is kept as unassigned.

Source
------
PS3.3 A.70 to A.72 (Legacy Converted Enhanced CT, MR, PET); PS3.17 Annex on conversion
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from imgconv.dicom.repair.uids import uid_for
from imgconv.errors import CorruptData, UnsupportedData

__all__ = ["ENHANCED_CLASSES", "enhance_series"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Single-frame SOP class -> the name of highdicom's class.
ENHANCED_CLASSES = {
    _STORAGE + "2": "LegacyConvertedEnhancedCTImage",
    _STORAGE + "4": "LegacyConvertedEnhancedMRImage",
    _STORAGE + "128": "LegacyConvertedEnhancedPETImage",
}
# Type 1 for enhanced objects (C.7.5.2), type 2 or 3 for classic ones.
_EQUIPMENT = ("Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "SoftwareVersions")
_UNKNOWN = "UNKNOWN"
_PER_FRAME = "PerFrameFunctionalGroupsSequence"
_UNASSIGNED = "UnassignedPerFrameConvertedAttributesSequence"


def enhance_series(paths: Sequence[Path]) -> Dataset:
    """Return the multi-frame object of the files of one series.

    Parameters
    ----------
    paths
        Single-frame CT, MR or PET images of one series.

    Returns
    -------
    Dataset
        With new Series and SOP Instance UIDs, derived from those of the
        files; equipment that they do not name is ``UNKNOWN``.

    Raises
    ------
    UnsupportedData
        The SOP class has no legacy converted counterpart, or the files
        contradict each other where one object cannot.
    CorruptData
        A file cannot be read.
    """
    datasets = [_read(path) for path in paths]
    first = datasets[0]
    name = ENHANCED_CLASSES.get(str(first.get("SOPClassUID", "")))
    if name is None:
        raise UnsupportedData(
            "the SOP class has no Legacy Converted Enhanced counterpart", path=paths[0]
        )
    import highdicom.legacy

    build = getattr(highdicom.legacy, name)
    series = uid_for("enhanced series", str(first.SeriesInstanceUID))
    instances = sorted(str(dataset.SOPInstanceUID) for dataset in datasets)
    with _quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names and values, which are not ours to judge
        try:
            made: Dataset = build(
                datasets,
                series_instance_uid=series,
                series_number=int(first.get("SeriesNumber") or 0) + 1,
                sop_instance_uid=uid_for("enhanced", *instances),
                instance_number=1,
            )
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise UnsupportedData(
                f"the series cannot become one object: {_reason(error)}", path=paths[0].parent
            ) from error
    for keyword in _EQUIPMENT:
        if not made.get(keyword):
            setattr(made, keyword, _UNKNOWN)
    _drop_foreign_references(made, frozenset(instances))
    for group in made.get(_PER_FRAME, ()):
        # Mandatory, though nothing may be left to put there (A.70.4).
        if _UNASSIGNED not in group:
            setattr(group, _UNASSIGNED, [Dataset()])
    return made


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep highdicom from logging through the root logger, which may show values."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _reason(error: Exception) -> str:
    """Return what highdicom says without values: its messages name attributes."""
    text = str(error).rstrip(".")
    return text if isinstance(error, ValueError) and "attribute" in text else type(error).__name__


def _read(path: Path) -> Dataset:
    try:
        return dcmread(path)
    except (InvalidDicomError, OSError, ValueError, EOFError) as error:
        raise CorruptData(f"cannot be read: {type(error).__name__}", path=path) from error


def _drop_foreign_references(made: Dataset, known: frozenset[str]) -> None:
    """Take out references to images whose series is unknown.

    An enhanced object lists what it refers to by study and series
    (C.8.13.2.1); single-frame files do not say the series of a localizer.
    """
    for group in (*made.SharedFunctionalGroupsSequence, *made.get(_PER_FRAME, ())):
        references = group.get("ReferencedImageSequence", ())
        kept = [item for item in references if item.get("ReferencedSOPInstanceUID") in known]
        if references and not kept:
            del group.ReferencedImageSequence
