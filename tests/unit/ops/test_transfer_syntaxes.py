from pydicom.uid import UID_dictionary

from imgconv.ops.transfer_syntaxes import list_transfer_syntaxes


def test_every_transfer_syntax_of_the_standard_is_listed():
    known = {uid for uid, entry in UID_dictionary.items() if entry[1] == "Transfer Syntax"}
    assert known <= {entry.syntax.uid for entry in list_transfer_syntaxes()}


def test_entries_say_what_can_be_done():
    entries = {entry.syntax.uid: entry for entry in list_transfer_syntaxes()}
    video = entries["1.2.840.10008.1.2.4.102"]
    assert (video.kind, video.decoders, video.encoders) == ("video", (), ())
    jpeg_ls = entries["1.2.840.10008.1.2.4.80"].to_json()
    assert jpeg_ls["names"][0] == "jpeg-ls"
    assert jpeg_ls["encoders"] == ["imagecodecs"]
    assert jpeg_ls["decoders"] == ["imagecodecs", "pylibjpeg"]
