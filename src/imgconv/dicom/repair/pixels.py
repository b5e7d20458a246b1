"""Mend what describes the pixel data, and its length; samples keep their values.

Source
------
PS3.3 C.7.6.3; PS3.5 8.1 (bits), 8.2 and A.4 (encoding)
"""

from __future__ import annotations

import numpy as np

from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.repair.change import Change, ensure, remove, replace_value, skipped
from imgconv.errors import CorruptData

__all__ = ["count_bytes", "count_frames", "mend_pixels"]

_SAMPLES, _PHOTOMETRIC, _PLANAR, _FRAMES = 0x00280002, 0x00280004, 0x00280006, 0x00280008
_ROWS, _COLUMNS, _ASPECT = 0x00280010, 0x00280011, 0x00280034
_ALLOCATED, _STORED, _HIGH, _SIGNED = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PIXEL_DATA = 0x7FE00010
_SPACINGS = (0x00280030, 0x00181164, 0x00182010)


def mend_pixels(tree: Tree) -> list[Change]:
    """Mend the Image Pixel module and the length and VR of the pixel data.

    Raises
    ------
    CorruptData
        There are fewer pixels than the attributes say.
    """
    root = tree.dataset
    pixels = root.get(_PIXEL_DATA)
    changes = _mend_description(root, native=pixels is None or pixels.fragments is None)
    if pixels is not None:
        changes += _mend_frame_count(root, pixels)
    if pixels is None:
        return changes
    if pixels.fragments is not None:
        return [*changes, *_mend_encapsulated_vr(pixels), *_lower_high_bit(root)]
    changes += _mend_length(tree, pixels)
    changes += _mend_vr(root)
    changes += _mend_high_bit(root)
    return changes


def _mend_description(root: Item, *, native: bool) -> list[Change]:
    changes = []
    samples = root.integer(_SAMPLES)
    planar = root.get(_PLANAR)
    if planar is not None and samples == 1:
        changes.append(
            remove(
                planar,
                name="planar-configuration",
                before="present",
                reason="only images of several samples have it",
                source="PS3.3 C.7.6.3.1.3",
            )
        )
    elif samples is not None and samples > 1 and (planar is None or planar.is_empty):
        if native and samples > 1:
            before, reason = "absent", "whether samples are interleaved is not known"
            path = root.path_to(_PLANAR)
            changes.append(
                skipped("planar-configuration", path, before, reason, "PS3.3 C.7.6.3.1.3")
            )
        else:
            # PS3.5 8.2: in these syntaxes the codestream says it; the attribute is 0.
            changes.append(
                ensure(
                    root,
                    _PLANAR,
                    "US",
                    bytes(2),
                    name="planar-configuration",
                    reason="compressed syntaxes have 0",
                    source="PS3.5 8.2",
                )
            )
    aspect = root.get(_ASPECT)
    is_square = len(set(root.numbers(_ASPECT))) == 1
    if aspect is not None and (
        aspect.is_empty or is_square or any(tag in root.elements for tag in _SPACINGS)
    ):
        changes.append(
            remove(
                aspect,
                name="pixel-aspect-ratio",
                before="empty" if aspect.is_empty else "square, or beside a pixel spacing",
                reason="type 1C, only of pixels that are not square, where no spacing says it",
                source="PS3.3 C.7.6.3",
                keep=not aspect.is_empty,
            )
        )
    return changes


