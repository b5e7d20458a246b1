"""Turn ACR-NEMA 1.0 and 2.0 images into Secondary Capture data sets.

ACR-NEMA (300-1985, 300-1988) has no UIDs, no SOP classes and no photometric
interpretation; its images are single samples, larger values brighter. What
was acquired cannot be told well enough for a modality's own IOD, so the
object is a Secondary Capture that came over a digital interface.

Source
------
PS3.3 A.8.1 (Secondary Capture), C.8.6.1 (Conversion Type); PS3.5 8.1 (bits allocated);
PS3.6 6 (retired attributes)
"""

from __future__ import annotations

import numpy as np

from imgconv.dicom.elements import Element, Tree
from imgconv.dicom.repair.change import Change, ensure, remove

__all__ = ["is_acr_nema", "mend_acr_nema"]

_RECOGNITION_CODE = 0x00080010
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_SECONDARY_CAPTURE = b"1.2.840.10008.5.1.4.1.1.7"
_PIXEL_DATA, _ALLOCATED, _STORED = 0x7FE00010, 0x00280100, 0x00280101
_SOURCE = "ACR-NEMA 300-1988; PS3.6 6"
# Structure of the old message, without a meaning in a DICOM data set.
_STRUCTURE = {
    0x00080001: "length to end",
    0x00080010: "recognition code",
    0x00280005: "image dimensions",
    0x00280040: "image format",
    0x00280060: "compression code",
    0x00280200: "image location",
}
# Retired attribute -> the one that took its place, with the same meaning.
_SUCCESSORS = {0x00200030: 0x00200032, 0x00200035: 0x00200037}
_ASSUMED = (
    (0x00280002, "US", b"\1\0", "images have one sample"),
    (0x00280004, "CS", b"MONOCHROME2 ", "larger values are brighter"),
    (0x00280103, "US", b"\0\0", "samples are unsigned"),
)
_CONVERSION_TYPE = 0x00080064


def is_acr_nema(tree: Tree) -> bool:
    """Whether the file says so, or has an image and neither SOP class nor file meta."""
    root = tree.dataset
    if root.text(_RECOGNITION_CODE).upper().startswith("ACR-NEMA"):
        return True
    has_class = bool(root.text(_SOP_CLASS)) or (
        tree.meta is not None and bool(tree.meta.text(0x00020002))
    )
    # Instances have a UID since DICOM: what has one, and no class, is a damaged data set.
    has_instance = bool(root.text(_SOP_INSTANCE))
    return not has_class and not has_instance and _PIXEL_DATA in root.elements


def mend_acr_nema(tree: Tree) -> list[Change]:
    """Give an ACR-NEMA image what a Secondary Capture needs."""
    if not is_acr_nema(tree):
        return []
    root = tree.dataset
    changes = []
    for tag, what in _STRUCTURE.items():
        element = root.get(tag)
        if element is not None:
            reason = "DICOM says it otherwise"
            changes.append(
                remove(element, name="acr-nema", before=what, reason=reason, source=_SOURCE)
            )
    for old, new in _SUCCESSORS.items():
        element = root.get(old)
        if element is not None and new not in root.elements:
            root.elements[new] = Element(root, new, "DS", element.value, "DS")
            del root.elements[old]
            path = element.path
            reason = f"renamed to {root.path_to(new)}"
            changes.append(Change("acr-nema", path, "retired attribute", reason, reason, _SOURCE))
    for tag, vr, value, reason in _ASSUMED:
        known = root.get(tag)
        if known is None or known.is_empty:
            wire = value if vr != "US" or not root.big_endian else value[::-1]
            changes.append(
                ensure(root, tag, vr, wire, name="acr-nema", reason=reason, source=_SOURCE)
            )
    if not root.text(_SOP_CLASS):
        reason = "ACR-NEMA has no SOP classes"
        changes.append(
            ensure(
                root,
                _SOP_CLASS,
                "UI",
                _SECONDARY_CAPTURE,
                name="acr-nema",
                reason=reason,
                source="PS3.3 A.8.1",
            )
        )
        reason = "ACR-NEMA is a digital interface"
        changes.append(
            ensure(
                root,
                _CONVERSION_TYPE,
                "CS",
                b"DI",
                name="acr-nema",
                reason=reason,
                source="PS3.3 C.8.6.1",
            )
        )
    return changes + _unpack(tree)


def _unpack(tree: Tree) -> list[Change]:
    """Spread samples of 12 allocated bits over 16: DICOM allocates multiples of 8."""
    root = tree.dataset
    pixels, allocated = root.get(_PIXEL_DATA), root.get(_ALLOCATED)
    if pixels is None or allocated is None or root.integer(_ALLOCATED) != 12:
        return []
    rows, columns = root.integer(0x00280010) or 0, root.integer(0x00280011) or 0
    raw = np.frombuffer(bytes(pixels.value), np.uint8)
    if root.big_endian:
        raw = raw[: len(raw) // 2 * 2].reshape(-1, 2)[:, ::-1].reshape(-1)
    triples = raw[: len(raw) // 3 * 3].reshape(-1, 3).astype(np.uint16)
    samples = np.empty((len(triples), 2), np.uint16)
    samples[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    samples[:, 1] = triples[:, 1] >> 4 | triples[:, 2] << 4
    flat = samples.reshape(-1)[: rows * columns]
    order = ">" if root.big_endian else "<"
    pixels.value, pixels.vr, pixels.written_vr = flat.astype(f"{order}u2").tobytes(), "OW", "OW"
    pixels.clear()
    allocated.value = (16).to_bytes(2, "big" if root.big_endian else "little")
    allocated.clear()
    reason = "bits allocated are a multiple of 8"
    return [Change("packed-samples", pixels.path, "12 bits", "16 bits", reason, "PS3.5 8.1.1")]
