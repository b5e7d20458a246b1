"""Secondary Capture: one picture, or many in one multi-frame file.

One picture becomes a Secondary Capture Image. Several become a multi-frame
Grayscale Byte, Grayscale Word or True Color object; where they lie in space,
the functional groups say so. Several pictures that no multi-frame object
holds (16-bit colour, signed, with a rescale) become a series of single ones.

Source: PS3.3 A.8, C.8.6.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydicom.dataset import Dataset
from pydicom.tag import Tag

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds
from imgconv.dicom.sops import keywords, modules
from imgconv.dicom.sops.encode import Template, encode_elements
from imgconv.dicom.sops.functional import add_groups, item
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.pictures import Picture, without_alpha
from imgconv.dicom.sops.planes import Planes, check_geometry, place_image, planes_of
from imgconv.dicom.sops.rescale import check_rescale
from imgconv.dicom.sops.samples import Samples, fit_samples, sample_type_losses

__all__ = ["build", "check", "count_files"]

_SINGLE = "1.2.840.10008.5.1.4.1.1.7"
_BYTE = "1.2.840.10008.5.1.4.1.1.7.2"
_WORD = "1.2.840.10008.5.1.4.1.1.7.3"
_TRUE_COLOUR = "1.2.840.10008.5.1.4.1.1.7.4"
_STORED = ("uint8", "uint16", "int16")
_TITLE = "Secondary Capture"


def check(job: Job) -> tuple[Loss, ...]:
    """Return what a Secondary Capture cannot hold.

    Raises
    ------
    UnsupportedData
        Samples of more than 16 bits, or floating point.
    """
    image, losses = without_alpha(job.image)
    samples = fit_samples(image, _STORED, _TITLE)
    if image.geometry is not None:
        check_geometry(image)
    found = [*losses, *sample_type_losses(image, samples), *check_rescale(image, _TITLE)]
    if _is_multi_frame(image, samples) and _burned_in(job) == "YES":
        found.append(
            Loss(
                "burned-in-annotation",
                "whether text is burned in is unknown: YES is written, to be safe",
                harmful=False,
            )
        )
    return tuple(found)


def build(job: Job) -> Iterator[Instance]:
    """Make a Secondary Capture."""
    image, _ = without_alpha(job.image)
    if image.geometry is not None:
        image = place_image(image, job.context)
    job = replace(job, image=image)
    picture = Picture.of(image, fit_samples(image, _STORED, _TITLE))
    if _is_multi_frame(image, picture.samples):
        yield _build_multi_frame(job, picture)
    else:
        yield from _build_single_frames(job, picture)


def count_files(job: Job) -> int:
    """Return how many files a series has, 0 if there is only one."""
    image, _ = without_alpha(job.image)
    count = _count(image)
    if count == 1 or _is_multi_frame(image, fit_samples(image, _STORED, _TITLE)):
        return 0
    return count


def _count(image: Image) -> int:
    return image.volume_count * image.size_ijk[2]


def _is_multi_frame(image: Image, samples: Samples) -> bool:
    if _count(image) == 1 or samples.pixel_representation:
        return False
    if image.values.photometric == "MONOCHROME1" or not image.values.rescale.is_identity:
        return False
    return image.axes[-1] != "c" or samples.bits_allocated == 8


def _burned_in(job: Job) -> str:
    # A volume in patient space has no text; of a screen shot nobody knows.
    default = "NO" if job.image.geometry is not None else "YES"
    return job.context.text("BurnedInAnnotation", default)


def _common(job: Job, sop_class_uid: str, picture: Picture) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, job.context.text("Modality", "OT"))
    modules.add_equipment(dataset, job)
    modules.add_image(dataset, job, sop_class_uid)
    modules.take(dataset, job.context, (*keywords.GENERAL_IMAGE, "ConversionType"))
    modules.set_absent(dataset, ConversionType="WSD")
    picture.add_description(dataset)
    if dataset.SamplesPerPixel > 1:
        modules.take(dataset, job.context, ("ICCProfile",))
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    modules.take(dataset, job.context, ("PatientOrientation",))
    modules.set_absent(dataset, PatientOrientation=None)
    if job.image.geometry is not None:
        modules.add_frame_of_reference(dataset, job)
    return dataset


# --- one file per picture -------------------------------------------------------------------------


def _build_single_frames(job: Job, picture: Picture) -> Iterator[Instance]:
    dataset = _common(job, _SINGLE, picture)
    rescale = job.image.values.rescale
    if not rescale.is_identity:  # Modality LUT; C.11.1
        dataset.RescaleIntercept = format_ds(rescale.intercept)
        dataset.RescaleSlope = format_ds(rescale.slope)
        dataset.RescaleType = "US"
    planes = None
    if job.image.geometry is not None:
        planes = planes_of(job.image, job.context)
        dataset.ImageOrientationPatient = planes.orientation
        dataset.PixelSpacing = planes.spacing
        dataset.SliceThickness = planes.thickness
    modules.add_user_attributes(dataset, job.context, consumed=())
    template = Template(dataset, picture.transfer_syntax_uid)
    count = _count(job.image)
    for number in range(1, count + 1):
        own = item(InstanceNumber=number)
        if planes is not None:
            own.ImagePositionPatient = planes.position((number - 1) % job.image.size_ijk[2])
        uid = job.uids.make("instance", number)
        parts = template.render_elements(uid, encode_elements(own), picture.pixels(number - 1, 1))
        yield Instance(number if count > 1 else 0, parts)


# --- one file -------------------------------------------------------------------------------------


def _build_multi_frame(job: Job, picture: Picture) -> Instance:
    colour = job.image.axes[-1] == "c"
    word = picture.samples.bits_allocated == 16
    uid = _TRUE_COLOUR if colour else _WORD if word else _BYTE
    dataset = _common(job, uid, picture)
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = _count(job.image)
    dataset.BurnedInAnnotation = _burned_in(job)
    if not colour:
        # C.8.6.3: the identity, in P-Values.
        dataset.RescaleIntercept, dataset.RescaleSlope = "0", "1"
        dataset.RescaleType = "US"
        dataset.PresentationLUTShape = "IDENTITY"
    if job.image.geometry is None:
        dataset.FrameIncrementPointer = Tag("PageNumberVector")
        dataset.PageNumberVector = [str(n) for n in range(1, _count(job.image) + 1)]
    else:
        _add_space(dataset, job, planes_of(job.image, job.context))
    modules.add_user_attributes(dataset, job.context, consumed=())
    uid = job.uids.make("instance")
    template = Template(dataset, picture.transfer_syntax_uid)
    return Instance(0, template.render_elements(uid, [], picture.pixels(0, _count(job.image))))


def _add_space(dataset: Dataset, job: Job, planes: Planes) -> None:
    """Say where the frames lie: by functional groups, and by the vector of slice locations."""
    locations = [float(planes.location(k)) for k in range(job.image.size_ijk[2])]
    dataset.FrameIncrementPointer = Tag("SliceLocationVector")
    dataset.SliceLocationVector = locations * job.image.volume_count
    dataset.ContentDate = job.made.strftime("%Y%m%d")
    dataset.ContentTime = job.made.strftime("%H%M%S")
    add_groups(dataset, job, planes, _no_more_groups, content=False)
    dataset.PixelSpacing = planes.spacing


def _no_more_groups(_groups: Dataset, _t: int | None) -> None:
    """Position, orientation and measures are all that a capture has; A.8.3.4."""
