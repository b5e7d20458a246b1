"""Who, when and how: the attributes of an output that are not in its pixels.

Origins, each over the ones before it:

1. ``input``: what the image's own reader found;
2. ``reference``: patient, study, equipment and acquisition of ``--reference``;
3. ``sidecar``: the BIDS JSON beside the input;
4. ``metadata``: ``--metadata FILE``;
5. ``set``: ``--set Keyword=value``.

Two origins that name different patients or studies contradict each other, and
that is refused. What belongs to the pixels (`PIXEL_KEYWORDS`) cannot be set.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from imgconv.core.image import Image
from imgconv.core.loss import Loss
from imgconv.core.options import WriteOptions
from imgconv.dicom.attributes import find_tag, make_element, name_of, parse_text
from imgconv.dicom.from_bids import (
    attributes_of_sidecar,
    find_sidecar,
    per_volume_of_sidecar,
    read_sidecar,
)
from imgconv.dicom.metadata_file import read_metadata_file
from imgconv.dicom.reference import Reference, find_flips, read_references
from imgconv.dicom.sops.keywords import words
from imgconv.errors import UsageError
from imgconv.records import record

__all__ = ["IDENTITY_KEYWORDS", "PIXEL_KEYWORDS", "Context", "check_assignments", "gather_context"]

# What tells one patient and study from another.
IDENTITY_KEYWORDS = (
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
)

# What the pixels, the geometry and the kind of object say; nobody may contradict it.
PIXEL_KEYWORDS = frozenset(
    words("""
    SOPClassUID SOPInstanceUID MediaStorageSOPClassUID MediaStorageSOPInstanceUID
    TransferSyntaxUID SpecificCharacterSet
    SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns
    BitsAllocated BitsStored HighBit PixelRepresentation PixelData FloatPixelData
    DoubleFloatPixelData PixelSpacing PixelAspectRatio ImagePositionPatient
    ImageOrientationPatient SpacingBetweenSlices SliceLocation RescaleSlope RescaleIntercept
    PixelPaddingValue PixelPaddingRangeLimit FloatPixelPaddingValue InstanceNumber
    SmallestImagePixelValue LargestImagePixelValue SharedFunctionalGroupsSequence
    PerFrameFunctionalGroupsSequence DimensionIndexSequence DimensionOrganizationSequence
    EncapsulatedDocument EncapsulatedDocumentLength ReferencedSeriesSequence
    TemporalPositionIdentifier NumberOfTemporalPositions
    """)
)

# Of a reference, these say something about its own pixels or its own series only.
_NOT_FROM_REFERENCE = PIXEL_KEYWORDS | frozenset(
    words("""
    SeriesInstanceUID SeriesNumber ImageType InstanceCreationDate InstanceCreationTime
    InstanceCreatorUID ContentDate ContentTime WindowCenter WindowWidth
    WindowCenterWidthExplanation VOILUTFunction VOILUTSequence ModalityLUTSequence RescaleType
    LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
    BurnedInAnnotation SourceImageSequence ReferencedImageSequence DerivationDescription
    DerivationCodeSequence IconImageSequence StudiesContainingOtherReferencedInstancesSequence
    SmallestPixelValueInSeries LargestPixelValueInSeries RealWorldValueMappingSequence
    PresentationLUTShape DigitalSignaturesSequence MACParametersSequence
    OriginalAttributesSequence EncryptedAttributesSequence ContributingEquipmentSequence
    """)
)

_ACQUISITION_DIRECTION = "InPlanePhaseEncodingDirection"


@record(eq=False)
class Context:
    """The gathered attributes of one output.

    Parameters
    ----------
    dataset
        Top-level elements, each valid for its VR.
    origins
        Keyword -> name of its origin.
    per_volume
        Keyword -> one value per volume.
    per_slice
        Keyword -> per volume, one value per slice.
    reference
        The series that the output is derived from, None if there is none.
    flips
        Whether the image's i and j are to be reversed, so that its planes are
        stored as the reference's are.
    losses
        What could not be taken over.
    """

    dataset: Dataset
    origins: Mapping[str, str] = field(default_factory=dict)
    per_volume: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    per_slice: Mapping[str, tuple[tuple[Any, ...], ...]] = field(default_factory=dict)
    reference: Reference | None = None
    flips: tuple[bool, bool] = (False, False)
    losses: tuple[Loss, ...] = ()

    def text(self, keyword: str, default: str = "") -> str:
        """Return an attribute as text, `default` if it is absent or empty."""
        value = self.dataset.get(keyword)
        return default if value in (None, "") else str(value)

    def given_by_user(self) -> tuple[str, ...]:
        """Return the keywords that were set by hand: they are written whatever the object is."""
        return tuple(k for k, origin in self.origins.items() if origin in ("metadata", "set"))


class _Gathering:
    """Elements by origin, later ones over earlier ones."""

    def __init__(self) -> None:
        self.dataset = Dataset()
        self.origins: dict[str, str] = {}
        self._invalid: dict[str, Loss] = {}  # by keyword, as long as no later origin gives it
        self._identity: dict[str, tuple[str, str]] = {}

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What was left out and not given by another origin."""
        return tuple(self._invalid.values())

    def add_lenient(self, origin: str, attributes: Mapping[str, Any]) -> None:
        """Add what is known to DICOM and valid; report the rest."""
        for name, value in attributes.items():
            tag = find_tag(name)
            if tag is None or tag.group == 0x0002 or name_of(tag) in PIXEL_KEYWORDS:
                continue
            try:
                element = make_element(name, value)
            except UsageError as error:
                self._invalid[name_of(tag)] = _left_out(origin, name_of(tag), error.message)
                continue
            if not element.is_empty:
                self._store(origin, name_of(tag), element)

    def add_strict(self, origin: str, attributes: Mapping[str, Any]) -> None:
        """Add what the user gave; each value must be valid."""
        for name, value in attributes.items():
            tag = find_tag(name)
            if tag is None:
                raise UsageError(
                    f"{origin}: unknown attribute `{name}`; expected a DICOM keyword or a tag"
                )
            if tag.group == 0x0002 or name_of(tag) in PIXEL_KEYWORDS:
                raise UsageError(
                    f"{origin}: `{name_of(tag)}` comes from the image itself and cannot be set"
                )
            self._store(origin, name_of(tag), make_element(name, value))

    def _store(self, origin: str, keyword: str, element: DataElement) -> None:
        self._require_same_identity(origin, keyword, element.value)
        self._invalid.pop(keyword, None)
        self.dataset.add(element)
        self.origins[keyword] = origin

    def _require_same_identity(self, origin: str, keyword: str, value: Any) -> None:
        """Refuse another patient or study than an earlier origin names."""
        if keyword not in IDENTITY_KEYWORDS or value in (None, ""):
            return
        text = str(value).casefold().rstrip("^ ")
        earlier, owner = self._identity.setdefault(keyword, (text, origin))
        # The input's own identity may be replaced, by a pseudonym for instance.
        if earlier != text and "reference" in (owner, origin) and "input" not in (owner, origin):
            raise UsageError(
                f"`{keyword}` of {origin} differs from that of {owner}; "
                "expected one patient and one study",
                hint="leave out one of them",
            )
        self._identity[keyword] = (text, origin)


