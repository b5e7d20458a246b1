"""Family X, one file: modality, levels of UIDs, lists of references.

Source
------
PS3.3 C.17.2 (evidence), C.12.4 (common instance reference), annex A (modality)
"""

from __future__ import annotations

from collections.abc import Iterator

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance
from imgconv.rules.plan import find_plan
from imgconv.standard.iods import find_iod
from imgconv.standard.modalities import MODALITIES

__all__ = ["check_evidence", "check_frame_numbers", "check_levels", "check_modality"]

_MODALITY, _CLASS = 0x00080060, 0x00080016
_LEVELS = {
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SOPInstanceUID": 0x00080018,
    "FrameOfReferenceUID": 0x00200052,
}
_REFERENCED_CLASS, _REFERENCED_INSTANCE = 0x00081150, 0x00081155
_FRAME_NUMBER, _NUMBER_OF_FRAMES, _ROWS = 0x00081160, 0x00280008, 0x00280010
_CONTENT, _REFERENCED_SOPS = 0x0040A730, 0x00081199
_EVIDENCE = (0x0040A375, 0x0040A385)
_REFERENCED_SERIES, _REFERENCED_INSTANCES = 0x00081115, 0x0008114A
_OTHER_STUDIES = 0x00081200
_DERIVATION, _SOURCE_IMAGES = 0x00089124, 0x00082112
_SHARED, _PER_FRAME = 0x52009229, 0x52009230
_FRAMES_OF_REFERENCE, _RT_STUDIES, _RT_SERIES = 0x30060010, 0x30060012, 0x30060014
_CONTOURS, _CONTOUR, _CONTOUR_IMAGES = 0x30060039, 0x30060040, 0x30060016
# Digital X-ray, mammography and intra-oral (PS3.3 A.26 to A.28): SOP class -> its intent.
_INTENT = 0x00080068
_INTENTS = {
    f"1.2.840.10008.5.1.4.1.1.1.{suffix}": intent
    for intent, suffixes in {
        "FOR PRESENTATION": ("1", "2", "3"), "FOR PROCESSING": ("1.1", "2.1", "3.1"),
    }.items()
    for suffix in suffixes
}  # fmt: skip
# Their IODs have the Common Instance Reference module as mandatory (PS3.3 A.51.3, A.75.3).
_WITH_COMMON_REFERENCES = {f"1.2.840.10008.5.1.4.1.1.{n}" for n in ("66.4", "66.7", "30")}


def check_modality(instance: Instance) -> Iterator[Hit]:
    """Check that Modality is one that the SOP class allows (X011)."""
    allowed = MODALITIES.get(instance.sop_class)
    modality = instance.dataset.text(_MODALITY)
    if allowed and modality and modality not in allowed:
        message = f"Modality does not fit the SOP class; expected {' or '.join(sorted(allowed))}"
        yield Hit("X011", message, "(0008,0060)", modality)
    intent, wanted = instance.dataset.text(_INTENT), _INTENTS.get(instance.sop_class, "")
    if intent in _INTENTS.values() and wanted and intent != wanted:
        message = f"PresentationIntentType does not fit the SOP class; expected {wanted}"
        yield Hit("X011", message, "(0008,0068)", intent, "error")


def check_frame_numbers(instance: Instance) -> Iterator[Hit]:
    """Report frame numbers of what has no frames (X017)."""
    for element in instance.elements:
        if element.tag != _FRAME_NUMBER or element.is_empty:
            continue
        iod = find_iod(element.item.text(_REFERENCED_CLASS))
        attributes = find_plan(iod).root.attributes if iod is not None else {}
        if _ROWS in attributes and _NUMBER_OF_FRAMES not in attributes:
            message = "ReferencedFrameNumber names frames of an image that has none"
            yield Hit("X017", message, element.path)


def check_levels(instance: Instance) -> Iterator[Hit]:
    """Check that study, series and instance have UIDs of their own (X012)."""
    seen: dict[str, str] = {}
    for name, tag in _LEVELS.items():
        uid = instance.dataset.text(tag)
        if uid and uid in seen:
            message = f"{name} is the same as {seen[uid]}"
            yield Hit("X012", message, instance.dataset.path_to(tag))
        elif uid:
            seen[uid] = name


