from imgconv.codecs._table import CODECS
from imgconv.registry import Registry
from imgconv.spec import CodecSpec
from imgconv.standard.transfer_syntaxes import TRANSFER_SYNTAXES

PLUGIN = """
from imgconv.spec import CodecSpec

SPECS = (
    CodecSpec(
        family="video",
        library="plugin",
        decodes=("1.2.840.10008.1.2.4.102",),
        decode="video_plugin:decode",
    ),
)
"""


def test_every_still_image_syntax_that_is_not_retired_has_a_decoder():
    decoded = {uid for spec in CODECS for uid in spec.decodes}
    missing = [
        syntax.name
        for syntax in TRANSFER_SYNTAXES
        if syntax.family not in ("", "video", "jpeg2000-part2")
        and not syntax.retired
        and syntax.uid not in decoded
    ]
    assert missing == []


def test_names_are_unique_and_first_decoders_release_the_lock():
    names = [spec.name for spec in CODECS]
    assert len(names) == len(set(names))
    first = {uid: spec for spec in reversed(CODECS) for uid in spec.decodes}
    assert all(spec.releases_gil for spec in first.values())


def test_codec_of_another_distribution_is_found(tmp_path, monkeypatch):
    (tmp_path / "video_plugin.py").write_text(PLUGIN)
    info = tmp_path / "video_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: video-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[imgconv.codecs.v1]\nvideo = video_plugin:SPECS\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("codecs", "imgconv.codecs._table:CODECS", "name", "imgconv.spec:CodecSpec")
    spec = registry.find("video=plugin")
    assert isinstance(spec, CodecSpec)
    assert registry.problems == []
