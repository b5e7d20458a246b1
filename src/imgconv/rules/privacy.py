"""Family D: what a de-identified object must not hold any more.

No program can know whether a value is the patient's or a dummy. These rules
report values that do not look like a dummy, at every depth, and take into
account which options the object says were applied.

Source
------
PS3.15 annex E: table E.1-1, E.3 (options); PS3.16 CID 7050 (codes of the options)
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from imgconv.dicom.elements import Element
from imgconv.rules.instance import Hit, Instance, name_tag
from imgconv.standard.confidentiality import OPTION_CODES, find_action

__all__ = [
    "TEXT_KINDS",
    "check_attributes",
    "check_file",
    "check_markers",
    "check_text",
    "declared_options",
    "find_left",
    "find_private",
    "find_text",
]

_METHOD_CODES, _METHOD = 0x00120064, 0x00120063
_REMOVED, _BURNED_IN, _FEATURES, _DATES_MODIFIED = 0x00120062, 0x00280301, 0x00280302, 0x00280303
_PATIENT_ID, _PATIENT_NAME = 0x00100020, 0x00100010
_TEMPORAL = {"DA", "TM", "DT"}
_TEXT = {"LO", "LT", "SH", "ST", "UC", "UT"}
# PS3.15 E.1.1: these describe the de-identification itself.
_MARKERS = range(0x00120062, 0x00120065)

# What de-identifiers put in place of a value.
_DUMMY = re.compile(
    r"(anon|de-?id|removed?|none|no[_ -]?name|unknown|dummy|redacted|pseudo|subj|sub-|case|"
    r"patient|phantom|test|n/?a$|not |private|blank|empty|id[_ -]?\d|[x*?0_.^ -]+$)",
    re.IGNORECASE,
)
_DUMMY_DATE = re.compile(r"\d{4}0101|00000000|$")
_DUMMY_FORMS = {
    "DA": _DUMMY_DATE,
    "DT": _DUMMY_DATE,
    "TM": re.compile(r"[0.]*$"),
    "AS": re.compile(r"000Y|$"),
}
# Roots under which scanners and archives make UIDs: GE, Siemens, Philips, Toshiba, Hitachi,
# Agfa, Fuji, Sectra, Varian, Elekta, Hologic, United Imaging.
_VENDOR_ROOTS = (
    *("1.2.840.113619.", "1.3.12.2.1107.", "1.3.46.670589.", "1.2.392.200036.", "1.2.392.200046."),
    *("1.3.51.", "1.2.752.24.", "1.2.246.352.", "1.3.46.423632.", "1.2.840.113681."),
    *("1.2.156.112605.", "1.2.840.113704.", "1.2.124.113532."),
)

_WORDS = re.compile(rb"[A-Za-z0-9 ^,.-]{8}")  # by chance once in 300 preambles of noise
# A date in the name of a file or folder; the parts of UIDs are none.
_NAMED_DATE = re.compile(r"(?<![\d.])(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?![\d])")

# Kind of identifying text -> what it is called in messages.
TEXT_KINDS = {
    "email": "an e-mail address",
    "phone": "a telephone number",
    "ssn": "a social security number",
    "title": "a name with a title",
    "record-number": "a record number",
    "birth-date": "a date of birth",
    "date": "a date",
    "name": "the patient's name",
}
_FORMS = {
    "email": re.compile(r"[\w.+-]+@[\w-]+\.[a-z]{2,}", re.IGNORECASE),
    "phone": re.compile(
        r"(?<![\d.])(\+?\d{1,3}[ -.])?(\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}(?![\d.])"
        r"|\+\d{1,3}[ -]?\d[\d -]{6,}"
    ),
    "ssn": re.compile(r"(?<![\d.-])\d{3}-\d{2}-\d{4}(?![\d.-])"),
    "title": re.compile(
        r"\b(Mrs?|Ms|Miss|Dr|Prof|Herr|Frau|Mme|Sra?|Patient)\b\.?:? +[A-Z][\w'-]+"
    ),
    "record-number": re.compile(
        r"\b(MRN|medical record|accession|SSN|NHS|insurance)\b[ #:.no]*\d{3,}", re.IGNORECASE
    ),
    "birth-date": re.compile(
        r"\b(DOB|born|birth|geb)\b\D{0,12}\d{1,4}[-./]\d{1,2}[-./]\d{1,4}", re.IGNORECASE
    ),
    "date": re.compile(
        r"(?<![\d.])((19|20)\d\d[-/](0?[1-9]|1[0-2])[-/]([0-2]?\d|3[01])"
        r"|([0-2]?\d|3[01])[-/.]([0-2]?\d|3[01])[-/.](19|20)\d\d)(?![\d.])"
    ),
}


def declared_options(instance: Instance) -> frozenset[str]:
    """Return the options of PS3.15 E.3 that the object says were applied."""
    found = instance.shared.get("deidentification")
    if not isinstance(found, frozenset):
        codes = (item.text(0x00080100) for item in instance.dataset.items_of(_METHOD_CODES))
        found = frozenset(OPTION_CODES[code] for code in codes if code in OPTION_CODES)
        instance.shared["deidentification"] = found
    return found


def check_attributes(instance: Instance) -> Iterator[Hit]:
    """Check every attribute of Table E.1-1, at every depth (D001 to D004, D008)."""
    options = declared_options(instance)
    if "safe_private" not in options:
        yield from find_private(instance)
    yield from find_left(instance, options)


def find_private(instance: Instance) -> Iterator[Hit]:
    """Iterate over the private elements that have a value (D002)."""
    for element in instance.elements:
        if element.tag >> 16 & 1 and element.tag & 0xFFFF > 0xFF and not element.is_empty:
            yield Hit("D002", "a private element is left", element.path)


def find_left(instance: Instance, options: frozenset[str]) -> Iterator[Hit]:
    """Iterate over what the basic profile with these options removes and is left.

    D001, D003, D004, D008; private elements are no matter of the table.
    """
    patient_id = instance.dataset.text(_PATIENT_ID)
    for element in instance.elements:
        tag = element.tag
        if tag >> 16 & 1 or tag in _MARKERS or tag & 0xFFFF == 0:
            continue
        action = find_action(tag)
        if action is None:
            if (
                element.held_vr == "PN"
                and not element.is_empty
                and not _is_pseudonym(element, patient_id)
            ):
                yield _left(element)
            continue
        kept = [name for name in options if name in action.options]
        if any(action.options[name] in ("K", "C") for name in kept):
            continue
        if action.basic == "U" or "U" in action.basic.split("/"):
            yield from _check_uid(element)
        elif action.basic not in ("K", "C") and not _is_harmless(element, patient_id):
            yield _left(element)


def _left(element: Element) -> Hit:
    name = name_tag(element.tag)
    value = "" if element.items is not None else _show(element)
    if element.held_vr in _TEMPORAL:
        return Hit("D004", f"{name} has a value: a date or time is left", element.path, value)
    if element.item.depth:
        return Hit("D008", f"{name} has a value inside a sequence", element.path, value)
    return Hit("D001", f"{name} has a value that is no dummy", element.path, value)


def _show(element: Element) -> str:
    return "\\".join(str(value) for value in element.values())[:80]


def _check_uid(element: Element) -> Iterator[Hit]:
    if element.held_vr != "UI":
        return
    for uid in element.values():
        if str(uid).startswith(_VENDOR_ROOTS):
            message = f"{name_tag(element.tag)} was made by equipment"
            yield Hit("D003", message, element.path, str(uid))
            return


def _is_harmless(element: Element, patient_id: str) -> bool:
    """Whether the element is empty, or holds what looks like a dummy."""
    if element.is_empty or element.tag == _PATIENT_ID:
        return True  # a new identifier cannot be told from an old one
    if element.items is not None:
        return all(e.is_empty for item in element.items for e in item.walk())
    if element.held_vr == "PN":
        return _is_pseudonym(element, patient_id)
    values = [str(value) for value in element.values()]
    if element.held_vr in _DUMMY_FORMS:
        form = _DUMMY_FORMS[element.held_vr]
        return all(form.match(value) for value in values)
    if element.held_vr in _TEXT or element.held_vr in ("AE", "CS"):
        return all(_DUMMY.match(value) or value == patient_id for value in values)
    return False


def _is_pseudonym(element: Element, patient_id: str) -> bool:
    for value in element.values():
        name = str(value).strip("^= ")
        if not name or name == patient_id or _DUMMY.match(name):
            continue
        if "^" not in name and any(c.isdigit() for c in name):
            continue
        return False
    return True


def check_text(instance: Instance) -> Iterator[Hit]:
    """Look for names, numbers and addresses in free text (D007)."""
    yield from find_text(instance, TEXT_KINDS.keys())


def find_text(instance: Instance, kinds: Collection[str]) -> Iterator[Hit]:
    """Look for some kinds of identifying text, as `TEXT_KINDS` names them (D007)."""
    names = _known_names(instance) if "name" in kinds else frozenset()
    forms = [(TEXT_KINDS[kind], _FORMS[kind]) for kind in _FORMS if kind in kinds]
    for element in instance.elements:
        if element.held_vr not in _TEXT or element.is_empty or element.tag in _MARKERS:
            continue
        text = " ".join(str(value) for value in element.values())[:10000]
        found = next((words for words, form in forms if form.search(text)), "")
        if not found and names and names & set(re.findall(r"\w+", text.lower())):
            found = TEXT_KINDS["name"]
        if found:
            message = f"{name_tag(element.tag)} seems to hold {found}"
            yield Hit("D007", message, element.path, text[:80])


def _known_names(instance: Instance) -> frozenset[str]:
    """Return the words of the patient's name, unless it is a pseudonym."""
    element = instance.dataset.get(_PATIENT_NAME)
    if element is None or _is_pseudonym(element, instance.dataset.text(_PATIENT_ID)):
        return frozenset()
    words = re.findall(r"\w+", " ".join(str(value) for value in element.values()).lower())
    return frozenset(word for word in words if len(word) > 2)