def count_bytes(root: Item) -> int | None:
    """Return how many bytes the samples have where they are not compressed, None if unknown."""
    rows, columns = root.integer(_ROWS), root.integer(_COLUMNS)
    allocated, samples = root.integer(_ALLOCATED), root.integer(_SAMPLES)
    if rows is None or columns is None or allocated is None or samples is None:
        return None
    frames = root.integer(_FRAMES)
    if root.text(_PHOTOMETRIC) in ("YBR_FULL_422", "YBR_PARTIAL_422"):
        samples = 2  # PS3.3 C.7.6.3.1.2: chroma at half the horizontal resolution
    bits = rows * columns * samples * allocated * (1 if frames is None else frames)
    return -(-bits // 8)


def count_frames(root: Item, pixels: Element) -> int:
    """Return how many frames the pixel data hold; 0 if that is not certain."""
    if pixels.fragments is not None:
        # The offset table and one fragment: one frame. More fragments may be of one frame too.
        return 1 if len(pixels.fragments) == 2 else 0
    expected = count_bytes(root)
    if not expected or root.text(_FRAMES):
        return 0
    found = len(pixels.value)
    if found % expected and (found - 1) % expected == 0:
        found -= 1  # PS3.5 8.1.1: padded to an even length
    return found // expected if found % expected == 0 else 0


def _mend_frame_count(root: Item, pixels: Element) -> list[Change]:
    """Count the frames where Number of Frames is no count."""
    element = root.get(_FRAMES)
    frames = root.integer(_FRAMES)
    if element is None or element.is_empty or (frames is not None and frames >= 1):
        return []
    del root.elements[_FRAMES]
    count = count_frames(root, pixels)
    root.elements[_FRAMES] = element
    if not count:
        return []
    return [
        replace_value(
            element,
            str(count).encode("ascii"),
            name="frame-count",
            before="no count of frames",
            after="as many as the pixel data hold",
            reason="there is at least one frame",
            source="PS3.3 C.7.6.6",
            keep=True,
        )
    ]


def _mend_length(tree: Tree, pixels: Element) -> list[Change]:
    root = tree.dataset
    expected = count_bytes(root)
    if expected is None or expected <= 0:
        return []
    found = len(pixels.value)
    padded = expected + expected % 2
    if found < expected:
        raise CorruptData(
            f"the pixel data have `{found}` bytes; expected {expected}", path=tree.path
        )
    if found <= padded:
        return []
    frames = root.integer(_FRAMES) or 1
    frame_bytes = expected // frames if frames else 0
    surplus = found - padded
    if frame_bytes and surplus >= frame_bytes:
        reason = "there are more frames than Number of Frames says"
        return [skipped("pixel-length", pixels.path, "too long", reason, "PS3.5 8.1.1")]
    return [
        replace_value(
            pixels,
            bytes(pixels.value[:padded]),
            name="pixel-length",
            before=f"{surplus} bytes too long",
            after="the bytes of all pixels",
            reason="bytes behind the last pixel belong to none",
            source="PS3.5 8.1.1",
        )
    ]


def _mend_encapsulated_vr(pixels: Element) -> list[Change]:
    if pixels.vr == "OB":
        return []
    before, pixels.vr, pixels.written_vr = pixels.vr, "OB", "OB"
    reason = "encapsulated pixel data are bytes"
    return [Change("pixel-vr", pixels.path, before, "OB", reason, "PS3.5 A.4")]


def _mend_vr(root: Item) -> list[Change]:
    pixels = root.elements[_PIXEL_DATA]
    allocated = root.integer(_ALLOCATED) or 0
    if pixels.vr not in ("OB", "UN") or allocated <= 8:
        return []
    before, pixels.vr = pixels.vr, "OW"
    pixels.written_vr = "OW"
    reason = "samples of more than 8 bits are words"
    return [Change("pixel-vr", pixels.path, before, "OW", reason, "PS3.5 A.2")]


def _lower_high_bit(root: Item) -> list[Change]:
    """Set High Bit where no sample stands otherwise: of compressed frames, or too low a one."""
    stored, high, element = root.integer(_STORED), root.integer(_HIGH), root.get(_HIGH)
    allocated = root.integer(_ALLOCATED)
    if (
        element is None
        or stored is None
        or allocated is None
        or not 0 < stored <= allocated
        or high in (None, stored - 1)
    ):
        return []
    return [
        replace_value(
            element,
            (stored - 1).to_bytes(2, "big" if root.big_endian else "little"),
            name="high-bit",
            before="another than Bits Stored - 1",
            after="Bits Stored - 1",
            reason="the samples are in the low bits: nothing else is possible",
            source="PS3.5 8.1.1",
            keep=True,
        )
    ]


def _mend_high_bit(root: Item) -> list[Change]:
    """Move samples to the low bits: High Bit shall be one less than Bits Stored."""
    stored, high = root.integer(_STORED), root.integer(_HIGH)
    allocated, signed = root.integer(_ALLOCATED), root.integer(_SIGNED)
    if stored is None or high is None or allocated not in (8, 16, 32) or high == stored - 1:
        return []
    pixels = root.elements[_PIXEL_DATA]
    shift = high - stored + 1
    element = root.elements[_HIGH]
    reason = "it is one less than Bits Stored"
    if shift < 0:
        return _lower_high_bit(root)  # the samples do not fit below: it cannot be meant
    if high >= allocated or stored < 1:
        return [skipped("high-bit", element.path, "impossible", reason, "PS3.5 8.1.1")]
    order = ">" if root.big_endian else "<"
    kind = f"{order}{'i' if signed else 'u'}{allocated // 8}"
    usable = len(pixels.value) // (allocated // 8) * (allocated // 8)
    samples = np.frombuffer(bytes(pixels.value[:usable]), kind)
    low = samples & ((1 << shift) - 1)
    if low.any():
        reason = "the bits below the samples are in use (an overlay)"
        return [skipped("high-bit", element.path, "above Bits Stored", reason, "PS3.5 8.1.1")]
    # The bits above are shifted out and in again, so that the sign is right.
    up = allocated - 1 - high
    moved = (samples << up) >> (up + shift)
    value = moved.astype(kind).tobytes() + bytes(pixels.value[usable:])
    data = replace_value(
        pixels,
        value,
        name="high-bit",
        before=f"samples in bits {shift} to {high}",
        after=f"samples in bits 0 to {stored - 1}",
        reason=reason,
        source="PS3.5 8.1.1",
    )
    fresh = (stored - 1).to_bytes(2, "big" if root.big_endian else "little")
    return [
        data,
        replace_value(
            element,
            fresh,
            name="high-bit",
            before="above Bits Stored",
            after="Bits Stored - 1",
            reason=reason,
            source="PS3.5 8.1.1",
        ),
    ]