def check_evidence(instance: Instance) -> Iterator[Hit]:
    """Check that what is referenced is also listed (X010)."""
    dataset = instance.dataset
    if _CONTENT in dataset.elements and dataset.text(_MODALITY) in ("SR", "KO", "PR", ""):
        listed = {uid for tag in _EVIDENCE for uid in _listed(dataset, tag)}
        for item in _content_references(dataset):
            uid = item.text(_REFERENCED_INSTANCE)
            if uid and uid not in listed:
                message = "the instance is in none of the evidence sequences"
                yield Hit("X010", message, item.path_to(_REFERENCED_INSTANCE), uid)
    elif _SHARED in dataset.elements:
        yield from _check_common_references(instance)
    elif _CONTOURS in dataset.elements:
        yield from _check_contour_images(dataset)


def _check_contour_images(dataset: Item) -> Iterator[Hit]:
    """Check that images of contours are listed by the frame of reference (PS3.3 C.8.8.5)."""
    listed: dict[str, str] = {
        image.text(_REFERENCED_INSTANCE): image.text(_REFERENCED_CLASS)
        for frame in dataset.items_of(_FRAMES_OF_REFERENCE)
        for study in frame.items_of(_RT_STUDIES)
        for series in study.items_of(_RT_SERIES)
        for image in series.items_of(_CONTOUR_IMAGES)
    }
    if not listed:
        return
    reported = set()
    for region in dataset.items_of(_CONTOURS):
        for contour in region.items_of(_CONTOUR):
            for image in contour.items_of(_CONTOUR_IMAGES):
                key = uid, sop_class = (
                    image.text(_REFERENCED_INSTANCE),
                    image.text(_REFERENCED_CLASS),
                )
                if not uid or key in reported or listed.get(uid) == sop_class:
                    continue
                reported.add(key)
                if uid not in listed:
                    message = "the image of the contour is not in RTReferencedSeriesSequence"
                    place = image.path_to(_REFERENCED_INSTANCE)
                    yield Hit("X010", message, place, uid, "warning")
                elif listed[uid] and sop_class:
                    message = "the SOP class of the image is not that in RTReferencedSeriesSequence"
                    yield Hit("X010", message, image.path_to(_REFERENCED_CLASS))


def _check_common_references(instance: Instance) -> Iterator[Hit]:
    dataset = instance.dataset
    listed = {
        instance.text(_REFERENCED_INSTANCE)
        for root in (dataset, *dataset.items_of(_OTHER_STUDIES))
        for series in root.items_of(_REFERENCED_SERIES)
        for instance in series.items_of(_REFERENCED_INSTANCES)
    }
    lists = {_REFERENCED_SERIES, _OTHER_STUDIES}
    if lists.isdisjoint(dataset.elements):
        if instance.sop_class in _WITH_COMMON_REFERENCES and _find_sources(dataset):
            message = "no list of the referenced series, though there are source images"
            yield Hit("X010", message, dataset.path_to(_REFERENCED_SERIES))
        return
    reported = set()
    for source in _find_sources(dataset):
        uid = source.text(_REFERENCED_INSTANCE)
        if uid and uid not in listed and uid not in reported:
            reported.add(uid)
            message = "the source image is not in ReferencedSeriesSequence"
            yield Hit("X010", message, source.path_to(_REFERENCED_INSTANCE), uid, "warning")


def _find_sources(dataset: Item) -> list[Item]:
    """Return the items that name the source images of frames."""
    return [
        source
        for sequence in (_SHARED, _PER_FRAME)
        for group in dataset.items_of(sequence)
        for derivation in group.items_of(_DERIVATION)
        for source in derivation.items_of(_SOURCE_IMAGES)
    ]


def _listed(dataset: Item, tag: int) -> Iterator[str]:
    for study in dataset.items_of(tag):
        for series in study.items_of(_REFERENCED_SERIES):
            for instance in series.items_of(_REFERENCED_SOPS):
                yield instance.text(_REFERENCED_INSTANCE)


def _content_references(item: Item) -> Iterator[Item]:
    for content in item.items_of(_CONTENT):
        yield from content.items_of(_REFERENCED_SOPS)
        yield from _content_references(content)