def check_markers(instance: Instance) -> Iterator[Hit]:
    """Check that the object says that, and how, it was de-identified (D005, D006)."""
    dataset = instance.dataset
    if dataset.text(_REMOVED) != "YES":
        yield Hit("D006", "PatientIdentityRemoved is not YES", "(0012,0062)")
    elif not dataset.text(_METHOD) and not dataset.items_of(_METHOD_CODES):
        message = "neither DeidentificationMethod nor its codes say what was done"
        yield Hit("D006", message, "(0012,0063)")
    burned_in = dataset.text(_BURNED_IN)
    if burned_in == "YES":
        yield Hit("D005", "BurnedInAnnotation is YES", "(0028,0301)")
    elif not burned_in and 0x7FE00010 in dataset.elements:
        message = "BurnedInAnnotation does not say that the pixels are free of text"
        yield Hit("D005", message, "(0028,0301)", severity="warning")
    if dataset.text(_FEATURES) == "YES":
        message = "RecognizableVisualFeatures is YES"
        yield Hit("D005", message, "(0028,0302)", severity="warning")
    options = declared_options(instance)
    modified = dataset.text(_DATES_MODIFIED)
    if "modified_dates" in options and modified != "MODIFIED":
        message = "LongitudinalTemporalInformationModified does not fit the option for dates"
        yield Hit("D006", message, "(0028,0303)", severity="warning")


