"""List every transfer syntax with the libraries that decode and encode it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imgconv.registry import codecs
from imgconv.standard.transfer_syntaxes import (
    JPEG_XL_RECOMPRESSION,
    TRANSFER_SYNTAXES,
    TransferSyntax,
)

__all__ = ["SyntaxEntry", "list_transfer_syntaxes"]


@dataclass(frozen=True, slots=True)
class SyntaxEntry:
    """A transfer syntax, and the libraries in order of preference."""

    syntax: TransferSyntax
    decoders: tuple[str, ...]
    encoders: tuple[str, ...]

    @property
    def kind(self) -> str:
        """Whether it is lossless, lossy, either, uncompressed; or holds no still images."""
        if not self.syntax.family:
            return "no file"
        if self.syntax.family == "video":
            return "video"
        if self.syntax.lossless and self.syntax.lossy:
            return "either"
        if self.syntax.lossless:
            return "lossless"
        return "lossy" if self.syntax.lossy else "uncompressed"

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {
            "uid": self.syntax.uid,
            "title": self.syntax.name,
            "names": list(self.syntax.aliases),
            "family": self.syntax.family,
            "kind": self.kind,
            "retired": self.syntax.retired,
            "decoders": list(self.decoders),
            "encoders": list(self.encoders),
        }


def list_transfer_syntaxes() -> tuple[SyntaxEntry, ...]:
    """Return all transfer syntaxes of PS3.6 in the order of its table, plug-ins asked as well."""
    specs = tuple(codecs)
    return tuple(
        SyntaxEntry(
            syntax,
            tuple(spec.library for spec in specs if syntax.uid in spec.decodes),
            ("imagecodecs",)
            if syntax.uid == JPEG_XL_RECOMPRESSION
            else tuple(spec.library for spec in specs if syntax.uid in spec.encodes),
        )
        for syntax in TRANSFER_SYNTAXES
    )
