from pydicom.uid import UID, UID_dictionary

from imgconv.standard.transfer_syntaxes import BY_UID, TRANSFER_SYNTAXES, find_transfer_syntax


def test_table_agrees_with_another_dictionary():
    for uid, (name, kind, _, retired, _) in UID_dictionary.items():
        if kind != "Transfer Syntax":
            continue
        syntax = BY_UID[uid]
        assert syntax.name == name
        assert syntax.retired == bool(retired)
        if syntax.family and syntax.family != "video" and "Papyrus" not in name:
            other = UID(uid)
            assert syntax.explicit_vr != other.is_implicit_VR
            assert syntax.little_endian == other.is_little_endian
            assert syntax.deflated == other.is_deflated
            assert syntax.encapsulated == other.is_encapsulated


def test_names_are_unique_and_found_in_any_case():
    names = [name for syntax in TRANSFER_SYNTAXES for name in syntax.aliases]
    assert len(names) == len(set(names))
    assert find_transfer_syntax("JPEG-LS").uid == "1.2.840.10008.1.2.4.80"
    assert find_transfer_syntax("1.2.840.10008.1.2").aliases[0] == "implicit"
    assert find_transfer_syntax("jpeg-3000") is None
