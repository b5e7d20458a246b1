import json

from imgconv.cli import main


def test_transfer_syntaxes_lists_names_and_libraries(capsys):
    assert main(["transfer-syntaxes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("jpeg-ls " in line and "imagecodecs, pylibjpeg" in line for line in lines)
    assert any("1.2.840.10008.1.2.4.102 " in line and "video" in line for line in lines)


def test_transfer_syntaxes_json_holds_all(capsys):
    assert main(["transfer-syntaxes", "--json", "--able"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert all(entry["decoders"] for entry in entries)
