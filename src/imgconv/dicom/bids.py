"""Derive the fields of a BIDS sidecar from the headers of one image.

Names and units are those of the BIDS specification (seconds, degrees, tesla);
fields that BIDS does not define keep the names under which dcm2niix made them
known. A field is there only if the header says so: nothing is guessed from
descriptions. ``docs/formats/bids.md`` lists every field with its source.

Source
------
BIDS specification 1.10; PS3.3 C.8.3.1 (MR image), C.8.13 (enhanced MR),
C.8.9 (PET), C.8.2 (CT)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from imgconv.dicom.bids_mr import MR_SECTIONS
from imgconv.dicom.bids_tables import COMMON_ROWS, CT_ROWS, MR_ROWS, Row, read_rows, tidy
from imgconv.dicom.bids_view import View
from imgconv.dicom.pet_fields import pet_fields
from imgconv.dicom.vendors.facts import Acquisition, Facts
from imgconv.dicom.vendors.identity import Vendor
from imgconv.dicom.vendors.timing import seconds_of_day
from imgconv.dicom.vendors.uih import uih_start

__all__ = ["bids_fields"]

_NO_DEPARTMENT = "None"


def bids_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the sidecar of an image: BIDS field name -> JSON value.

    Parameters
    ----------
    acquisition
        The frames in the order of the array as DICOM stores it: direction
        letters and the order of ``SliceTiming`` refer to that array.

    Returns
    -------
    dict
        Strings, numbers, booleans and lists of them. Nothing that names the
        patient or dates the study.
    """
    view = View(acquisition)
    fields: dict[str, Any] = {}
    sections = (*_SECTIONS, *(MR_SECTIONS if view.is_mr else ()))
    for section in sections:
        fields |= section(view)
    return {name: tidy(value) for name, value in fields.items() if value not in (None, "", [])}


def _common(view: View) -> dict[str, Any]:
    facts = view.facts
    fields = read_rows(facts, COMMON_ROWS)
    if view.vendor is not Vendor.OTHER:
        fields["Manufacturer"] = str(view.vendor)
    # dcm2niix's habit: the RECOMMENDED key is there to be filled in.
    fields.setdefault("InstitutionalDepartmentName", _NO_DEPARTMENT)
    types = list(facts.texts("ImageType"))
    if types and view.component and view.component not in types:
        types.append(str(view.component))
    fields["ImageType"] = types
    fields.setdefault("Modality", view.modality)
    if types[:1] == ["DERIVED"]:
        fields["RawImage"] = False
    text = facts.text("AcquisitionDateTime", "AcquisitionTime")
    if not facts.groups:
        text = facts.text("AcquisitionTime", "AcquisitionDateTime")
    seconds = seconds_of_day(text)
    if seconds is None and view.vendor is Vendor.UIH:
        seconds = uih_start(facts)
    fields["AcquisitionTime"] = _clock(seconds)
    codes = facts.header.items("DeidentificationMethodCodeSequence")
    fields["DeidentificationMethod"] = [
        *facts.texts("DeidentificationMethod"),
        *(text for code in codes if (text := Facts(code).text("CodeMeaning"))),
    ]
    orientation = facts.numbers("ImageOrientationPatient")
    if len(orientation) == 6:
        fields["ImageOrientationPatientDICOM"] = list(orientation)
    return fields


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds * 1e6), 60_000_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1_000_000:02d}.{rest % 1_000_000:06d}"


def _modality_rows(view: View) -> dict[str, Any]:
    rows: dict[str, tuple[Row, ...]] = {"MR": MR_ROWS, "CT": CT_ROWS}
    return read_rows(view.facts, rows.get(view.modality, ()))


def _pet(view: View) -> dict[str, Any]:
    return pet_fields(view.acquisition) if view.modality == "PT" else {}


_SECTIONS: tuple[Callable[[View], dict[str, Any]], ...] = (_common, _modality_rows, _pet)
