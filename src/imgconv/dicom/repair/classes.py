"""Give objects the SOP class that they lack, or that took the place of a retired one.

A successor is given only where the successor asks for no more of the image than the old class did.

Source
------
PS3.6 A (retired UIDs); PS3.3 A.6 and A.7 (ultrasound)
"""

from __future__ import annotations

from imgconv.dicom.elements import Tree
from imgconv.dicom.repair.change import Change, ensure, replace_value

__all__ = ["CLASS_TAGS", "derive_class", "mend_classes"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SUCCESSORS = {
    f"{_STORAGE}3": f"{_STORAGE}3.1",  # Ultrasound Multi-frame Image Storage
    f"{_STORAGE}6": f"{_STORAGE}6.1",  # Ultrasound Image Storage
}
_CLASS, _MODALITY, _PIXEL_DATA = 0x00080016, 0x00080060, 0x7FE00010
_FUNCTIONAL_GROUPS = (0x52009229, 0x52009230)
_PLANE = (0x00200032, 0x00200037, 0x00280030)  # position, orientation, spacing
# Modality -> the class, and what only its images have: all must be there.
_EVIDENCE = {
    "CT": (f"{_STORAGE}2", (*_PLANE, 0x00281052, 0x00281053)),  # rescale intercept and slope
    "MR": (f"{_STORAGE}4", (*_PLANE, 0x00180020, 0x00180021)),  # scanning sequence and variant
    "PT": (f"{_STORAGE}128", (*_PLANE, 0x00541001, 0x00541102)),  # units, decay correction
}
# SOP Class UID, Referenced SOP Class UID
CLASS_TAGS = frozenset({0x00080016, 0x00081150})


def derive_class(tree: Tree) -> list[Change]:
    """Name the class of single-frame images that neither data set nor meta information names.

    Only where an image has everything that images of one class, and no other, must have.
    """
    root = tree.dataset
    known = root.text(_CLASS) or (tree.meta is not None and tree.meta.text(0x00020002))
    uid, tags = _EVIDENCE.get(root.text(_MODALITY), ("", ()))
    if (
        known
        or not uid
        or _PIXEL_DATA not in root.elements
        or any(tag in root.elements for tag in _FUNCTIONAL_GROUPS)
        or not all(root.texts(tag) for tag in tags)
    ):
        return []
    reason, source = "the modality, and attributes that only this class has", "PS3.3 A.3, A.4, A.21"
    value = uid.encode("ascii")
    return [ensure(root, _CLASS, "UI", value, name="derived", reason=reason, source=source)]


def mend_classes(tree: Tree) -> list[Change]:
    """Replace retired SOP classes, and references to objects of them, by their successors."""
    retired = [
        (element, _SUCCESSORS[str(values[0])])
        for element in list(tree.dataset.walk())
        if element.tag in CLASS_TAGS
        and (values := element.values())
        and str(values[0]) in _SUCCESSORS
    ]
    return [
        replace_value(
            element,
            successor.encode("ascii"),
            name="retired-class",
            before="retired SOP class",
            after="its successor",
            reason="archives no longer take objects of the retired class",
            source="PS3.6 A",
            keep=True,
        )
        for element, successor in retired
    ]
