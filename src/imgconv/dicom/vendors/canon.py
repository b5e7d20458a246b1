"""Canon and Toshiba: gradients are in Image Comments, in phase, frequency and slice axes.

Slice times and the polarity of phase encoding are in no Canon header.

Source
------
Public data set ``neurolabusc/dcm_qa_canon``; Canon's DICOM conformance statement
"""

from __future__ import annotations

import re

from imgconv.dicom.vendors.facts import Facts

__all__ = ["canon_b_value", "canon_direction"]

_NUMBER = r"\s*([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)\s*"
_COMMENT = re.compile(rf"b={_NUMBER}\({_NUMBER},{_NUMBER},{_NUMBER}\)")


def canon_direction(facts: Facts) -> tuple[float, ...]:
    """Return the gradient in phase, frequency and slice axes; empty if there is none."""
    found = _COMMENT.search(facts.text("ImageComments"))
    return tuple(float(part) for part in found.groups()[1:]) if found is not None else ()


def canon_b_value(facts: Facts) -> float | None:
    """Return the b-value in s/mm2 out of Image Comments; None if there is none."""
    found = _COMMENT.search(facts.text("ImageComments"))
    return float(found[1]) if found is not None else None
