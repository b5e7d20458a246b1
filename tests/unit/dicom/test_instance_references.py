from io import BytesIO

from pydicom import Dataset, dcmread
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence

from imgconv.dicom.instance_references import with_instance
from imgconv.dicom.reencode import format_element

SLIDE, CAPTURE = "1.2.840.10008.5.1.4.1.1.77.1.6", "1.2.840.10008.5.1.4.1.1.7"
REFERENCE = format_element(0x00081150, "UI", SLIDE.encode()) + format_element(
    0x00081155, "UI", b"1.2.9"
)
META = bytes(128) + b"DICM" + format_element(0x00020010, "UI", b"1.2.840.10008.1.2.1")


class _Raw:
    def __init__(self, **values):
        self._values = {int(tag[1:], 16): value for tag, value in values.items()}

    def raw(self, tag):
        return self._values.get(tag)


def _series(changes):
    """Read the change by another implementation: series UID -> instances."""
    data_set = dcmread(BytesIO(META + changes[0x00081115]))
    return {
        item.SeriesInstanceUID: [
            r.ReferencedSOPInstanceUID for r in item.ReferencedInstanceSequence
        ]
        for item in data_set.ReferencedSeriesSequence
    }


def _listed(*series, undefined=False):
    """Return the value of a sequence that lists one instance of each series."""
    items = []
    for uid in series:
        item, reference = Dataset(), Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = SLIDE, f"{uid}.1"
        item.ReferencedInstanceSequence = Sequence([reference])
        item["ReferencedInstanceSequence"].is_undefined_length = undefined
        item.SeriesInstanceUID = uid
        items.append(item)
    holder = Dataset()
    holder.ReferencedSeriesSequence = Sequence(items)
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, holder)
    return stream.getvalue()[12:]


def test_with_instance_where_no_list_is_wanted_changes_nothing():
    assert with_instance(_Raw(x00080016=CAPTURE.encode()), REFERENCE) == {}


def test_with_instance_begins_the_list_that_the_iod_demands():
    changes = with_instance(_Raw(x00080016=SLIDE.encode(), x0020000E=b"1.5\0"), REFERENCE)
    assert _series(changes) == {"1.5": ["1.2.9"]}


def test_with_instance_joins_the_item_of_its_series():
    for undefined in (False, True):
        had = _listed("1.4", "1.5", undefined=undefined)
        changes = with_instance(_Raw(x00081115=had, x0020000E=b"1.5"), REFERENCE)
        assert _series(changes) == {"1.4": ["1.4.1"], "1.5": ["1.5.1", "1.2.9"]}


def test_with_instance_of_a_series_that_is_not_listed_adds_an_item():
    changes = with_instance(_Raw(x00081115=_listed("1.4"), x0020000E=b"1.5"), REFERENCE)
    assert _series(changes) == {"1.4": ["1.4.1"], "1.5": ["1.2.9"]}
