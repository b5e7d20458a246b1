"""Attributes of the classic MR image that certain values of another one bring with them.

Source
------
PS3.3 C.8.3.1 (types 2C); PS3.5 7.4.4: absent if the condition does not hold
"""

from __future__ import annotations

__all__ = ["MR_PROMPTED"]

# (keyword, keyword of the condition, values of which one is needed)
MR_PROMPTED = (
    ("InversionTime", "ScanningSequence", frozenset({"IR"})),
    ("TriggerTime", "ScanOptions", frozenset({"CG", "PPG"})),
)
