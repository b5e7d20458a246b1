from pathlib import Path

from imgconv.cli import main
from imgconv.exitcodes import ExitCode

FIXTURES = Path(__file__).parents[3] / "fixtures" / "data"


def run(capsys, *words):
    code = main([str(word) for word in words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_nothing_that_identifies_a_person_is_printed(capsys, tmp_path):
    for words in (
        ["convert", FIXTURES / "ct", FIXTURES / "bad", "-o", tmp_path, "-v"],
        ["convert", FIXTURES / "ct", "-o", tmp_path, "--json"],
        ["inspect", FIXTURES],
        ["inspect", FIXTURES, "--json"],
    ):
        _, out, err = run(capsys, *words)
        for secret in ("Fixture^Canary", "Canary", "CANARY42", "19700102", "20200102"):
            assert secret not in out + err


def test_inspect_shows_the_series_and_on_request_the_patient(capsys):
    code, out, _ = run(capsys, "inspect", FIXTURES / "ct", "--show-phi")
    assert code == 0
    assert "12x12x4" in out
    assert "1.25x1.5x3" in out
    assert "RLE Lossless" in out
    assert "PatientID = CANARY42" in out


def test_inspect_of_nothing_is_none_done(capsys, tmp_path):
    (tmp_path / "x.txt").write_text("text")
    code, out, _ = run(capsys, "inspect", tmp_path)
    assert code == ExitCode.NONE_DONE
    assert "1 file skipped: no image format is recognised" in out
