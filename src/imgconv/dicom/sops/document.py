"""Encapsulated PDF: a document in one file.

Source: PS3.3 A.45.1, C.24.1, C.24.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv.core.document import Document
from imgconv.core.loss import Loss
from imgconv.dicom.sops import modules
from imgconv.dicom.sops.encode import Template
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.errors import UnsupportedData

__all__ = ["build", "check"]

_UID = "1.2.840.10008.5.1.4.1.1.104.1"
_NAMES = ("DocumentTitle", "ConceptNameCodeSequence", "AcquisitionDateTime", "ConversionType")


def check(job: Job) -> tuple[Loss, ...]:
    """Return what was assumed about the document.

    Raises
    ------
    UnsupportedData
        It is an image, or no PDF.
    """
    _document(job)
    if job.context.text("BurnedInAnnotation"):
        return ()
    message = "whether the document identifies the patient is unknown: YES is written, to be safe"
    return (Loss("burned-in-annotation", message, harmful=False),)


def build(job: Job) -> Iterator[Instance]:
    """Make an Encapsulated PDF."""
    document = _document(job)
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, job.context.text("Modality", "DOC"), laterality=False)
    modules.add_equipment(dataset, job)
    modules.add_image(dataset, job, _UID)
    modules.take(dataset, job.context, (*_NAMES, "ContentDate", "ContentTime"))
    modules.set_absent(
        dataset,
        ConversionType="WSD",
        ContentDate=None,
        ContentTime=None,
        AcquisitionDateTime=None,
        DocumentTitle=None,
        ConceptNameCodeSequence=None,
    )
    dataset.InstanceNumber = 1
    dataset.BurnedInAnnotation = job.context.text("BurnedInAnnotation", "YES")
    dataset.MIMETypeOfEncapsulatedDocument = document.mime_type
    dataset.EncapsulatedDocument = document.data
    dataset.EncapsulatedDocumentLength = len(document.data)
    modules.add_user_attributes(dataset, job.context, consumed=())
    own = item(SOPInstanceUID=UID(job.uids.make("instance")))
    yield Instance(0, Template(dataset).render(own, None))


def _document(job: Job) -> Document:
    document = job.document
    if document is None:
        raise UnsupportedData(
            "Encapsulated PDF holds a PDF document; the input is an image",
            hint="choose `--as secondary-capture`",
        )
    if document.mime_type != "application/pdf":
        raise UnsupportedData("Encapsulated PDF holds a PDF document")
    return document
