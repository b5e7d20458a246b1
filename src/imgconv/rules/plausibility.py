"""Family V: values that are well formed and cannot be true (V025).

Source
------
PS3.3 C.7.1.1, C.7.2.1 and C.7.2.2 (patient, study), C.7.6.7 and C.8 (acquisition)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from imgconv.dicom.elements import Item
from imgconv.rules.instance import Hit, Instance, name_tag

__all__ = ["check_plausibility"]

_BIRTH, _STUDY, _AGE = 0x00100030, 0x00080020, 0x00101010
_DATES = (_STUDY, 0x00080021, 0x00080022, 0x00080023)
# Patient's Size and Weight, KVP, Repetition, Echo and Inversion Time, Number of Averages, Magnetic
# Field Strength, Echo Train Length, Exposure Time, X-Ray Tube Current, Exposure, Frame Time.
_NOT_NEGATIVE = (
    *(0x00101020, 0x00101030, 0x00180060, 0x00180080, 0x00180081, 0x00180082, 0x00180083),
    *(0x00180087, 0x00180091, 0x00181150, 0x00181151, 0x00181152, 0x00181063),
)
_EARLIEST = 1896  # the first year with X-rays
_DATE = re.compile(r"\d{8}")
_YEARS = re.compile(r"(\d{3})Y")


def check_plausibility(instance: Instance) -> Iterator[Hit]:
    """Look for dates, ages and quantities that contradict each other or nature."""
    dataset = instance.dataset
    for tag in _NOT_NEGATIVE:
        element = dataset.elements.get(tag)
        if element is not None and any(number < 0 for number in dataset.numbers(tag)):
            yield Hit("V025", f"{name_tag(tag)} is negative", element.path)
    this_year = datetime.now(UTC).year
    for tag in _DATES:
        date = dataset.text(tag) if tag in dataset.elements else ""
        if _DATE.fullmatch(date) and not _EARLIEST <= int(date[:4]) <= this_year + 1:
            message = f"{name_tag(tag)} is not a date of an examination"
            yield Hit("V025", message, dataset.path_to(tag), date)
    yield from _check_birth(dataset)


def _check_birth(dataset: Item) -> Iterator[Hit]:
    birth, study = dataset.text(_BIRTH), dataset.text(_STUDY)
    if not (_DATE.fullmatch(birth) and _DATE.fullmatch(study)):
        return
    years = (int(study) - int(birth)) // 10000
    if years < 0:
        yield Hit("V025", "PatientBirthDate is after StudyDate", dataset.path_to(_BIRTH), birth)
        return
    age = _YEARS.fullmatch(dataset.text(_AGE))
    # Scanners round, take the date of another day, or count completed years; de-identifiers
    # change one of the two.
    if age is not None and abs(int(age[1]) - years) > 1:
        message = "PatientAge is not that of PatientBirthDate and StudyDate"
        yield Hit("V025", message, dataset.path_to(_AGE), age[0], "info")