def check_file(instance: Instance) -> Iterator[Hit]:
    """Look at the preamble, overlays, curves, icons and documents (D009, D010)."""
    preamble = instance.tree.preamble
    if preamble and preamble.strip(b"\0") and preamble[:4] not in (b"II*\0", b"MM\0*"):
        if _WORDS.search(preamble):
            yield Hit("D010", "the preamble holds text", severity="error")
        else:
            yield Hit("D010", "the preamble is not empty")
    options = declared_options(instance)
    yield from _check_names(instance)
    for tag, element in instance.dataset.elements.items():
        group, number = tag >> 16, tag & 0xFFFF
        graphics = (group & 0xFF00 == 0x6000 and number == 0x3000) or group & 0xFF00 == 0x5000
        left = (graphics and "clean_graphics" not in options) or tag in (0x00880200, 0x00420011)
        if left and not element.is_empty and not group & 1:
            yield Hit("D009", f"{name_tag(tag)} is left", element.path)


def _check_names(instance: Instance) -> Iterator[Hit]:
    """Look for dates and the patient's name in the names of the file and its folder."""
    path = instance.tree.path
    names = _known_names(instance)
    for what, text in (("file", path.stem), ("folder", path.parent.name)):
        words = set(re.findall(r"[^\W\d_]+", text.lower()))
        if names & words:
            yield Hit("D010", f"the name of the {what} seems to hold the patient's name")
        elif _NAMED_DATE.search(text):
            yield Hit("D010", f"the name of the {what} holds a date", severity="warning")
