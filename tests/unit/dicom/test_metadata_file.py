"""Metadata files: JSON of two kinds, YAML, CSV."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgconv.dicom.metadata_file import read_metadata_file
from imgconv.errors import ConfigError


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


MODEL = {
    "00100010": {"vr": "PN", "Value": [{"Alphabetic": "A^B"}]},
    "00100020": {"vr": "LO", "Value": ["7"]},
    "00080008": {"vr": "CS", "Value": ["DERIVED", "PRIMARY"]},
    "00100030": {"vr": "DA"},
    "00082218": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["1"]}}]},
}


@pytest.mark.parametrize("content", [MODEL, [MODEL]])
def test_read_metadata_file_takes_the_dicom_json_model(tmp_path, content):
    found = read_metadata_file(_write(tmp_path, "m.json", json.dumps(content)), None)
    assert found["00100010"] == {"Alphabetic": "A^B"}
    assert found["00100020"] == "7"
    assert found["00080008"] == ["DERIVED", "PRIMARY"]
    assert found["00100030"] == []
    assert found["00082218"] == [{"00080100": "1"}]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", '{"PatientID": "7"}'),
        ("m.yaml", "PatientID: '7'\n"),
        ("m.csv", "PatientID\n7\n"),
        ("m.tsv", "PatientID\tStudyID\n7\t\n"),
    ],
)
def test_read_metadata_file_takes_plain_keywords(tmp_path, name, text):
    assert read_metadata_file(_write(tmp_path, name, text), None) == {"PatientID": "7"}


def test_read_metadata_file_takes_the_row_of_the_input(tmp_path):
    path = _write(tmp_path, "m.csv", "file,PatientID\na/x.nii,1\nb/x.nii,2\n")
    assert read_metadata_file(path, Path("/data/b/x.nii")) == {"PatientID": "2"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m.json", "{"),
        ("m.json", "[1]"),
        ("m.yaml", "a: [secret"),
        ("m.yaml", "- 1"),
        ("m.txt", "x"),
        ("m.csv", "PatientID\n1\n2\n"),
        ("m.csv", "file,PatientID\nother,secret\n"),
        ("m.csv", "a,b\nsecret\n"),
        ("m.csv", ""),
    ],
)
def test_read_metadata_file_refuses_and_never_tells_values(tmp_path, name, text):
    path = _write(tmp_path, name, text)
    with pytest.raises(ConfigError) as caught:
        read_metadata_file(path, Path("/data/x.nii"))
    assert caught.value.path == path
    assert "secret" not in caught.value.message


def test_read_metadata_file_that_is_missing_or_binary_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        read_metadata_file(tmp_path / "none.json", None)
    (tmp_path / "b.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_metadata_file(tmp_path / "b.json", None)
