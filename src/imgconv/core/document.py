"""A document that travels beside images: a report as PDF."""

from __future__ import annotations

from dataclasses import field

from imgconv.core.image import Source
from imgconv.core.loss import Loss
from imgconv.core.metadata import Metadata
from imgconv.records import record

__all__ = ["Document"]


@record(eq=False)
class Document:
    """The bytes of a document, and what is known about it.

    Parameters
    ----------
    data
        The whole file, without padding.
    mime_type
        ``application/pdf``.
    metadata, sources, name, losses
        As of `core.image.Image`.
    """

    data: bytes
    mime_type: str = "application/pdf"
    metadata: Metadata = field(default_factory=Metadata)
    sources: tuple[Source, ...] = ()
    name: str = ""
    losses: tuple[Loss, ...] = ()
