"""VL Photographic Image: one file per picture taken in visible light.

Source: PS3.3 A.32.4, C.8.12.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydicom.dataset import Dataset

from imgconv.core.loss import Loss
from imgconv.dicom.sops import keywords, modules
from imgconv.dicom.sops.encode import Template, encode_elements
from imgconv.dicom.sops.functional import item
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.pictures import Picture, without_alpha
from imgconv.dicom.sops.samples import fit_samples, sample_type_losses
from imgconv.errors import UnsupportedData

__all__ = ["build", "check", "count_files"]

_UID = "1.2.840.10008.5.1.4.1.1.77.1.4"
_STORED = ("uint8",)  # C.8.12.1.1.3
_TITLE = "VL Photographic Image"
_WAY_OUT = "choose `--as secondary-capture`"


def check(job: Job) -> tuple[Loss, ...]:
    """Return what a photograph cannot hold.

    Raises
    ------
    UnsupportedData
        Samples that do not fit 8 bits unsigned, a rescale, or
        low values that are bright.
    """
    image, losses = without_alpha(job.image)
    samples = fit_samples(image, _STORED, _TITLE, hint=_WAY_OUT)
    if not image.values.rescale.is_identity or image.values.photometric == "MONOCHROME1":
        raise UnsupportedData(
            f"{_TITLE} has no place for a rescale or MONOCHROME1",
            hint=_WAY_OUT,
        )
    found = [*losses, *sample_type_losses(image, samples)]
    if image.geometry is not None:
        message = "a photograph has no position in the patient: the geometry would be left out"
        found.append(Loss("geometry", message, harmful=True))
    return tuple(found)


def build(job: Job) -> Iterator[Instance]:
    """Make a photograph of each picture."""
    image, _ = without_alpha(job.image)
    job = replace(job, image=image)
    picture = Picture.of(image, fit_samples(image, _STORED, _TITLE, hint=_WAY_OUT))
    template = Template(_shared(job, picture), picture.transfer_syntax_uid)
    count = image.volume_count * image.size_ijk[2]
    for number in range(1, count + 1):
        own = item(InstanceNumber=number)
        uid = job.uids.make("instance", number)
        parts = template.render_elements(uid, encode_elements(own), picture.pixels(number - 1, 1))
        yield Instance(number if count > 1 else 0, parts)


def count_files(job: Job) -> int:
    """Return how many files a series has, 0 if there is only one."""
    count = job.image.volume_count * job.image.size_ijk[2]
    return count if count > 1 else 0


def _shared(job: Job, picture: Picture) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, "XC")  # the one value; A.32.4.3
    modules.add_equipment(dataset, job)
    modules.add_image(dataset, job, _UID)
    modules.take(
        dataset,
        job.context,
        (*keywords.GENERAL_IMAGE, *keywords.VL, "PatientOrientation", "ContentDate", "ContentTime"),
    )
    modules.set_absent(dataset, PatientOrientation=None)
    picture.add_description(dataset)
    if dataset.SamplesPerPixel > 1:
        modules.take(dataset, job.context, ("ICCProfile",))
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.AcquisitionContextSequence = []
    modules.add_user_attributes(dataset, job.context, consumed=())
    return dataset
