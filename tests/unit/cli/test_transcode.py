import json

import pytest
from tests.unit.dicom.pixel_files import make_file, ramp

from imgconv.cli import main
from imgconv.dicom.header import read_header
from imgconv.exitcodes import ExitCode


@pytest.fixture
def source(tmp_path):
    return make_file(tmp_path / "a.dcm", ramp())


def _transcode(source, tmp_path, *words):
    return main(["transcode", str(source), "-o", str(tmp_path / "out"), *words])


def test_transcode_says_how_many_on_stderr(source, tmp_path, capsys):
    assert _transcode(source, tmp_path, "--to", "jpeg-ls") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("1 transcoded in ")
    assert read_header(tmp_path / "out" / "a.dcm").transfer_syntax_uid.endswith(".4.80")


def test_transcode_says_how_many_were_only_copied(source, tmp_path, capsys):
    assert _transcode(source, tmp_path, "--to", "explicit") == 0
    assert capsys.readouterr().err.rstrip().endswith("; 1 of them copied as they were")


def test_transcode_json_is_a_record_a_file(source, tmp_path, capsys):
    assert _transcode(source, tmp_path, "--to", "rle", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert record["status"] == "done"
    assert record["facts"]["encoder"] == "rle=imagecodecs"


def test_transcode_verbose_is_a_line_a_file(source, tmp_path, capsys):
    assert _transcode(source, tmp_path, "--to", "rle", "-v") == 0
    assert "done: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "jpeg"), "say how much by `--quality`"),
        (("--to", "jpeg", "--quality", "90", "--near", "1"), "more than one quality"),
        (("--to", "jpeg-3000"), "unknown transfer syntax"),
        (("--to", "rle", "--codec", "rle"), "FAMILY=LIBRARY"),
        (("--to", "rle", "--codec", "foo=pylibjpeg"), "unknown family `foo`"),
        (("--to", "rle", "--in-place"), "say either"),
        (("--to", "rle", "--where", "Nonsense"), "unknown attribute"),
        (("--to", "rle", "--where", ""), "--where is empty"),
    ],
)
def test_transcode_wrong_options_are_told_before_any_work(source, tmp_path, capsys, words, message):
    assert _transcode(source, tmp_path, *words) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_transcode_refused_file_has_reason_and_way_out(tmp_path, capsys):
    import numpy as np

    source = make_file(tmp_path / "a.dcm", ramp(np.uint32))
    assert _transcode(source, tmp_path, "--to", "jpeg-ls") == 4
    err = capsys.readouterr().err
    assert "JPEG-LS Lossless Image Compression does not allow `32` Bits Allocated" in err
    assert "hint: choose `--to htj2k`" in err


def test_transcode_dry_run_prints_the_plan(source, tmp_path, capsys):
    assert _transcode(source, tmp_path, "--to", "rle", "--dry-run", "--json") == 0
    out, err = capsys.readouterr()
    (record,) = map(json.loads, out.splitlines())
    assert (record["key"], record["action"]) == ("a.dcm", "transcode")
    assert err == "would: 1 transcode (0.0 MB); nothing was written\n"
    assert not (tmp_path / "out").exists()


def test_transcode_dry_run_for_people_is_a_line_a_file(source, tmp_path, capsys):
    target = tmp_path / "out" / "a.dcm"
    for words, line in (
        (("--to", "rle"), f"would transcode: {source} -> {target}"),
        (
            ("--to", "explicit"),
            f"would copy: {source} -> {target}: it is in Explicit VR Little Endian already",
        ),
    ):
        assert _transcode(source, tmp_path, *words, "--dry-run") == 0
        assert capsys.readouterr().out == f"{line}\n"


def test_transcode_fail_fast_says_that_it_stopped(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    make_file(tmp_path / "in" / "b.dcm", ramp())
    source = make_file(tmp_path / "in" / "a.dcm", ramp())
    source.write_bytes(source.read_bytes()[:-9])
    assert _transcode(tmp_path / "in", tmp_path, "--to", "rle", "--fail-fast") == 4
    assert "stopped at a failure; 0 transcoded, 1 failed" in capsys.readouterr().err


def test_a_folder_without_files_is_not_done(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    words = ["transcode", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--to", "rle"]
    assert main(words) == ExitCode.NONE_DONE
    assert capsys.readouterr().err == "error: there is no file to transcode\n"
    assert main([*words, "--shard", "2/2"]) == ExitCode.DONE  # a part may be empty
