from imgconv.ops.inputs import count_files, gather


def test_count_files_agrees_with_gather(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for name in ("a/1", "a/b/2", "3", "out/4", ".imgconv-x.part"):
        (tmp_path / name).write_bytes(b"x")
    for inputs in ([tmp_path], [tmp_path / "3", tmp_path / "a"], [str(tmp_path / "a" / "*")]):
        found = list(gather(inputs, tmp_path / "staging", exclude=tmp_path / "out"))
        assert count_files(inputs, exclude=tmp_path / "out") == len(found)
