from imgconv.demo import find_series, main


def test_demo_converts_the_series_of_pydicom(capsys, tmp_path):
    assert main([str(tmp_path / "out")]) == 0
    out = capsys.readouterr().out
    assert "$ imgconv convert " in out
    assert (tmp_path / "out" / "005_SmartScore_-_Gated_0.5_sec.nii.gz").is_file()


def test_find_series_names_folders_that_are_there():
    assert all(folder.is_dir() for folder in find_series())
