"""Give objects of retired SOP classes the class that took the place of their own.

Only where the successor asks for no more of the image than the old class did.

Source
------
PS3.6 A (retired UIDs); PS3.3 A.6 and A.7 (ultrasound)
"""

from __future__ import annotations

from imgconv.dicom.elements import Tree
from imgconv.dicom.repair.change import Change, replace_value

__all__ = ["mend_classes"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
_SUCCESSORS = {
    f"{_STORAGE}3": f"{_STORAGE}3.1",  # Ultrasound Multi-frame Image Storage
    f"{_STORAGE}6": f"{_STORAGE}6.1",  # Ultrasound Image Storage
}
# SOP Class UID, Referenced SOP Class UID
_TAGS = frozenset({0x00080016, 0x00081150})


def mend_classes(tree: Tree) -> list[Change]:
    """Replace retired SOP classes, and references to objects of them, by their successors."""
    retired = [
        (element, _SUCCESSORS[str(values[0])])
        for element in list(tree.dataset.walk())
        if element.tag in _TAGS and (values := element.values()) and str(values[0]) in _SUCCESSORS
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
