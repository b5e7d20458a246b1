from imgconv.dicom.lossy import RATIO_PLACEHOLDER, format_ratio, lossy_changes, mark_lossy
from imgconv.dicom.reencode import format_element


class _Raw:
    def __init__(self, **values):
        self._values = {int(tag[1:], 16): value for tag, value in values.items()}

    def raw(self, tag):
        return self._values.get(tag)


def test_format_ratio_fits_what_is_kept_for_it():
    assert len(RATIO_PLACEHOLDER) == 16
    for size in (1, 3, 10**6):
        text = format_ratio(10**12, size)
        assert len(text) == 16
        assert abs(float(text) / (10**12 / size) - 1) < 1e-3


def test_lossy_changes_of_a_first_compression():
    changes = lossy_changes(_Raw(), "jpeg", "done", sop_instance_uid="")
    assert changes[0x00282110] == mark_lossy()[0x00282110]
    assert changes[0x00282114] == format_element(0x00282114, "CS", b"ISO_10918_1")
    assert changes[0x00080008] == format_element(0x00080008, "CS", b"DERIVED\\PRIMARY")
    assert 0x00080018 not in changes
    assert 0x00082112 not in changes


def test_lossy_changes_methods_and_ratios_stay_parallel():
    had = _Raw(x00282114=b"ISO_14495_1")
    changes = lossy_changes(had, "htj2k", "done", sop_instance_uid="1.2")
    assert changes[0x00282112][8:] == b"1\\" + RATIO_PLACEHOLDER
    assert changes[0x00282114][8:].strip() == b"ISO_14495_1\\ISO_15444_15"


def test_lossy_changes_too_long_description_is_left_alone():
    had = _Raw(x00082111=b"x" * 1020)
    assert 0x00082111 not in lossy_changes(had, "jpeg", "done", sop_instance_uid="")
