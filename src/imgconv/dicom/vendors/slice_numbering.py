"""Which way Siemens numbers the slices of a protocol.

A protocol counts its slices head to foot or foot to head, as the operator
chose ("image numbering"). The CSA image header has the number of the image's
slice; tiles of a mosaic are counted from the protocol's first slice, or from
its last one where the number of the first tile is not 0. Geometry does not
depend on it: it is only what users expect of the order in which slices are
stored.

Source
------
Siemens CSA header, element ``ProtocolSliceNumber``;
https://github.com/rordenlab/dcm2niix/issues/40
"""

from __future__ import annotations

from imgconv.dicom.vendors.csa import csa_int
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.siemens import Siemens

__all__ = ["is_numbered_against_normal"]


def is_numbered_against_normal(acquisition: Acquisition) -> bool:
    """Whether the protocol's first slice is the last one along the normal, as far as is known.

    Single slices tell it only if their instances are numbered along the
    normal: where they run against it, users expect the slices along it.
    """
    if not acquisition.first.text("Manufacturer").upper().startswith("SIEMENS"):
        return False
    tiles = acquisition.tiles
    if len(tiles) > 1:
        return (tiles[0] > tiles[-1]) != _starts_with_the_last(acquisition.first)
    slices = acquisition.frames[0]
    if len(slices) < 2 or len({id(item.header) for item in slices}) < len(slices):
        return False
    ascends = _instance(slices[0]) < _instance(slices[-1])
    return ascends and _starts_with_the_last(slices[0])


def _starts_with_the_last(facts: Facts) -> bool:
    number = csa_int(Siemens(facts).image_header, "ProtocolSliceNumber")
    return number is not None and number > 1


def _instance(facts: Facts) -> float:
    return (facts.header.numbers("InstanceNumber") or (0.0,))[0]
