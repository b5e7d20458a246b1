"""Parametric Map: one multi-frame file of floating point, or 16-bit integers.

The samples are stored as they are; slope, intercept and unit stand in the
Real World Value Mapping. Not supported: colour ranges, slides.

Source: PS3.3 A.75, C.8.23.2, C.7.6.16.2.11; PS3.5 8.2 (floats are not compressed).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydicom.dataset import Dataset

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds
from imgconv.dicom.sops import modules
from imgconv.dicom.sops.encode import Pixels, Template
from imgconv.dicom.sops.functional import (
    Extra,
    add_dimensions,
    add_groups,
    add_multi_frame,
    frame_anatomy,
    item,
)
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.planes import check_geometry, place_image, planes_of
from imgconv.dicom.sops.samples import (
    Samples,
    finite_range,
    fit_samples,
    frame_parts,
    sample_type_losses,
)
from imgconv.errors import UnsupportedData

__all__ = ["build", "check"]

_UID = "1.2.840.10008.5.1.4.1.1.30"
_STORED = ("int16", "uint16", "float32", "float64")
_VRS = {16: "OW", 32: "OF", 64: "OD"}
_TITLE = "Parametric Map"

# Units of `ValueMap.unit` that are defined terms rather than UCUM.
_UCUM = {"HU": "[hnsf'U]", "BQML": "Bq/ml", "GML": "g/ml", "CNTS": "{counts}", "NONE": "1"}


def check(job: Job) -> tuple[Loss, ...]:
    """Return what a Parametric Map cannot hold.

    Raises
    ------
    UnsupportedData
        Colour, complex samples, or integers beyond 2**53.
    """
    image = job.image
    if "c" in image.axes:
        raise UnsupportedData(
            f"{_TITLE} holds one value per voxel; the image has colour",
            hint="choose `--as secondary-capture`",
        )
    if image.values.photometric != "MONOCHROME2":
        raise UnsupportedData(f"{_TITLE} holds MONOCHROME2 only")
    samples = fit_samples(image, _STORED, _TITLE)
    return (*check_geometry(image), *sample_type_losses(image, samples))


def build(job: Job) -> Iterator[Instance]:
    """Make a Parametric Map."""
    job = replace(job, image=place_image(job.image, job.context))
    samples = fit_samples(job.image, _STORED, _TITLE)
    if samples.bits_stored:
        samples = replace(samples, bits_stored=16)  # C.8.23.2: the only one
    dataset = _top_level(job, samples)
    add_groups(dataset, job, planes_of(job.image, job.context), _groups(job, samples))
    modules.add_user_attributes(dataset, job.context, consumed=())
    pixels = Pixels(_VRS[samples.bits_allocated], *frame_parts(job.image, samples))
    uid = job.uids.make("instance")
    yield Instance(0, Template(dataset).render_elements(uid, [], pixels))


def _top_level(job: Job, samples: Samples) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, job.context.text("Modality", "OT"), laterality=False)
    modules.add_frame_of_reference(dataset, job)
    modules.add_equipment(dataset, job, enhanced=True)
    modules.add_image(dataset, job, _UID)
    modules.take(dataset, job.context, ("ImageComments", "ContentLabel", "ContentDescription"))
    modules.set_absent(
        dataset, ContentLabel="PARAMETRIC_MAP", ContentDescription=None, ContentCreatorName=None
    )
    modules.add_pixel(dataset, replace_padding(job.image), samples)
    add_multi_frame(dataset, job)
    add_dimensions(dataset, job)
    dataset.ImageType = ["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"]
    dataset.ContentQualification = job.context.text("ContentQualification", "RESEARCH")
    dataset.BurnedInAnnotation = "NO"
    dataset.RecognizableVisualFeatures = job.context.text("RecognizableVisualFeatures", "NO")
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    return dataset


def replace_padding(image: Image) -> Image:
    """Return the image without padding if its samples are floating point."""
    if image.dtype.kind != "f":
        return image
    return replace(image, values=replace(image.values, padding=None))


def _groups(job: Job, samples: Samples) -> Extra:
    low, high = finite_range(job.image)

    def add(groups: Dataset, t: int | None) -> None:
        if t is not None:
            return
        groups.FrameAnatomySequence = [frame_anatomy(job)]
        groups.ParametricMapFrameTypeSequence = [
            item(FrameType=["DERIVED", "PRIMARY", "VOLUME", "QUANTITY"])
        ]
        # C.7.6.16.2.9b: identity, the meaning is in the real world values.
        groups.PixelValueTransformationSequence = [
            item(RescaleIntercept="0", RescaleSlope="1", RescaleType="US")
        ]
        groups.FrameVOILUTSequence = [_window(low, high)]
        groups.RealWorldValueMappingSequence = [_mapping(job.image, samples, low, high)]

    return add


def _window(low: float, high: float) -> Dataset:
    width = high - low
    return item(
        WindowCenter=format_ds(low + width / 2),
        WindowWidth=format_ds(width if width > 0 else 1.0),
        VOILUTFunction="LINEAR_EXACT",  # LINEAR wants a width of at least 1; C.11.2.1.3.2
    )


def _mapping(image: Image, samples: Samples, low: float, high: float) -> Dataset:
    """Return the item of Real World Value Mapping; C.7.6.16.2.11."""
    unit = _UCUM.get(image.values.unit, image.values.unit) or "1"
    mapping = item(
        LUTExplanation="Stored values to real world values",
        LUTLabel="MAP",
        MeasurementUnitsCodeSequence=[
            modules.code(unit, "UCUM", "no units" if unit == "1" else unit)
        ],
        RealWorldValueIntercept=float(image.values.rescale.intercept),
        RealWorldValueSlope=float(image.values.rescale.slope),
    )
    if samples.bits_stored:
        vr = "SS" if samples.pixel_representation else "US"
        mapping.add_new("RealWorldValueFirstValueMapped", vr, int(low))
        mapping.add_new("RealWorldValueLastValueMapped", vr, int(high))
    else:
        mapping.DoubleFloatRealWorldValueFirstValueMapped = float(low)
        mapping.DoubleFloatRealWorldValueLastValueMapped = float(high)
    return mapping
