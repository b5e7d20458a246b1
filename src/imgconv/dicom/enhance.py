"""Make one multi-frame object of a single-frame series.

What is the same in all frames stands in the data set or in the shared groups,
the rest per frame, and what has no place is kept as unassigned. Values keep
their bytes; what an object needs and the images do not say is left out, for
the caller to judge.

Source
------
PS3.3 A.70 to A.72 (Legacy Converted Enhanced CT, MR, PET), A.36, A.38, A.56
(Enhanced), C.7.6.16 (functional groups), C.7.6.17 (dimensions)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from imgconv.dicom.classic_frames import (
    ClassicFrame,
    find_shared,
    graft,
    join_pixels,
    read_frames,
)
from imgconv.dicom.elements import Element, Item, Tree
from imgconv.dicom.enhanced_groups import GroupBuilder
from imgconv.dicom.frame_order import FrameOrder, find_order
from imgconv.dicom.frame_types import describe_frames, merge_types
from imgconv.dicom.group_fields import acquisition_date_time
from imgconv.dicom.lossy import METHODS
from imgconv.dicom.put import put, put_item
from imgconv.dicom.repair.uids import uid_for
from imgconv.errors import UnsupportedData
from imgconv.standard.elements import find_keyword
from imgconv.standard.layouts import Layout, find_layout
from imgconv.standard.transfer_syntaxes import BY_UID

__all__ = ["ENHANCED_CLASSES", "build_enhanced", "count_references", "read_series"]

_STORAGE = "1.2.840.10008.5.1.4.1.1."
# Single-frame SOP class -> Legacy Converted Enhanced, Enhanced.
ENHANCED_CLASSES = {
    _STORAGE + "2": (_STORAGE + "2.2", _STORAGE + "2.1"),
    _STORAGE + "4": (_STORAGE + "4.4", _STORAGE + "4.1"),
    _STORAGE + "128": (_STORAGE + "128.1", _STORAGE + "130"),
}
_LEGACY = frozenset(legacy for legacy, _ in ENHANCED_CLASSES.values())
_SOP_CLASS, _SOP_INSTANCE, _STUDY, _SERIES = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
_IMAGE_TYPE, _INSTANCE_NUMBER, _FRAME_COUNT = 0x00080008, 0x00200013, 0x00280008
_PHOTOMETRIC = 0x00280004
_ACQUIRED, _LUT_SHAPE = 0x0008002A, 0x20500020
_PIXEL_DATA, _LOSSY, _LOSSY_METHOD = 0x7FE00010, 0x00282110, 0x00282114
_IMAGED_NUCLEUS, _RESONANT_NUCLEUS = 0x00180085, 0x00189100
_DATES = ((0x00080023, 0x00080033), (0x00080022, 0x00080032), (0x00080021, 0x00080031),
          (0x00080020, 0x00080030))  # fmt: skip
# What the object has of its own.
_OWN = frozenset({
    _SOP_CLASS, _SOP_INSTANCE, _SERIES, _IMAGE_TYPE, _INSTANCE_NUMBER, _FRAME_COUNT, _ACQUIRED,
    0x00080012, 0x00080013, 0x00080014, 0x00080015, 0x00080023, 0x00080033, 0x00280106, 0x00280107,
    0x00081115, 0x00081200, 0x00880200,
})  # fmt: skip
# What replaces these in the object, and gives them back when it is split.
_REPLACED = frozenset({_SOP_CLASS, _SOP_INSTANCE, _SERIES, _FRAME_COUNT})
# An enhanced object lists what it refers to by study and series (C.8.13.2.1); single-frame
# files do not say the series.
_REFERENCES = frozenset({0x00081140, 0x00082112})
_PADDING = 0x00280120
# One object has one of each: modules where differing attributes are a contradiction.
_COMMON_MODULES = frozenset({"patient", "general-study", "frame-of-reference", "image-pixel"})
_COMMON_EQUIPMENT = frozenset({0x00080070, 0x00081090, 0x00181000, 0x00181020, _PADDING})
_FREE = frozenset({0x00280106, 0x00280107})
_CHARSET = 0x00080005
_CONTENT, _UNASSIGNED, _STACK, _PLACE = 0x00209111, 0x00209171, 0x00209056, 0x00209057
# What tells frames at one place apart -> the attribute and the group that it became.
_PLACED = {
    0x00200012: (0x00209156, _CONTENT),
    0x00080032: (0x00189074, _CONTENT),
    0x00180081: (0x00189082, 0x00189114),
}
_MAX_NAMED = 3


def read_series(paths: Sequence[Path], prepare: Callable[[Tree], object]) -> list[ClassicFrame]:
    """Read the files of one series, and require that they can be one object.

    Parameters
    ----------
    paths
        Single-frame CT, MR or PET images of one series.
    prepare
        Mends the encoding of a file, and what else the caller wants mended.

    Raises
    ------
    UnsupportedData
        The SOP class has no enhanced counterpart, or the files contradict
        each other where one object cannot.
    CorruptData
        A file cannot be read.
    """
    frames = list(read_frames(paths, prepare))
    first = frames[0]
    sop_class = first.root.text(_SOP_CLASS)
    if sop_class not in ENHANCED_CLASSES:
        raise UnsupportedData("the SOP class has no enhanced counterpart", path=first.path)
    if first.root.text(_PHOTOMETRIC) != "MONOCHROME2":
        raise UnsupportedData("enhanced objects hold MONOCHROME2", path=first.path)
    if len({frame.transfer_syntax for frame in frames}) > 1:
        raise UnsupportedData(
            "the files have several transfer syntaxes",
            path=first.path.parent,
            hint="decode them first by `imgconv transcode --to explicit`",
        )
    if len({frame.root.text(_SOP_INSTANCE) for frame in frames}) < len(frames):
        raise UnsupportedData("two files have one SOP Instance UID", path=first.path.parent)
    layout = find_layout(ENHANCED_CLASSES[sop_class][0])
    _, varying = find_shared(frames)
    different = [tag for tag in sorted(varying) if layout and _is_common(tag, layout)]
    if different:
        names = ", ".join(find_keyword(tag) or "" for tag in different[:_MAX_NAMED])
        raise UnsupportedData(
            f"the series cannot become one object: its files differ in {names}",
            path=first.path.parent,
        )
    return frames


def _is_common(tag: int, layout: Layout) -> bool:
    if tag in _COMMON_EQUIPMENT or tag == _CHARSET:
        return True
    modules = layout.modules.get(tag, frozenset())
    return tag not in _FREE and bool(modules & _COMMON_MODULES) and layout.is_required(tag)


def build_enhanced(frames: Sequence[ClassicFrame], sop_class: str, when: str) -> Tree:
    """Build the multi-frame object of a series.

    Parameters
    ----------
    frames
        As `read_series` returned them.
    sop_class
        The enhanced one to build.
    when
        Date and time of the conversion, as DT: that of the content of images
        without any date.

    Returns
    -------
    Tree
        With new Series and SOP Instance UIDs, derived from those of the
        files. Whether it has all that its IOD demands is not checked.

    Raises
    ------
    UnsupportedData
        `sop_class` has no functional groups.
    """
    layout = find_layout(sop_class)
    if layout is None:
        raise UnsupportedData(f"`{sop_class}` has no functional groups")
    order = find_order([frame.root for frame in frames])
    ordered = [frames[n] for n in order.order]
    shared, varying = find_shared(ordered)
    root = Item()
    pixels, data = join_pixels(ordered)
    tree = Tree(
        ordered[0].path,
        len(data),
        data,
        preamble=bytes(128),
        meta=Item(),
        dataset=root,
        transfer_syntax=ordered[0].transfer_syntax,
    )
    present = frozenset(shared) | varying
    builder = GroupBuilder(root, [frame.root for frame in ordered], shared, present, layout)
    types = describe_frames(ordered, order, sop_class)
    builder.add_groups(order, types, pixels)
    _add_own(root, ordered, sop_class, when)
    if order.is_indexed:
        _add_dimensions(root, order, builder.used)
    merge_types(root, types)
    _add_shared(root, shared, builder.used, layout)
    builder.add_unassigned(gone=_REPLACED | _REFERENCES)
    if sop_class in _LEGACY:
        _add_references(root, ordered)
    pixels.item = root
    root.elements[_PIXEL_DATA] = pixels
    return tree


def _add_own(root: Item, frames: Sequence[ClassicFrame], sop_class: str, when: str) -> None:
    """Add what the object has of its own: identity, number of frames, dates."""
    first = frames[0].root
    instances = sorted(frame.root.text(_SOP_INSTANCE) for frame in frames)
    put(root, _SOP_CLASS, "UI", sop_class)
    put(root, _SOP_INSTANCE, "UI", uid_for("enhanced", sop_class, *instances))
    put(root, _SERIES, "UI", uid_for("enhanced series", first.text(_SERIES), sop_class))
    put(root, _INSTANCE_NUMBER, "IS", "1")
    put(root, _FRAME_COUNT, "IS", str(len(frames)))
    put(root, _LUT_SHAPE, "CS", "IDENTITY")
    acquired = [acquisition_date_time(frame.root) for frame in frames]
    if all(acquired):
        put(root, _ACQUIRED, "DT", min(acquired))
    day, time = _find_date(frames) or (when[:8], when[8:14])
    put(root, 0x00080023, "DA", day)
    put(root, 0x00080033, "TM", time)
    # C.8.13.2.1.2: made by what is no approved product.
    put(root, 0x00189004, "CS", first.text(0x00189004) or "RESEARCH")
    if any(frame.root.text(_LOSSY) == "01" for frame in frames):
        put(root, _LOSSY, "CS", "01")
        syntax = BY_UID[frames[0].transfer_syntax]
        if syntax.lossy and not syntax.lossless and not first.text(_LOSSY_METHOD):
            put(root, _LOSSY_METHOD, "CS", METHODS.get(syntax.family, ""))


def _find_date(frames: Sequence[ClassicFrame]) -> tuple[str, str] | None:
    """Return the earliest date and time of the content, or of what came before it."""
    for day, time in _DATES:
        known = [(frame.root.text(day), frame.root.text(time)) for frame in frames]
        if all(day and time for day, time in known):
            return min(known)
    return None


def _add_dimensions(root: Item, order: FrameOrder, used: set[int]) -> None:
    """Add Multi-frame Dimension: stack, what tells frames at one place apart, place."""
    uid = uid_for("dimensions", root.text(_SOP_INSTANCE))
    organization = put_item(root, 0x00209221)
    put(organization, 0x00209164, "UI", uid)
    if order.is_volume:
        put(root, 0x00209311, "CS", "3D")
    for pointer, group in _pointers(order, used):
        index = put_item(root, 0x00209222)
        put(index, 0x00209164, "UI", uid)
        put(index, 0x00209165, "AT", pointer)
        put(index, 0x00209167, "AT", group)


def _pointers(order: FrameOrder, used: set[int]) -> list[tuple[int, int]]:
    found = []
    if order.stacks:
        found.append((_STACK, _CONTENT))
    if order.telltale:
        unassigned = (order.telltale, _UNASSIGNED)
        found.append(
            _PLACED.get(order.telltale, unassigned) if order.telltale in used else unassigned
        )
    if order.stacks:
        found.append((_PLACE, _CONTENT))
    return found


def _add_shared(root: Item, shared: Mapping[int, Element], used: set[int], layout: Layout) -> None:
    """Add what all frames share and the IOD has in its data set."""
    nucleus = shared.get(_IMAGED_NUCLEUS)
    if nucleus is not None and _RESONANT_NUCLEUS in layout.kinds and not nucleus.is_empty:
        put(root, _RESONANT_NUCLEUS, "CS", str(nucleus.values()[0]))
    for tag, element in shared.items():
        if tag not in _OWN and tag not in used and layout.has_place(tag, shared):
            graft(element, root)
            used.add(tag)
    if root.text(_SOP_CLASS) in _LEGACY:
        for tag in _COMMON_EQUIPMENT & root.elements.keys():
            if root.elements[tag].is_empty and tag != _PADDING:
                put(root, tag, "LO", "UNKNOWN")


def count_references(frames: Sequence[ClassicFrame]) -> int:
    """Count the images whose references to others the object cannot keep."""
    return sum(bool(_REFERENCES & frame.root.elements.keys()) for frame in frames)


def _add_references(root: Item, frames: Sequence[ClassicFrame]) -> None:
    """List the images that the frames come from; C.12.2."""
    series = put_item(root, 0x00081115)
    put(series, _SERIES, "UI", frames[0].root.text(_SERIES))
    for frame in frames:
        instance = put_item(series, 0x0008114A)
        put(instance, 0x00081150, "UI", frame.root.text(_SOP_CLASS))
        put(instance, 0x00081155, "UI", frame.root.text(_SOP_INSTANCE))
