"""Fill the functional groups of an enhanced object from classic images.

Source
------
PS3.3 C.7.6.16.2 (macros), A.70.4, A.71.4, A.72.4 (which of them converted objects have)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from imgconv.dicom.classic_frames import creator_of, graft
from imgconv.dicom.elements import Element, Item
from imgconv.dicom.frame_order import FrameOrder
from imgconv.dicom.group_fields import Field, acquisition_date_time, find_fields
from imgconv.dicom.put import put, put_code, put_item
from imgconv.standard.anatomic_regions import find_region
from imgconv.standard.body_parts import UNPAIRED_BODY_PARTS
from imgconv.standard.elements import find_tag
from imgconv.standard.layouts import Group, Layout

__all__ = ["FrameDescription", "GroupBuilder"]

# Keyword -> value of a frame type macro.
FrameDescription = Mapping[str, str]

_SHARED_GROUPS, _FRAME_GROUPS = 0x52009229, 0x52009230
_CONTENT, _SOURCE = 0x00209111, 0x00209172
_SAMPLE_BYTES, _MAX_BITS = (1, 2, 4), 32
_UNASSIGNED_SHARED, _UNASSIGNED_FRAME = 0x00209170, 0x00209171
_ANATOMY, _WINDOW, _TRANSFORMATION = 0x00209071, 0x00289132, 0x00289145
_MR_MODIFIER = 0x00189006
_FRAME_TYPES = frozenset({0x00189329, 0x00189226, 0x00189751})
# References are kept as they are: their series, which a group must tell, is not known.
_NOT_FILLED = frozenset({0x00081140, 0x00089124, _UNASSIGNED_SHARED, _UNASSIGNED_FRAME})
# Groups that go with a module of the data set -> what shows that it is used.
_TECHNIQUES = {0x00189118: 0x00189037, 0x00209253: 0x00189170}
_CENTER, _WIDTH = 0x00281050, 0x00281051
_SLOPE, _INTERCEPT, _RESCALE_TYPE = 0x00281053, 0x00281052, 0x00281054
_MODALITY, _IMAGE_TYPE = 0x00080060, 0x00080008
_SOP_CLASS, _SOP_INSTANCE, _INSTANCE_NUMBER = 0x00080016, 0x00080018, 0x00200013
_DATE, _TIME = 0x00080022, 0x00080032
_BODY_PART, _REGION, _FRAME_LATERALITY = 0x00180015, 0x00082218, 0x00209072
_LATERALITIES = (_FRAME_LATERALITY, 0x00200062, 0x00200060)
_ALLOCATED, _STORED, _SIGNED = 0x00280100, 0x00280101, 0x00280103

# Adds what no classic attribute says by itself to the item of a group.
_Extra = Callable[[Item, Item], None]


class GroupBuilder:
    """Fills the functional groups; `used` collects the attributes that found a place.

    Parameters
    ----------
    root
        The data set of the object.
    sources
        The attributes of the classic images, in the order of the frames.
    shared
        What all of them have with the same value.
    present
        Tags that one of them has.
    layout
        Of the IOD of the object.
    """

    def __init__(
        self,
        root: Item,
        sources: Sequence[Item],
        shared: Mapping[int, Element],
        present: frozenset[int],
        layout: Layout,
    ) -> None:
        self.used: set[int] = set()
        self._root = root
        self._sources = sources
        self._shared_tags = shared
        self._present = present
        self._layout = layout
        self._shared = put_item(root, _SHARED_GROUPS)
        self._frames = [put_item(root, _FRAME_GROUPS) for _ in sources]

    def add_groups(
        self, order: FrameOrder, types: Sequence[FrameDescription], pixels: Element
    ) -> None:
        """Fill every group that the images can fill."""
        for group in self._layout.groups.values():
            if group.tag in _FRAME_TYPES:
                self._add_types(group.tag, types)
            elif group.tag == _ANATOMY:
                self._add_anatomy()
            elif group.tag not in _NOT_FILLED and group.tag not in (0, _CONTENT, _SOURCE):
                self._add_group(group, pixels)
        self._add_content(order)
        self._add_sources()

    def _add_group(self, group: Group, pixels: Element) -> None:
        if group.tag in self._present:
            self._copy_sequence(group.tag)
            return
        technique = _TECHNIQUES.get(group.tag)
        if technique is not None and technique not in self._present:
            return
        fields = find_fields(group.tag, group.attributes, self._present)
        extra: _Extra | None = None
        if group.tag == _WINDOW and group.is_mandatory:
            extra = self._window_maker(pixels)
        elif group.tag == _TRANSFORMATION and fields:
            extra = _complete_rescale
        elif group.tag == _TRANSFORMATION and _MR_MODIFIER in self._layout.groups:
            # Enhanced MR must say what stored values are, classic images have them as they are.
            extra = _add_identity
        if not fields and extra is None:
            return
        is_shared = all(field.source in self._shared_tags for field in fields)
        sources = self._sources[:1] if is_shared else self._sources
        made = [_fill(group.tag, fields, source, extra) for source in sources]
        # What derived images need not have is filled as a whole, or not at all.
        is_original = self._sources[0].text(_IMAGE_TYPE) == "ORIGINAL"
        needed = group.required if is_original else group.required | group.conditional
        if not group.is_mandatory and not all(needed <= item.elements.keys() for item in made):
            return
        places = [self._shared] if is_shared else self._frames
        for place, item in zip(places, made, strict=True):
            _attach(place, group.tag, item)
        self.used.update(
            field.source
            for field in fields
            if all(
                field.target in item.elements or field.source not in source.elements
                for item, source in zip(made, sources, strict=True)
            )
        )

    def _copy_sequence(self, tag: int) -> None:
        """Take over a sequence that classic images have in the form of the group."""
        if tag in self._shared_tags:
            graft(self._shared_tags[tag], self._shared)
        else:
            for source, frame in zip(self._sources, self._frames, strict=True):
                if tag in source.elements:
                    graft(source.elements[tag], frame)
        self.used.add(tag)

    def _add_types(self, tag: int, types: Sequence[FrameDescription]) -> None:
        is_shared = all(kind == types[0] for kind in types)
        for place, kind in zip([self._shared] if is_shared else self._frames, types, strict=False):
            item = put_item(place, tag)
            for keyword, value in kind.items():
                put(item, find_tag(keyword) or 0, "CS", value)

    def _add_anatomy(self) -> None:
        """Add Frame Anatomy if region and side are known for all frames, and the same."""
        tags = (_BODY_PART, _REGION, *_LATERALITIES)
        if not all(tag in self._shared_tags or tag not in self._present for tag in tags):
            return
        first = self._sources[0]
        part = first.text(_BODY_PART)
        region, known = first.items_of(_REGION), find_region(part)
        side = next((text for tag in _LATERALITIES if (text := first.text(tag))), "")
        if not side and part in UNPAIRED_BODY_PARTS:
            side = "U"
        if not side or (not region and known is None):
            return
        item = put_item(self._shared, _ANATOMY)
        put(item, _FRAME_LATERALITY, "CS", side)
        if region:
            graft(first.elements[_REGION], item)
        elif known is not None:
            put_code(item, _REGION, *known)

    def _add_content(self, order: FrameOrder) -> None:
        group = self._layout.groups[_CONTENT]
        fields = [
            field
            for field in find_fields(_CONTENT, group.attributes, self._present)
            if field.target not in _OF_ORDER
        ]
        exact = set()
        for number, (source, frame) in enumerate(zip(self._sources, self._frames, strict=True)):
            item = put_item(frame, _CONTENT)
            for field in fields:
                element = field.make(source, item)
                if element is not None:
                    graft(element, item, field.target)
            acquired = acquisition_date_time(source)
            if acquired:
                put(item, 0x00189074, "DT", acquired)
            _add_place(item, order, number)
            exact.add(acquired == source.text(_DATE) + source.text(_TIME) != "")
        self.used.update(
            field.source
            for field in fields
            if all(field.make(source, Item()) for source in self._sources)
        )
        if exact == {True}:
            self.used.update((_DATE, _TIME))

    def _add_sources(self) -> None:
        """Name the image that each frame was; of Legacy Converted objects only."""
        if _SOURCE not in self._layout.groups:
            return
        for source, frame in zip(self._sources, self._frames, strict=True):
            item = put_item(frame, _SOURCE)
            put(item, 0x00081150, "UI", source.text(_SOP_CLASS))
            put(item, 0x00081155, "UI", source.text(_SOP_INSTANCE))

    def add_unassigned(self, *, gone: frozenset[int]) -> None:
        """Keep what found no place, but for what is `gone`."""
        left = self._present - self.used - gone
        shared = {tag for tag in left if tag in self._shared_tags and tag != _INSTANCE_NUMBER}
        _keep(shared, self._sources[0], self._shared, _UNASSIGNED_SHARED)
        for source, frame in zip(self._sources, self._frames, strict=True):
            # Mandatory, though nothing may be left to put there (A.70.4).
            _keep(left - shared, source, frame, _UNASSIGNED_FRAME, always=True)

    def _window_maker(self, pixels: Element) -> _Extra:
        low, high = self._find_range(pixels)

        def add(source: Item, item: Item) -> None:
            """Show all values where the image has no window of its own."""
            if _CENTER in item.elements and _WIDTH in item.elements:
                return
            slope = source.number(_SLOPE)
            ends = sorted(
                value * (1.0 if slope is None else slope) + (source.number(_INTERCEPT) or 0.0)
                for value in (low, high)
            )
            put(item, _CENTER, "DS", f"{(ends[0] + ends[1] + 1) / 2:.10g}")
            put(item, _WIDTH, "DS", f"{ends[1] - ends[0] + 1:.10g}")

        return add

    def _find_range(self, pixels: Element) -> tuple[int, int]:
        """Return the smallest and the largest sample, else what samples may be."""
        first = self._sources[0]
        stored, signed = max(1, first.integer(_STORED) or 0), first.integer(_SIGNED) == 1
        has_windows = all(
            _CENTER in source.elements and _WIDTH in source.elements for source in self._sources
        )
        size = (first.integer(_ALLOCATED) or 8) // 8
        odd = size not in _SAMPLE_BYTES or len(pixels.value) % size or not len(pixels.value)
        if pixels.fragments is not None or has_windows or odd:
            stored = min(stored, _MAX_BITS)
            return (-(1 << stored - 1), (1 << stored - 1) - 1) if signed else (0, (1 << stored) - 1)
        kind = f"<{'i' if signed else 'u'}{size}"
        samples = np.frombuffer(pixels.value, kind)
        return int(samples.min()), int(samples.max())


# Attributes of Frame Content that the order of the frames gives, and one that classic images
# may have with another meaning.
_OF_ORDER = frozenset({0x00209128, 0x00209056, 0x00209057, 0x00209157, 0x00189074})


def _add_place(item: Item, order: FrameOrder, number: int) -> None:
    indexes = []
    if order.stacks:
        put(item, 0x00209056, "SH", str(order.stacks[number]))
        put(item, 0x00209057, "UL", order.places[number])
        indexes.append(order.stacks[number])
    if order.telltale:
        indexes.append(order.ranks[number])
    if order.stacks:
        indexes.append(order.places[number])
    if order.is_indexed:
        put(item, 0x00209157, "UL", indexes)


def _fill(tag: int, fields: Sequence[Field], source: Item, extra: _Extra | None) -> Item:
    item = Item(None, tag)
    for field in fields:
        element = field.make(source, item)
        if element is not None:
            graft(element, item, field.target)
    if extra is not None:
        extra(source, item)
    return item


def _attach(place: Item, tag: int, item: Item) -> None:
    child = put_item(place, tag)
    for element in item.elements.values():
        graft(element, child)


def _add_identity(_source: Item, item: Item) -> None:
    put(item, _INTERCEPT, "DS", "0")
    put(item, _SLOPE, "DS", "1")
    put(item, _RESCALE_TYPE, "LO", "US")


def _complete_rescale(source: Item, item: Item) -> None:
    """Add Rescale Type; of CT images it is HU unless they say otherwise (C.8.2.1)."""
    if _RESCALE_TYPE not in item.elements:
        put(item, _RESCALE_TYPE, "LO", "HU" if source.text(_MODALITY) == "CT" else "US")


def _keep(
    tags: set[int] | frozenset[int],
    source: Item,
    place: Item,
    sequence: int,
    *,
    always: bool = False,
) -> None:
    """Put elements into a sequence of what has no place, private ones with their creators."""
    kept = {tag for tag in tags if tag in source.elements}
    creators = {
        creator
        for tag in kept
        if tag >> 16 & 1 and tag & 0xFFFF > 0xFF and (creator := creator_of(tag)) in source.elements
    }
    # A creator goes where its elements go.
    kept |= creators
    if not kept and not always:
        return
    item = put_item(place, sequence)
    for tag in sorted(kept):
        graft(source.elements[tag], item)
