from imgconv.cli import main


def test_formats_lists_what_each_can_hold(capsys):
    code = main(["formats"])
    out = capsys.readouterr().out
    assert code == 0
    row = next(line for line in out.splitlines() if line.startswith("nifti "))
    assert row.split()[1:3] == ["rw", "4D"]
    assert "gradients" in row


def test_formats_tells_of_a_plug_in_that_cannot_be_loaded(capsys, monkeypatch):
    monkeypatch.setattr("imgconv.registry.formats.problems", ["plug-in `x` cannot be loaded"])
    assert main(["formats", "--json"]) == 0
    assert capsys.readouterr().err == "warning: plug-in `x` cannot be loaded\n"


def test_formats_matrix_has_the_losses_of_each_pair(capsys):
    assert main(["formats", "--matrix"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    bmp = next(row for row in rows if row.startswith("bmp "))
    cells = dict(zip(head.split(), bmp.split(), strict=True))
    assert cells["nifti"] == "."
    assert cells["npy"] == "c"
