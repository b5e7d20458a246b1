"""What a shell may offer for the value of an option.

Called only while a word is being completed; what is offered is what the
library knows, plug-ins included.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["formats", "objects", "profiles", "transfer_syntaxes"]


def formats(incomplete: str) -> list[str]:
    """Offer the formats that can be written."""
    from imgconv import registry

    return _matching((spec.name for spec in registry.formats if spec.write), incomplete)


def objects(incomplete: str) -> list[str]:
    """Offer the DICOM objects that can be made."""
    from imgconv.dicom.sops._table import OBJECTS

    return _matching((spec.name for spec in OBJECTS), incomplete)


def transfer_syntaxes(incomplete: str) -> list[str]:
    """Offer the transfer syntaxes by their first names."""
    from imgconv.standard.transfer_syntaxes import TRANSFER_SYNTAXES

    names = (syntax.aliases[0] for syntax in TRANSFER_SYNTAXES if syntax.aliases)
    return _matching(names, incomplete)


def profiles(incomplete: str) -> list[str]:
    """Offer the profiles that are installed."""
    from imgconv import registry

    return _matching((spec.name for spec in registry.profiles), incomplete)


def _matching(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
