"""Names of outputs: a template over DICOM keywords, made safe for every file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from imgconv.errors import UsageError
from imgconv.records import record

__all__ = ["DEFAULT_TEMPLATE", "NameTaker", "NameTemplate", "safe_component"]

DEFAULT_TEMPLATE = "{SeriesNumber:03}_{SeriesDescription}"

# Placeholders of dcm2niix -> ours, for people who switch. `%y` and `%q` have no counterpart.
_PERCENT = {
    "a": "ReceiveCoilName",
    "b": "File",
    "c": "ImageComments",
    "d": "SeriesDescription",
    "e": "EchoNumbers",
    "f": "Folder",
    "g": "AccessionNumber",
    "i": "PatientID",
    "j": "SeriesInstanceUID",
    "k": "StudyInstanceUID",
    "l": "PerformedProcedureStepDescription",
    "m": "Manufacturer",
    "n": "PatientName",
    "o": "SOPInstanceUID",
    "p": "ProtocolName",
    "r": "InstanceNumber",
    "s": "SeriesNumber",
    "t": "StudyDateTime",
    "u": "AcquisitionNumber",
    "v": "ManufacturerModelName",
    "x": "StudyID",
    "z": "SequenceName",
}
# What is no DICOM keyword: given by the caller's look-up.
SPECIAL = frozenset({"File", "Folder", "StudyDateTime"})

_FIELD = re.compile(r"\{([A-Za-z]\w*)(?::(0?\d{0,2}))?\}|%(%|\d?[a-z])")
# Device names of Windows, which it finds whatever extension follows.
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"} | {f"{name}{n}" for name in ("com", "lpt") for n in range(10)}
)
_MAX_BYTES = 120  # of a component: leaves room for suffixes below the usual 255

Lookup = Callable[[str], Any]


@record
class NameTemplate:
    """A parsed template.

    ``{Keyword}`` or ``{Keyword:03}`` stands for a DICOM attribute, padded with
    zeros or blanks; `File` and `Folder` are the first input's name and its
    folder's; ``/`` makes folders. ``%s`` and the like are those of dcm2niix.

    Raises
    ------
    UsageError
        A placeholder is unknown, or the template leads out of the output folder.
    """

    text: str = DEFAULT_TEMPLATE

    def __post_init__(self) -> None:
        rest = _FIELD.sub("", self.text)
        if "{" in rest or "}" in rest or "%" in rest:
            raise UsageError(
                f"the name template `{self.text}` has an unreadable placeholder",
                hint="write `{SeriesNumber:03}` or `%s`; `%%` for a percent sign",
            )
        if self.text.startswith("/") or ".." in self.text.split("/") or "\\" in self.text:
            raise UsageError(f"the name template `{self.text}` leads out of the output folder")
        for keyword in self.keywords:
            _require_known(keyword)

    @property
    def keywords(self) -> tuple[str, ...]:
        """The attributes that it names."""
        return tuple(
            _keyword(match) for match in _FIELD.finditer(self.text) if match.group(3) != "%"
        )

    @staticmethod
    def literal(name: str) -> str:
        """Return the template that gives `name` itself."""
        return re.sub(r"[{}]", "_", name).replace("%", "%%")

    def fill(self, lookup: Lookup) -> str:
        """Return a safe relative path without an extension.

        Parameters
        ----------
        lookup
            Returns the value of a keyword, None if there is none.
        """
        parts = [
            _tidy(_FIELD.sub(lambda match: _value(match, lookup), part))
            for part in self.text.split("/")
        ]
        return "/".join(part for part in parts if part) or "image"


def _keyword(match: re.Match[str]) -> str:
    if match.group(1):
        return match.group(1)
    letter = match.group(3)[-1]
    if letter not in _PERCENT:
        raise UsageError(
            f"the placeholder `%{letter}` is unknown; known: {', '.join(sorted(_PERCENT))}"
        )
    return _PERCENT[letter]


def _require_known(keyword: str) -> None:
    from imgconv.standard.elements import find_tag

    if keyword not in SPECIAL and find_tag(keyword) is None:
        raise UsageError(f"`{keyword}` in the name template is no DICOM keyword")


def _value(match: re.Match[str], lookup: Lookup) -> str:
    if match.group(3) == "%":
        return "_"
    value = lookup(_keyword(match))
    if isinstance(value, tuple | list):
        value = "_".join(str(one) for one in value)
    width = match.group(2) or (match.group(3) or "")[:-1]
    if value is None or value == "":
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if width and re.fullmatch(r"\d+", text):
        fill = "0" if width.startswith("0") or match.group(3) else " "
        text = text.rjust(int(width), fill)
    return safe_component(text)


def safe_component(text: str) -> str:
    """Return `text` with only letters, digits, and ``. _ -`` left, spaces and others as ``_``."""
    plain = unicodedata.normalize("NFC", text)
    return re.sub(r"_+", "_", re.sub(r"[^\w.\-+=]", "_", plain)).strip("_")


def _tidy(part: str) -> str:
    """Make one component of a path safe: no dot in front, no device name, not too long."""
    clean = re.sub(r"_+", "_", re.sub(r"[^\w.\-+=@,]", "_", part)).strip("_. ")
    clean = clean.lstrip("-")
    if clean.split(".")[0].lower() in _RESERVED:
        clean = f"_{clean}"
    while len(clean.encode()) > _MAX_BYTES:
        clean = clean[:-1]
    return clean


class NameTaker:
    """Gives each name once: further takers get ``_2``, ``_3`` and so on, without an end."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        """Return `name`, or `name` with the first free number behind it."""
        # Names that differ only in case are the same file on some systems.
        key = name.casefold()
        number = self._next.get(key, 1)
        candidate = name if number == 1 else f"{name}_{number}"
        while candidate.casefold() in self._taken:
            number += 1
            candidate = f"{name}_{number}"
        self._next[key] = number + 1
        self._taken.add(candidate.casefold())
        return candidate
