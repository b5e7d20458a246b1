"""Modules that more than one kind of object has, filled from the context.

Each function adds its module to a data set. Type 1 attributes get a value,
type 2 attributes are there, empty if unknown; nothing about the patient or
the examination is made up.

Source: PS3.3, the sections named in each function.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv import __version__
from imgconv.core.document import Document
from imgconv.core.image import Image
from imgconv.core.options import WriteOptions
from imgconv.dicom.attributes import make_element
from imgconv.dicom.context import Context
from imgconv.dicom.sops import keywords
from imgconv.dicom.sops.samples import Samples
from imgconv.dicom.uids import UidMaker
from imgconv.records import record

__all__ = [
    "Job",
    "add_acquisition",
    "add_equipment",
    "add_frame_of_reference",
    "add_image",
    "add_patient_study",
    "add_pixel",
    "add_series",
    "add_user_attributes",
    "code",
    "now",
    "set_absent",
    "take",
]


def now(source: Path | None = None) -> dt.datetime:
    """Return the time of writing, or one that a second run has again.

    Parameters
    ----------
    source
        The input of a reproducible run: the time of its last change is taken,
        if the environment's ``SOURCE_DATE_EPOCH`` gives no other.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    if fixed.isdigit():
        return dt.datetime.fromtimestamp(int(fixed), tz=dt.UTC)
    if source is not None:
        with contextlib.suppress(OSError):
            return dt.datetime.fromtimestamp(int(source.stat().st_mtime), tz=dt.UTC)
    return dt.datetime.now().astimezone()


@record(eq=False)
class Job:
    """All that a module of `sops` needs to make its object.

    Of an object without pixels, `document` is its content, and `image` an
    empty one.
    """

    image: Image
    context: Context
    options: WriteOptions
    uids: UidMaker
    made: dt.datetime = field(default_factory=now)
    document: Document | None = None


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Return an item with a coded entry; PS3.3 8.8."""
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = scheme
    item.CodeMeaning = meaning
    return item


def take(dataset: Dataset, context: Context, names: Iterable[str]) -> None:
    """Copy from the context what it has of `names`."""
    for name in names:
        if name in context.dataset:
            dataset[name] = context.dataset[name]


def set_absent(dataset: Dataset, **values: Any) -> None:
    """Set each attribute that is absent or empty; None leaves it empty, but there."""
    for name, value in values.items():
        if name not in dataset or (dataset[name].is_empty and value is not None):
            dataset.add(make_element(name, value))


def add_user_attributes(dataset: Dataset, context: Context, *, consumed: Iterable[str]) -> None:
    """Add what was set by hand and stands in none of the object's modules."""
    done = frozenset(consumed)
    take(
        dataset,
        context,
        (n for n in context.given_by_user() if n not in dataset and n not in done),
    )


def add_patient_study(dataset: Dataset, job: Job) -> None:
    """Add Patient, General Study and Patient Study; C.7.1.1, C.7.2.1, C.7.2.2."""
    context = job.context
    take(dataset, context, (*keywords.PATIENT, *keywords.STUDY, *keywords.PATIENT_STUDY))
    set_absent(
        dataset,
        PatientName=None,
        PatientID=None,
        PatientBirthDate=None,
        PatientSex=None,
        StudyDate=None,
        StudyTime=None,
        ReferringPhysicianName=None,
        StudyID=None,
        AccessionNumber=None,
        StudyInstanceUID=_study_uid(job),
    )


def _study_uid(job: Job) -> str:
    """Return one UID for all inputs of a study that is told by its patient, date and number."""
    context = job.context
    patient = context.text("PatientID")
    study = [context.text(k) for k in ("StudyID", "AccessionNumber", "StudyDate", "StudyTime")]
    if patient and any(study):
        return job.uids.make_shared("study", patient, *study)
    return job.uids.make("study")


def add_series(dataset: Dataset, job: Job, modality: str, *, laterality: bool = True) -> None:
    """Add General Series; C.7.3.1.

    Parameters
    ----------
    laterality
        Whether the series says which side; frames with anatomy say it themselves.
    """
    take(dataset, job.context, keywords.SERIES)
    dataset.Modality = modality
    set_absent(
        dataset,
        SeriesInstanceUID=job.uids.make("series"),
        SeriesNumber="1",
    )
    if modality in ("CT", "MR") and "PatientOrientationCodeSequence" not in dataset:
        set_absent(dataset, PatientPosition=None)  # 2C, C.7.3.1.1.2
    if not laterality:
        dataset.pop("Laterality", None)
    elif "Laterality" not in dataset and not _is_unpaired(dataset):
        set_absent(dataset, Laterality=None)  # 2C


