"""Enhanced CT and Enhanced MR Image: one multi-frame file.

Written as DERIVED, so that the acquisition's functional groups are optional;
those that the context knows are there all the same.

Source: PS3.3 A.36.2, A.38.1, C.8.13, C.8.15, C.8.16.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds
from imgconv.dicom.context import Context
from imgconv.dicom.sops import keywords, modules
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
from imgconv.dicom.sops.rescale import check_rescale
from imgconv.dicom.sops.samples import Samples, fit_samples, frame_parts, sample_type_losses
from imgconv.errors import UnsupportedData

__all__ = ["build_ct", "build_mr", "check_ct", "check_mr"]

_CT_UID = "1.2.840.10008.5.1.4.1.1.2.1"
_MR_UID = "1.2.840.10008.5.1.4.1.1.4.1"


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between the two."""

    title: str
    modality: str
    sop_class_uid: str
    stored: tuple[str, ...]
    least_bits: int
    names: tuple[str, ...]


_GENERAL = ("AcquisitionDateTime", "AcquisitionNumber", "ImageComments")

# The MR Pulse Sequence module is for original images; C.8.13.4.
_ORIGINAL_ONLY = ("MRAcquisitionType", "PulseSequenceName", "InPlanePhaseEncodingDirection")

_CT = _Kind("Enhanced CT Image", "CT", _CT_UID, ("int16", "uint16"), 12, keywords.CT)
_MR = _Kind(
    "Enhanced MR Image",
    "MR",
    _MR_UID,
    ("uint8", "int16", "uint16"),
    1,
    keywords.MR,
)


def check_ct(job: Job) -> tuple[Loss, ...]:
    """Return what an Enhanced CT Image cannot hold."""
    return _check(job, _CT)


def check_mr(job: Job) -> tuple[Loss, ...]:
    """Return what an Enhanced MR Image cannot hold."""
    return _check(job, _MR)


def build_ct(job: Job) -> Iterator[Instance]:
    """Make an Enhanced CT Image."""
    return _build(job, _CT)


def build_mr(job: Job) -> Iterator[Instance]:
    """Make an Enhanced MR Image."""
    return _build(job, _MR)


def _check(job: Job, kind: _Kind) -> tuple[Loss, ...]:
    image = job.image
    if "c" in image.axes:
        raise UnsupportedData(
            f"{kind.title} holds grayscale; the image has colour",
            hint="choose `--as secondary-capture`",
        )
    if image.values.photometric != "MONOCHROME2":
        raise UnsupportedData(
            f"{kind.title} holds MONOCHROME2; the image is `{image.values.photometric}`",
            hint=f"choose `--as {kind.modality.lower()}`",
        )
    samples = fit_samples(image, kind.stored, kind.title)
    return (
        *check_geometry(image),
        *check_rescale(image, kind.title),
        *sample_type_losses(image, samples),
    )


def _build(job: Job, kind: _Kind) -> Iterator[Instance]:
    job = replace(job, image=place_image(job.image, job.context))
    samples = fit_samples(job.image, kind.stored, kind.title)
    if samples.bits_stored < kind.least_bits:
        samples = replace(samples, bits_stored=kind.least_bits)
    dataset = _top_level(job, kind, samples)
    extra = _ct_groups(job) if kind is _CT else _mr_groups(job)
    add_groups(dataset, job, planes_of(job.image, job.context), extra, evidence=True)
    modules.add_user_attributes(dataset, job.context, consumed=kind.names)
    template = Template(dataset)
    vr = "OB" if samples.bits_allocated == 8 else "OW"
    pixels = Pixels(vr, *frame_parts(job.image, samples))
    uid = job.uids.make("instance")
    yield Instance(0, template.render_elements(uid, [], pixels))


def _top_level(job: Job, kind: _Kind, samples: Samples) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, kind.modality, laterality=False)
    modules.add_frame_of_reference(dataset, job)
    modules.add_equipment(dataset, job, enhanced=True)
    modules.add_image(dataset, job, kind.sop_class_uid)
    # The functional groups that could hold the acquisition demand more than is known of it, even
    # of derived images; so it stands at the top level, as type 3 attributes may (PS3.2 3.11.4).
    names = [n for n in kind.names if n not in job.context.per_volume and n not in _ORIGINAL_ONLY]
    modules.take(dataset, job.context, (*_GENERAL, *names))
    modules.add_pixel(dataset, job.image, samples)
    add_multi_frame(dataset, job)
    add_dimensions(dataset, job)
    dataset.ImageType = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    _add_common_description(dataset)
    dataset.ContentQualification = job.context.text("ContentQualification", "RESEARCH")
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    dataset.AcquisitionContextSequence = []
    if kind is _MR:
        dataset.ComplexImageComponent = _component(job)
        dataset.AcquisitionContrast = _contrast(job.context)
        dataset.ApplicableSafetyStandardAgency = "IEC"
    return dataset


