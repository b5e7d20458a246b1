from imgconv.standard.sop_classes import find_name, find_uid, is_retired


def test_names_and_uids():
    uid = find_uid("CTImageStorage")
    assert uid == "1.2.840.10008.5.1.4.1.1.2"
    assert find_name(uid) == "CT Image Storage"
    assert find_uid("Nothing") is None
    assert not is_retired(uid)
    assert is_retired("1.2.840.10008.5.1.4.1.1.6")