# Body parts that come once: Laterality does not apply. PS3.16 Annex L.
_UNPAIRED = frozenset(
    keywords.words(
        """
        ABDOMEN ABDOMENPELVIS BLADDER BRAIN CHEST CHESTABDOMEN CHESTABDPELVIS COLON CSPINE HEAD
        HEADNECK HEART LIVER LSPINE NECK PANCREAS PELVIS PROSTATE SKULL SPINE SSPINE TSPINE UTERUS
        WHOLEBODY
        """
    )
)


def _is_unpaired(dataset: Dataset) -> bool:
    return str(dataset.get("BodyPartExamined", "")) in _UNPAIRED


def add_frame_of_reference(dataset: Dataset, job: Job) -> None:
    """Add Frame of Reference; C.7.4.1."""
    geometry = job.image.geometry
    known = job.context.text("FrameOfReferenceUID")
    if not known and geometry is not None:
        known = geometry.frame_of_reference_uid
    if known and known in (dataset.get("StudyInstanceUID"), dataset.get("SeriesInstanceUID")):
        # A vendor's mistake: three entities, three UIDs. The new one is the same in every run, so
        # that what lay in one space still does.
        known = UidMaker(known).make_shared("frame of reference")
    dataset.FrameOfReferenceUID = UID(known or job.uids.make("frame of reference"))
    take(dataset, job.context, ("PositionReferenceIndicator",))
    set_absent(dataset, PositionReferenceIndicator=None)


def add_equipment(dataset: Dataset, job: Job, *, enhanced: bool = False) -> None:
    """Add General Equipment and who converted; C.7.5.1, C.7.5.2, C.12.1.

    The scanner that acquired the data stays the equipment if it is known;
    imgconv is named as contributing. If nothing is known, imgconv is the
    equipment that made the instances, and says so.
    """
    take(dataset, job.context, keywords.EQUIPMENT)
    ours = {
        "Manufacturer": "imgconv",
        "ManufacturerModelName": "imgconv",
        "DeviceSerialNumber": "0",
        "SoftwareVersions": __version__,
    }
    if not dataset.get("Manufacturer"):
        set_absent(dataset, **ours)
    elif enhanced:
        # Type 1 for enhanced objects, though the scanner's own may be unknown.
        set_absent(
            dataset,
            ManufacturerModelName="UNKNOWN",
            DeviceSerialNumber="UNKNOWN",
            SoftwareVersions="UNKNOWN",
        )
    item = Dataset()
    item.PurposeOfReferenceCodeSequence = [code("109103", "DCM", "Modifying Equipment")]
    for name, value in ours.items():
        if name != "DeviceSerialNumber":
            setattr(item, name, value)
    item.ContributionDateTime = job.made.strftime("%Y%m%d%H%M%S")
    item.ContributionDescription = "Conversion to DICOM"
    dataset.ContributingEquipmentSequence = [item]


def add_acquisition(dataset: Dataset, job: Job, names: Iterable[str]) -> None:
    """Take over the attributes of a modality, and those of any image; C.7.6.1, C.7.10.1."""
    take(dataset, job.context, (*keywords.GENERAL_IMAGE, *names))


def add_image(dataset: Dataset, job: Job, sop_class_uid: str) -> None:
    """Add SOP Common and General Image; C.12.1, C.7.6.1."""
    dataset.SOPClassUID = UID(sop_class_uid)
    dataset.InstanceCreationDate = job.made.strftime("%Y%m%d")
    dataset.InstanceCreationTime = job.made.strftime("%H%M%S")


def add_pixel(dataset: Dataset, image: Image, samples: Samples) -> None:
    """Add Image Pixel, without the pixel data; C.7.6.3."""
    columns, rows, _ = image.size_ijk
    colours = image.array.shape[-1] if "c" in image.axes else 1
    dataset.SamplesPerPixel = colours
    dataset.PhotometricInterpretation = image.values.photometric
    dataset.Rows, dataset.Columns = rows, columns
    dataset.BitsAllocated = samples.bits_allocated
    if samples.bits_stored:
        dataset.BitsStored = samples.bits_stored
        dataset.HighBit = samples.bits_stored - 1
        dataset.PixelRepresentation = samples.pixel_representation
    if colours > 1:
        dataset.PlanarConfiguration = 0
    padding = image.values.padding
    if padding is not None and samples.bits_stored and colours == 1:
        _add_padding(dataset, padding, samples)


def _add_padding(dataset: Dataset, padding: tuple[float, float], samples: Samples) -> None:
    vr = "SS" if samples.pixel_representation else "US"
    first, last = (int(value) for value in padding)
    dataset.add_new("PixelPaddingValue", vr, first)
    if last != first:
        dataset.add_new("PixelPaddingRangeLimit", vr, last)
