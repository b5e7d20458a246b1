import json

import pytest

from imgconv.cli import main
from imgconv.ops.matrix import ASPECTS, compare_formats
from imgconv.registry import formats
from imgconv.spec import Capabilities, FormatSpec

RICH = FormatSpec(
    "rich",
    "Rich",
    (".r",),
    read="m:r",
    write="m:w",
    capabilities=Capabilities(("uint8", "float32"), 4, geometry=True, rescale=True, colour=True),
)
POOR = FormatSpec(
    "poor", "Poor", (".p",), read="m:r", write="m:w", capabilities=Capabilities(("uint8",), 2)
)
MUTE = FormatSpec("mute", "Mute", (".m",), read="m:r", capabilities=Capabilities(("uint8",), 3))


def test_compare_formats_tells_what_is_kept_and_lost():
    pairs = {(p.source, p.target): p for p in compare_formats([RICH, POOR, MUTE])}
    assert set(pairs) == {("rich", "poor"), ("poor", "rich"), ("mute", "poor"), ("mute", "rich")}
    pair = pairs["rich", "poor"]
    assert pair.lost == ("geometry", "rescale", "colour", "dims", "dtypes")
    assert pair.dtypes == ("float32",)
    assert pairs["poor", "rich"].lost == ()
    assert pairs["poor", "rich"].kept == ("dims", "dtypes")


def test_aspects_cover_all_flags():
    flags = {
        name
        for name in Capabilities.__dataclass_fields__
        if name not in ("dtypes", "max_dims", "exact")
    }
    assert flags | {"dims", "dtypes"} == set(ASPECTS)
    assert len({letter for letter, _ in ASPECTS.values()}) == len(ASPECTS)


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_formats_matrix_lists_every_pair(capsys, arguments):
    assert main(["formats", "--matrix", *arguments]) == 0
    text = capsys.readouterr().out
    if not arguments:
        assert "dicom" in text
        return
    pairs = json.loads(text)
    images = [spec for spec in formats if spec.capabilities.dtypes]
    reads = [spec for spec in images if spec.read]
    writes = [spec for spec in images if spec.write]
    expected = len(reads) * len(writes) - len([spec for spec in reads if spec.write])
    assert len(pairs if isinstance(pairs, list) else pairs["formats"]) == expected
