"""What a conversion cannot carry, as typed values known before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from imgconv.errors import LossRefused
from imgconv.records import record

__all__ = ["Loss", "require_allowed"]


@record
class Loss:
    """One thing that the target cannot hold.

    Parameters
    ----------
    name
        Kebab-case, reads well after "allow": ``uneven-slice-spacing``.
    message
        What is lost, for a person, without identifying values.
    harmful
        Whether voxels, positions, orientation, units, slices or patient would differ:
        such a loss is refused unless it is allowed by name. Others are
        reported only, unless the run is strict.
    """

    name: str
    message: str
    harmful: bool


def require_allowed(
    losses: Iterable[Loss], *, allow: frozenset[str] = frozenset(), strict: bool = False
) -> None:
    """Raise unless every loss is harmless or allowed by name (``all`` allows each).

    Raises
    ------
    LossRefused
        Names the first refused loss; the hint says how to allow them all.
    """
    refused = [
        loss
        for loss in losses
        if (loss.harmful or strict) and loss.name not in allow and "all" not in allow
    ]
    if refused:
        names = ",".join(sorted({loss.name for loss in refused}))
        raise LossRefused(refused[0].message, hint=f"accept it by `--allow {names}`")
