"""CT, MR and PET Image: a series of single-frame files.

Not supported: PHOTOMETRIC other than grayscale, gated PET, per-slice rescale
(the hub has one rescale per image).

Source: PS3.3 A.3, A.4, A.21, C.8.2.1, C.8.3.1, C.8.9.1 to C.8.9.4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imgconv.core.loss import Loss
from imgconv.dicom.attributes import format_ds, make_element
from imgconv.dicom.context import Context
from imgconv.dicom.reference import nearest_plane
from imgconv.dicom.sops import keywords, modules
from imgconv.dicom.sops.encode import Pixels, Template, encode_elements, encode_text
from imgconv.dicom.sops.instance import Instance
from imgconv.dicom.sops.modules import Job
from imgconv.dicom.sops.planes import Planes, check_geometry, place_image, planes_of
from imgconv.dicom.sops.rescale import check_rescale
from imgconv.dicom.sops.samples import Samples, fit_samples, sample_type_losses
from imgconv.dicom.sops.sources import source_item
from imgconv.errors import UnsupportedData
from imgconv.records import record
from imgconv.standard.prompted import MR_PROMPTED

__all__ = ["build_ct", "build_mr", "build_pet", "check_ct", "check_mr", "check_pet", "count_files"]

_STORED = ("int16", "uint16")
_INSTANCE_NUMBER, _POSITION, _LOCATION = 0x00200013, 0x00200032, 0x00201041


@record
class _Kind:
    """What differs between the three classic objects."""

    title: str
    modality: str
    sop_class_uid: str
    names: tuple[str, ...]
    image_type: tuple[str, ...]
    defaults: Callable[[Job, Dataset], None]
    least_bits: int = 1
    slope: bool = True
    intercept: bool = True


# --- CT -------------------------------------------------------------------------------------------


def _ct_defaults(job: Job, dataset: Dataset) -> None:
    modules.set_absent(dataset, KVP=None, AcquisitionNumber=None)
    rescale = job.image.values.rescale
    dataset.RescaleIntercept = format_ds(rescale.intercept)
    dataset.RescaleSlope = format_ds(rescale.slope)
    unit = job.image.values.unit
    # HU is assumed if nothing is said; C.8.2.1.1.2.
    dataset.RescaleType = "HU" if unit in ("", "[hnsf'U]", "HU") else "US"


# --- MR -------------------------------------------------------------------------------------------


def _mr_defaults(job: Job, dataset: Dataset) -> None:
    if dataset.get("InPlanePhaseEncodingDirection") == "COLUMN":
        dataset.InPlanePhaseEncodingDirection = "COL"  # as classic objects call it; C.8.3.1
    modules.set_absent(
        dataset,
        ScanningSequence="RM",
        SequenceVariant="NONE",
        ScanOptions=None,
        MRAcquisitionType=None,
        RepetitionTime=None,
        EchoTime=None,
        EchoTrainLength=None,
    )
    between = planes_of(job.image, job.context).spacing_between
    if between:
        dataset.SpacingBetweenSlices = between


# --- PET ------------------------------------------------------------------------------------------

_PET_UNITS = {"Bq/ml": "BQML", "BQML": "BQML", "g/ml": "GML", "{SUVbw}g/ml": "GML", "1": "NONE"}


def _pet_defaults(job: Job, dataset: Dataset) -> None:
    image = job.image
    made = job.made
    rescale = image.values.rescale
    dataset.RescaleIntercept = "0"  # C.8.9.4: always
    dataset.RescaleSlope = format_ds(rescale.slope)
    dataset.NumberOfSlices = image.size_ijk[2]
    dynamic = image.volume_count > 1
    dataset.SeriesType = ["DYNAMIC" if dynamic else "STATIC", "IMAGE"]
    if dynamic:
        dataset.NumberOfTimeSlices = image.volume_count
    modules.set_absent(
        dataset,
        SeriesDate=made.strftime("%Y%m%d"),
        SeriesTime=made.strftime("%H%M%S"),
        AcquisitionDate=None,
        AcquisitionTime=None,
        CollimatorType=None,
        CorrectedImage=None,
        Units=_PET_UNITS.get(image.values.unit, "NONE"),
        CountsSource="EMISSION",
        DecayCorrection="NONE",
        ActualFrameDuration=None,
        FrameReferenceTime="0",
        RadiopharmaceuticalInformationSequence=None,
        PatientOrientationCodeSequence=None,
        PatientGantryRelationshipCodeSequence=None,
    )
    dataset.pop("PatientPosition", None)  # PatientOrientationCodeSequence stands for it; C.7.3.1
    for tracer in dataset.RadiopharmaceuticalInformationSequence:
        modules.set_absent(tracer, RadionuclideCodeSequence=None)
    if dataset.DecayCorrection != "NONE":
        modules.set_absent(dataset, DecayFactor="1")


_CT = _Kind(
    "CT Image",
    "CT",
    "1.2.840.10008.5.1.4.1.1.2",
    keywords.CT,
    ("DERIVED", "SECONDARY", "AXIAL"),
    _ct_defaults,
    least_bits=12,
)
_MR = _Kind(
    "MR Image",
    "MR",
    "1.2.840.10008.5.1.4.1.1.4",
    keywords.MR,
    ("DERIVED", "SECONDARY", "OTHER"),
    _mr_defaults,
    slope=False,
    intercept=False,
)
_PET = _Kind(
    "PET Image",
    "PT",
    "1.2.840.10008.5.1.4.1.1.128",
    keywords.PET,
    ("DERIVED", "PRIMARY"),
    _pet_defaults,
    intercept=False,
)


def check_ct(job: Job) -> tuple[Loss, ...]:
    """Return what a CT series cannot hold."""
    return _check(job, _CT)


def check_mr(job: Job) -> tuple[Loss, ...]:
    """Return what an MR series cannot hold."""
    return _check(job, _MR)


def check_pet(job: Job) -> tuple[Loss, ...]:
    """Return what a PET series cannot hold."""
    return _check(job, _PET)


def count_files(job: Job) -> int:
    """Return how many files a series has: one a slice."""
    return job.image.volume_count * job.image.size_ijk[2]


def build_ct(job: Job) -> Iterator[Instance]:
    """Make a CT series."""
    return _build(job, _CT)


def build_mr(job: Job) -> Iterator[Instance]:
    """Make an MR series."""
    return _build(job, _MR)


def build_pet(job: Job) -> Iterator[Instance]:
    """Make a PET series."""
    return _build(job, _PET)


def _check(job: Job, kind: _Kind) -> tuple[Loss, ...]:
    """Return the losses.

    Raises
    ------
    UnsupportedData
        Colour, samples that fit no 16-bit type, a rescale that the object has
        no place for.
    GeometryError
        In-plane shear.
    """
    image = job.image
    if "c" in image.axes:
        raise UnsupportedData(
            f"{kind.title} holds grayscale; the image has colour",
            hint="choose `--as secondary-capture`",
        )
    if kind is _PET and image.values.photometric != "MONOCHROME2":
        raise UnsupportedData(f"{kind.title} holds MONOCHROME2; the image is MONOCHROME1")
    samples = fit_samples(image, _STORED, kind.title)
    losses = [*check_geometry(image), *check_rescale(image, kind.title, kind.slope, kind.intercept)]
    losses += sample_type_losses(image, samples)
    if kind is _PET and not job.context.text("Units") and image.values.unit not in _PET_UNITS:
        losses.append(Loss("unknown-unit", "the unit is unknown and written as none", False))
    if kind is _MR:
        losses += _unprompted_losses(job.context)
    return tuple(losses)


def _unprompted_losses(context: Context) -> list[Loss]:
    known = {*context.dataset.dir(), *context.per_volume, *context.per_slice}
    return [
        Loss(
            "unprompted-attribute",
            f"{keyword} is left out: a classic MR image has it only with "
            f"{' or '.join(sorted(needed))} in {prompt}",
            False,
        )
        for keyword, prompt, needed in MR_PROMPTED
        if keyword in known and not needed & _texts(context.dataset, prompt)
    ]


def _texts(dataset: Dataset, keyword: str) -> frozenset[str]:
    found = dataset.get(keyword) or ()
    return frozenset({found} if isinstance(found, str) else found)


def _build(job: Job, kind: _Kind) -> Iterator[Instance]:
    job = replace(job, image=place_image(job.image, job.context))
    image = job.image
    samples = fit_samples(image, _STORED, kind.title)
    if samples.bits_stored < kind.least_bits:
        samples = replace(samples, bits_stored=kind.least_bits)
    shared = _shared(job, kind, samples)
    barred = _take_unprompted(shared) if kind is _MR else frozenset()
    template = Template(shared)
    planes = planes_of(image, job.context)
    slices = image.size_ijk[2]
    for t, volume in enumerate(image.iter_volumes()):
        same = _own_of_volume(job, kind, t, barred)
        for k in range(slices):
            number = t * slices + k + 1
            own = [*same, *_own_of_slice(job, kind, planes, number, k, barred=barred)]
            uid = job.uids.make("instance", t, k)
            yield Instance(number, template.render_elements(uid, own, _pixels(samples, volume[k])))


def _pixels(samples: Samples, plane: NDArray[Any]) -> Pixels:
    stored = samples.cast(plane)
    return Pixels("OW", stored.nbytes, (stored,))


def _shared(job: Job, kind: _Kind, samples: Samples) -> Dataset:
    dataset = Dataset()
    modules.add_patient_study(dataset, job)
    modules.add_series(dataset, job, kind.modality)
    modules.add_frame_of_reference(dataset, job)
    modules.add_equipment(dataset, job)
    modules.add_image(dataset, job, kind.sop_class_uid)
    modules.add_acquisition(dataset, job, kind.names)
    modules.add_pixel(dataset, job.image, samples)
    kind.defaults(job, dataset)
    dataset.ImageType = list(kind.image_type)
    planes = planes_of(job.image, job.context)
    dataset.ImageOrientationPatient = planes.orientation
    dataset.PixelSpacing = planes.spacing
    modules.take(dataset, job.context, ("SliceThickness",))
    modules.set_absent(dataset, SliceThickness=planes.thickness)
    if job.image.volume_count > 1 and kind is _MR:
        dataset.NumberOfTemporalPositions = job.image.volume_count
    modules.add_user_attributes(dataset, job.context, consumed=())
    return dataset


def _take_unprompted(dataset: Dataset) -> frozenset[str]:
    """Take out what other attributes do not call for; return the names that must not be there."""
    barred = set()
    for keyword, prompt, needed in MR_PROMPTED:
        if not needed & _texts(dataset, prompt):
            dataset.pop(keyword, None)
            barred.add(keyword)
    return frozenset(barred)


def _own_of_volume(
    job: Job, kind: _Kind, t: int, barred: frozenset[str]
) -> list[tuple[int, bytes]]:
    """Return what the slices of volume `t` share."""
    own = Dataset()
    if job.image.volume_count > 1:
        own.AcquisitionNumber = t + 1
        if kind is _MR:
            own.TemporalPositionIdentifier = t + 1
    for keyword, values in job.context.per_volume.items():
        if keyword not in barred:
            _set_one(own, keyword, values[t])
    return encode_elements(own)


def _own_of_slice(
    job: Job, kind: _Kind, planes: Planes, number: int, k: int, *, barred: frozenset[str]
) -> list[tuple[int, bytes]]:
    """Return what only slice `k` has, the `number`-th of the series."""
    own = [
        encode_text(_INSTANCE_NUMBER, "IS", str(number)),
        encode_text(_POSITION, "DS", "\\".join(planes.position(k))),
        encode_text(_LOCATION, "DS", planes.location(k)),
    ]
    rare = Dataset()
    if kind is _PET:
        rare.ImageIndex = number  # C.8.9.4.1.9
    _add_source(rare, job, planes.origins[k])
    volume = (number - 1) // job.image.size_ijk[2]
    for keyword, values in job.context.per_slice.items():
        if keyword not in barred and (keyword in kind.names or keyword in keywords.GENERAL_IMAGE):
            _set_one(rare, keyword, values[volume][k])
    return own + encode_elements(rare)


def _set_one(own: Dataset, keyword: str, value: Any) -> None:
    if value is None:
        return
    if keyword == "DiffusionGradientOrientation":
        value = [float(part) for part in value]
    own.add(make_element(keyword, value))
    if keyword == "DiffusionBValue":
        own.DiffusionDirectionality = "NONE" if float(value) == 0 else "DIRECTIONAL"


def _add_source(own: Dataset, job: Job, position: NDArray[np.float64]) -> None:
    reference = job.context.reference
    if reference is None or reference.grid is None:
        return
    plane = nearest_plane(reference.grid, position)
    if plane is not None:
        own.SourceImageSequence = [source_item(plane)]