def _left_out(origin: str, keyword: str, message: str) -> Loss:
    """Without what tells whose images they are, they must not get into an archive unseen."""
    if keyword in IDENTITY_KEYWORDS and origin == "reference":
        hint = f"give it by `--set {keyword}=value`"
        return Loss("invalid-identity", f"{origin}: {message}; {hint}", harmful=True)
    return Loss("invalid-attribute", f"{origin}: {message}", harmful=False)


def gather_context(image: Image, options: WriteOptions) -> Context:
    """Return everything that is known about the output of `image`.

    Raises
    ------
    UsageError
        A value is invalid, or origins contradict each other.
    CorruptData
        A reference, a sidecar or a metadata file cannot be read.
    """
    gathering = _Gathering()
    sidecar = _sidecar(image)
    if _is_from_dicom(image):
        # The fields were made of the same tags, of a few more in sequences.
        gathering.add_lenient("input", attributes_of_sidecar(sidecar))
    gathering.add_lenient("input", _of_derived(image))
    reference, flips, loss = _choose_reference(image, sidecar, options)
    if reference is not None:
        gathering.add_lenient("reference", _take_from_reference(reference, same_grid=loss is None))
    if not _is_from_dicom(image):
        gathering.add_lenient("sidecar", attributes_of_sidecar(sidecar))
    source = image.sources[0].path if image.sources else None
    for path in options.of("dicom").get("metadata_files", ()):
        gathering.add_strict("metadata", read_metadata_file(Path(path), source))
    gathering.add_strict("set", options.metadata)
    losses = (*gathering.losses, *(() if loss is None else (loss,)))
    per_volume = {
        **per_volume_of_sidecar(sidecar, image.volume_count),
        **_of_length(image.metadata.per_volume, image.volume_count),
    }
    return Context(
        gathering.dataset,
        gathering.origins,
        per_volume,
        image.metadata.per_slice,
        reference if loss is None else None,
        flips,
        losses,
    )


def _is_from_dicom(image: Image) -> bool:
    return bool(image.sources and image.sources[0].sop_instance_uid)


def _of_derived(image: Image) -> dict[str, Any]:
    """Return the input's attributes without those of its own series and instances."""
    shared = dict(image.metadata.shared)
    if not _is_from_dicom(image):
        return shared
    taken = {
        keyword: value
        for keyword, value in shared.items()
        if keyword == "ImageType" or keyword not in _NOT_FROM_REFERENCE
    }
    return {**taken, **_next_series_number(shared.get("SeriesNumber"))}


