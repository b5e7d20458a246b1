from imgconv.dicom import seg_private


def test_private_block_is_in_an_odd_group_and_its_elements_differ():
    assert seg_private.GROUP % 2 == 1
    assert len(seg_private.CREATOR) <= 64
    elements = {seg_private.LABEL_NUMBER, seg_private.LAYER, seg_private.SLICE_ORIGINS}
    assert len(elements) == 3
    assert all(0 < element < 0x100 for element in elements)
