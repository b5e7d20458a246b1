import pytest
from tests.unit.dicom.pixel_files import make_file, ramp

from imgconv.dicom.recode_plans import RECOMPRESSIONS, Carried, Frames, RecodeOptions
from imgconv.dicom.splice import split_file
from imgconv.errors import UnsupportedData, UsageError
from imgconv.standard.transfer_syntaxes import BY_UID, find_transfer_syntax


def _plan(tmp_path, name, **options):
    parts = split_file(make_file(tmp_path / "a", ramp()))
    return Frames(parts, RecodeOptions(find_transfer_syntax(name).uid, **options))


def test_frames_plan_is_made_without_decoding(tmp_path):
    plan = _plan(tmp_path, "jpeg-ls")
    assert plan.encoder.name == "jpeg-ls=imagecodecs"
    assert [spec.name for spec in plan.checkers] == ["jpeg-ls=imagecodecs"]
    assert not plan.is_lossy


def test_frames_plan_of_a_lossy_target_without_quality_is_refused(tmp_path):
    with pytest.raises(UsageError):
        _plan(tmp_path, "jpeg2000-lossy")


def test_frames_plan_of_what_the_standard_excludes_is_refused(tmp_path):
    with pytest.raises(UnsupportedData):
        _plan(tmp_path, "jpeg-extended", encode=_quality())


def _quality():
    from imgconv.codecs import EncodeOptions

    return EncodeOptions(quality=90)


def test_carried_plan_changes_no_element(tmp_path):
    parts = split_file(make_file(tmp_path / "a", ramp()))
    assert Carried(parts, RecodeOptions("1.2.840.10008.1.2")).changes == {}


def test_recompressions_are_between_known_syntaxes():
    assert all(one in BY_UID and two in BY_UID for one, two in RECOMPRESSIONS)