def _next_series_number(number: Any) -> dict[str, Any]:
    """Return a Series Number beside the source's in a sorted list, and not the same."""
    try:
        value = int(number)
    except (TypeError, ValueError):
        return {}
    return {"SeriesNumber": value * 100 + 1 if abs(value) < 10**7 else 1}


def _sidecar(image: Image) -> Mapping[str, Any]:
    if image.metadata.bids:
        return image.metadata.bids
    path = find_sidecar(image.sources[0].path) if image.sources else None
    return {} if path is None else read_sidecar(path)


def _of_length(values: Mapping[str, tuple[Any, ...]], count: int) -> dict[str, tuple[Any, ...]]:
    return {keyword: tuple(v) for keyword, v in values.items() if len(v) == count}


def _choose_reference(
    image: Image, sidecar: Mapping[str, Any], options: WriteOptions
) -> tuple[Reference | None, tuple[bool, bool], Loss | None]:
    """Return the reference, the flips onto its grid, and the loss if the grids differ."""
    if not options.reference:
        return None, (False, False), None
    found = read_references(options.reference)
    if image.geometry is None:
        return _the_one(found, sidecar), (False, False), None
    fitting = {}
    for reference in found:
        for grid in reference.grids:
            flips = find_flips(image.geometry, image.size_ijk, grid)
            if flips is not None:
                fitting[replace(reference, grids=(grid,))] = flips
    if fitting:
        reference = _the_one(tuple(fitting), sidecar)
        return reference, fitting[reference], None
    return found[0], (False, False), _other_geometry(found)


def _the_one(found: tuple[Reference, ...], sidecar: Mapping[str, Any]) -> Reference:
    """Return the only reference, or the only one that the sidecar is about."""
    if len(found) > 1:
        number = str(sidecar.get("SeriesNumber", ""))
        uid = str(sidecar.get("SeriesInstanceUID", ""))
        named = [
            reference
            for reference in found
            if uid == reference.series_instance_uid
            or (number and number == str(reference.shared.get("SeriesNumber", "")))
        ]
        if len(named) != 1:
            raise UsageError(
                "the reference holds more than one series that fits the image; expected one",
                path=found[0].path.parent,
                hint="give a folder, or files, of one series",
            )
        return named[0]
    return found[0]


def _other_geometry(found: tuple[Reference, ...]) -> Loss:
    which = "no series of the reference has" if len(found) > 1 else "the reference does not have"
    return Loss(
        "other-geometry",
        f"{which} the image's grid: patient and study would be taken over, but neither the "
        "Frame of Reference nor references to its images",
        harmful=True,
    )


def _take_from_reference(reference: Reference, *, same_grid: bool) -> Mapping[str, Any]:
    """Return what a derived object shares with its source."""
    taken: dict[str, Any] = {}
    for element in _flatten(reference.shared):
        keyword = element.keyword
        if not keyword or keyword in _NOT_FROM_REFERENCE:
            continue
        if keyword == "FrameOfReferenceUID" and not same_grid:
            continue
        if keyword == _ACQUISITION_DIRECTION and not same_grid:
            continue  # rows and columns of another grid
        taken[keyword] = _plain(element)
    taken |= _next_series_number(reference.shared.get("SeriesNumber"))
    return taken


# Names that a multi-frame object's functional groups have for attributes of classic objects.
_CLASSIC_NAMES = {"EffectiveEchoTime": "EchoTime"}


def _flatten(shared: Dataset) -> Iterable[Any]:
    """Yield top-level elements, then those of an enhanced object's shared groups."""
    seen = set()
    for element in shared:
        if element.keyword != "SharedFunctionalGroupsSequence":
            seen.add(element.keyword)
            yield element
    for groups in shared.get("SharedFunctionalGroupsSequence") or ():
        for group in groups:
            for element in group.value[0] if group.VR == "SQ" and len(group.value) == 1 else ():
                renamed = _CLASSIC_NAMES.get(element.keyword, element.keyword)
                if renamed and renamed not in seen and element.VR != "SQ":
                    seen.add(renamed)
                    copied = _rename(element, renamed)
                    if copied is not None:
                        yield copied


def _rename(element: Any, keyword: str) -> Any | None:
    # None if its value does not fit there.
    try:
        return make_element(keyword, _plain(element))
    except UsageError:
        return None


def _plain(element: Any) -> Any:
    if element.VR == "SQ":
        return list(element.value)
    value = element.value
    if element.VM > 1:
        return [_plain_value(one) for one in value]
    return _plain_value(value)


def _plain_value(value: Any) -> Any:
    if value is None or isinstance(value, bytes | int | float):
        return getattr(value, "original_string", None) or value
    return str(value)


def check_assignments(words: Iterable[str]) -> dict[str, str]:
    """Return keyword -> value of ``Keyword=value`` words, each checked against its VR.

    Raises
    ------
    UsageError
        A word is no assignment, or its attribute is unknown, belongs to the
        pixels, or cannot have that value.
    """
    assignments = dict(parse_text(word) for word in words)
    _Gathering().add_strict("--set", assignments)
    return assignments
