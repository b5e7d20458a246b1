"""Private attributes by which a label map comes back from a Segmentation exactly as it was.

They stand in one block, (0063,xx00), and hold nothing that could identify a
person. Other programs ignore them; an object without them is read as the
standard says.
"""

from __future__ import annotations

__all__ = ["CREATOR", "GROUP", "LABEL_NUMBER", "LAYER", "SLICE_ORIGINS"]

GROUP = 0x0063
CREATOR = "IMGCONV SEGMENT"

LABEL_NUMBER = 0x01  # US, in an item of Segment Sequence: the label, where it is no segment number
LAYER = 0x02  # US, there: the volume of a 4D label map that the segment came from
SLICE_ORIGINS = 0x03  # FD, at the top level: x y z of the first voxel of every slice
