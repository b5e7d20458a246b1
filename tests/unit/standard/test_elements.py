from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from imgconv.standard.elements import find_keyword, find_tag, find_vr


def test_tables_agree_with_pydicom():
    for keyword in (
        "PatientName",
        "PixelSpacing",
        "SmallestImagePixelValue",
        "FrameVOILUTSequence",
    ):
        tag = tag_for_keyword(keyword)
        assert find_tag(keyword) == tag
        assert find_keyword(tag) == keyword_for_tag(tag)
        assert find_vr(tag) == dictionary_VR(tag)


def test_unknown_gives_none():
    assert find_tag("Nothing") is None
    assert find_keyword(0x00190010) is None
    assert find_vr(0x00190010) is None