def _add_common_description(dataset: Dataset) -> None:
    """Add the Common CT/MR and Photoacoustic Image Description; C.8.16.2."""
    dataset.PixelPresentation = "MONOCHROME"
    dataset.VolumetricProperties = "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"


# Words of a sidecar's or a classic object's ImageType -> Complex Image Component; C.8.13.3.1.1.
_COMPONENTS = {
    "M": "MAGNITUDE",
    "MAGNITUDE": "MAGNITUDE",
    "P": "PHASE",
    "PHASE": "PHASE",
    "PHASE MAP": "PHASE",
    "REAL": "REAL",
    "IMAGINARY": "IMAGINARY",
}


def _component(job: Job) -> str:
    words = job.context.dataset.get("ImageType") or ()
    found = [_COMPONENTS[word] for word in words if word in _COMPONENTS]
    return found[-1] if found else "MAGNITUDE"


def _contrast(context: Context) -> str:
    return "DIFFUSION" if "DiffusionBValue" in context.per_volume else "UNKNOWN"


def _frame_type(job: Job, *, mr: bool) -> Dataset:
    frame_type = item(FrameType=["DERIVED", "PRIMARY", "VOLUME", "NONE"])
    _add_common_description(frame_type)
    if mr:
        frame_type.ComplexImageComponent = _component(job)
        frame_type.AcquisitionContrast = _contrast(job.context)
    return frame_type


# --- CT -------------------------------------------------------------------------------------------


def _ct_groups(job: Job) -> Extra:
    def add(groups: Dataset, t: int | None) -> None:
        if t is not None:
            return
        groups.CTImageFrameTypeSequence = [_frame_type(job, mr=False)]
        groups.FrameAnatomySequence = [frame_anatomy(job)]
        event = job.context.text("IrradiationEventUID") or job.uids.make("irradiation event")
        groups.IrradiationEventIdentificationSequence = [item(IrradiationEventUID=UID(event))]
        unit = job.image.values.unit
        groups.PixelValueTransformationSequence = [
            _transformation(job.image, "HU" if unit in ("", "[hnsf'U]", "HU") else "US")
        ]

    return add


def _transformation(image: Image, kind: str) -> Dataset:
    return item(
        RescaleIntercept=format_ds(image.values.rescale.intercept),
        RescaleSlope=format_ds(image.values.rescale.slope),
        RescaleType=kind,
    )


# --- MR -------------------------------------------------------------------------------------------


def _mr_groups(job: Job) -> Extra:
    varying = job.context.per_volume

    def add(groups: Dataset, t: int | None) -> None:
        if t is None:
            groups.MRImageFrameTypeSequence = [_frame_type(job, mr=True)]
            groups.FrameAnatomySequence = [frame_anatomy(job)]
            groups.PixelValueTransformationSequence = [_transformation(job.image, "US")]
            echo = job.context.text("EchoTime")
            if echo and "EchoTime" not in varying:
                groups.MREchoSequence = [item(EffectiveEchoTime=float(echo))]
            return
        if "DiffusionBValue" in varying:
            direction = varying.get("DiffusionGradientOrientation")
            groups.MRDiffusionSequence = [
                _diffusion(varying["DiffusionBValue"][t], direction[t] if direction else None)
            ]
        if "EchoTime" in varying:
            groups.MREchoSequence = [item(EffectiveEchoTime=float(varying["EchoTime"][t]))]
        offset = _temporal_offset(job.context, t)
        if offset is not None and job.image.volume_count > 1:
            groups.TemporalPositionSequence = [item(TemporalPositionTimeOffset=offset)]

    return add


# In s/mm2: what imaging gradients alone give volumes that have no diffusion weighting.
_UNWEIGHTED_B = 50


def _diffusion(b_value: float, direction: tuple[float, float, float] | None) -> Dataset:
    """Return the item of MR Diffusion; C.8.13.5.9."""
    diffusion = item(
        DiffusionBValue=float(b_value),
        DiffusionDirectionality="NONE" if direction is None else "DIRECTIONAL",
    )
    if direction is not None:
        diffusion.DiffusionGradientDirectionSequence = [
            item(DiffusionGradientOrientation=[float(part) for part in direction])
        ]
    elif b_value > _UNWEIGHTED_B:
        diffusion.DiffusionDirectionality = "ISOTROPIC"
    return diffusion


def _temporal_offset(context: Context, t: int) -> float | None:
    """Return seconds from the first volume, None if unknown; C.7.6.16.2.13."""
    times = context.per_volume.get("FrameReferenceTime")
    if times is not None:
        return float(times[t] - times[0]) / 1000
    if "RepetitionTime" in context.dataset and "DiffusionBValue" not in context.per_volume:
        value = context.dataset.RepetitionTime
        return None if value in (None, "") else float(value) * t / 1000
    return None
