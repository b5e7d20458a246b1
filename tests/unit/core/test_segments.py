import json

import pytest

from imgconv.core.image import Segment
from imgconv.core.segments import format_segments, parse_code, parse_segments, read_segments
from imgconv.errors import CorruptData

LIVER = ("10200004", "SCT", "Liver")
ORGAN = ("123037004", "SCT", "Anatomical Structure")


def segments(text):
    return parse_segments(text).segments


def test_parse_segments_dcmqi_layers_follow_the_lists():
    code = {"CodeValue": "10200004", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Liver"}
    item = {
        "labelID": 5,
        "SegmentLabel": "my liver",
        "SegmentedPropertyTypeCodeSequence": code,
        "SegmentAlgorithmType": "semiautomatic",
        "SegmentAlgorithmName": "editor",
        "recommendedDisplayRGBValue": [1, 2, 3],
    }
    text = json.dumps({"SeriesDescription": "S", "segmentAttributes": [[item], [{"labelID": 2}]]})
    table = parse_segments(text)
    assert table.attributes == {"SeriesDescription": "S"}
    first, second = table.segments
    assert first == Segment(
        5,
        "my liver",
        type=LIVER,
        colour=(1, 2, 3),
        algorithm_type="SEMIAUTOMATIC",
        algorithm_name="editor",
    )
    assert (second.number, second.layer, second.label) == (2, 1, "Segment 2")


def test_format_segments_reads_back():
    whole = (
        Segment(
            1, "a", ORGAN, LIVER, (1, 2, 3), "MANUAL", "", "d", LIVER, ORGAN, LIVER, "t", "1.2"
        ),
        Segment(1, "b", layer=1),
    )
    table = parse_segments(format_segments(whole, {"SeriesDescription": "S"}))
    assert table.segments == whole
    assert table.attributes == {"SeriesDescription": "S"}


@pytest.mark.parametrize(
    "text",
    [
        '{"labels": {"background": 0, "liver": 1, "left kidney": 3}}',
        '{"1": "liver", "3": "left kidney"}',
        "number,name\n0,background\n1,liver\n3,left kidney\n",
        "index\tname\tabbreviation\n1\tliver\tL\n3\tleft kidney\tK\n",
        "Label;Name\n1;liver\n3;left kidney\n",
    ],
)
def test_parse_segments_tells_kinds_apart_by_content(text):
    assert segments(text) == (Segment(1, "liver"), Segment(3, "left kidney"))


@pytest.mark.parametrize(
    "text",
    [
        "# Color table\n0 Background 0 0 0 0\n1 left_lung 10 20 30 255\n",
        '# ITK-SNAP\n 0 0 0 0 0 0 0 "Clear Label"\n 1 10 20 30 1 1 1 "left lung"\n',
        "1  left lung  10 20 30 0\n",
        "number,name,color\n1,left lung,#0a141e\n",
        'number,name,color\n1,left lung,"10 20 30"\n',
    ],
)
def test_parse_segments_colour_tables(text):
    assert segments(text) == (Segment(1, "left lung", colour=(10, 20, 30)),)


def test_parse_segments_csv_with_codes():
    text = (
        "number,name,category,type,algorithm type\n"
        "1,liver,SCT^123037004^Anatomical Structure,10200004^SCT^Liver,automatic\n"
    )
    assert segments(text) == (Segment(1, "liver", ORGAN, LIVER, algorithm_type="AUTOMATIC"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "columns"),
        ("number,name\nx,liver\n", "integer"),
        ("number,name\n1,\n", "has no name"),
        ("number,name\n1,a\n1,b\n", "twice"),
        ("number,name\n70000,a\n", "65535"),
        ("number,name\n-1,a\n", "65535"),
        ("number,name,color\n1,a,blue\n", "colour"),
        ("number,name,color\n1,a,1 2 300\n", "colour"),
        ("number,name,type\n1,a,liver\n", "code"),
        ("number,name,algorithm_type\n1,a,GUESS\n", "algorithm"),
        ("{", "JSON"),
        ('{"segmentAttributes": 3}', "list"),
        ('{"segmentAttributes": [3]}', "list"),
        ('{"labels": 3}', "object"),
        ('{"labels": {"a": true}}', "label"),
        ('{"segmentAttributes": [[{"SegmentedPropertyTypeCodeSequence": "x"}]]}', "code"),
        ('1 10 20 30 1 1 1 "left', "quote"),
    ],
)
def test_parse_segments_mistakes_are_told(text, message):
    with pytest.raises(CorruptData, match=message):
        parse_segments(text)


def test_parse_code_empty_is_none():
    assert parse_code("^^") is None
    assert parse_code("") is None


def test_read_segments_names_the_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CorruptData) as caught:
        read_segments(path)
    assert caught.value.path == path
    with pytest.raises(CorruptData, match="cannot be read"):
        read_segments(tmp_path / "none.csv")


def test_read_segments_byte_order_mark_is_skipped(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("number,name\n1,Leber\n", encoding="utf-8-sig")
    assert read_segments(path).segments == (Segment(1, "Leber"),)
