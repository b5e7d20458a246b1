import pytest
from tests.unit.rules import objects

from imgconv.profiles.check import check_profile
from imgconv.profiles.document import parse_document
from imgconv.profiles.load import parse_profile

CASES = [
    # rule, change of a CT image, whether it is broken
    ("require: [PatientWeight]", {}, True),
    ("require: [PatientID]", {}, False),
    ("require: [PatientID]", {"PatientID": ""}, True),
    ("present: [PatientBirthDate]", {}, False),
    ("forbid: [InstitutionName]", {"InstitutionName": "x"}, True),
    ("forbid: [InstitutionName]", {}, False),
    ("{tag: SliceThickness, range: {gt: 0, le: 2}}", {}, True),
    ("{tag: SliceThickness, range: {gt: 0, le: 3}}", {}, False),
    ("{tag: SliceThickness, range: {gt: 0}}", {"SliceThickness": "thin"}, True),
    ("{tag: Modality, values: [CT, MR]}", {}, False),
    ("{tag: Modality, values: ['M*']}", {}, True),
    ("{tag: ImageType, not_values: [DERIVED]}", {"ImageType": ["DERIVED", "PRIMARY"]}, True),
    ("{tag: PatientID, regex: '^S[0-9]{3}$'}", {}, True),
    ("{tag: PatientID, regex: '^S[0-9]{3}$'}", {"PatientID": "S001"}, False),
    ("{tag: WindowCenter, vm: 2-n}", {}, True),
    ("{tag: ImageOrientationPatient, near: [1, 0, 0, 0, 1, 0], tolerance: 0.01}", {}, False),
    ("{tag: ImageOrientationPatient, near: [0, 1, 0, 0, 0, -1], tolerance: 0.01}", {}, True),
    ("{tag: AccessionNumber, equals: PatientID}", {"AccessionNumber": "P2"}, True),
    ("{tag: AccessionNumber, equals: PatientID}", {"AccessionNumber": "P1"}, False),
    ("{tag: 'ContentSequence[0].ValueType', presence: required}", {}, True),
    ("{tag: 'ContentSequence[*].ValueType', values: [NUM]}",
     {"ContentSequence": [{"ValueType": "NUM"}, {"ValueType": "TEXT"}]}, True),
    ("{tag: '**.PersonName', presence: forbidden}",
     {"ContentSequence": [{"ContentSequence": [{"PersonName": "Roe^Riva"}]}]}, True),
    ("{tag: AnatomicRegionSequence, code: 'SCT:39607008'}",
     {"AnatomicRegionSequence": [objects.code()]}, False),
    ("{tag: AnatomicRegionSequence, code: 'SCT:39607008'}",
     {"AnatomicRegionSequence": [objects.code("1", "SCT", "x")]}, True),
    ("{for: {Modality: MR}, require: [EchoTime]}", {}, False),
    ("{for: {Modality: [CT, MR]}, require: [EchoTime]}", {}, True),
    ("{for: {SOPClassUID: CTImageStorage}, require: [EchoTime]}", {}, True),
    ('{when: "KVP > 100 and absent(NumberOfFrames)", require: [EchoTime]}', {}, True),
    ('{when: "KVP > 130", require: [EchoTime]}', {}, False),
    ("transfer_syntaxes: ['1.2.840.10008.1.2.4.*']", {}, True),
    ("transfer_syntaxes: ['1.2.840.10008.1.2.*']", {}, False),
    ("sop_classes: [MRImageStorage]", {}, True),
    ("sop_classes: [CTImageStorage]", {}, False),
    ("pixel: {decodable: true}", {}, False),
    ("pixel: {not_constant: true}", {"PixelData": objects.Raw(bytes(32))}, True),
    ("pixel: {min_frames: 2}", {}, True),
    ("pixel: {range: bits_stored}", {"BitsStored": [1], "HighBit": [0]}, True),
    ("pixel: {range: bits_stored}", {"PixelData": objects.Raw(bytes(32))}, False),
    ("{tag: SliceThickness, type: DS}", {}, False),
    ("{tag: SliceThickness, type: [FD, FL]}", {}, True),
    ("{tag: PatientOrientationCodeSequence, code: CID 19}",
     {"PatientOrientationCodeSequence": [objects.code("102538003", "SCT", "recumbent")]}, False),
    ("{tag: PatientOrientationCodeSequence, code: CID 19}",
     {"PatientOrientationCodeSequence": [objects.code()]}, True),
    ("phi: {e1: [basic]}", {}, True),
    ("phi: {e1: [full_dates=keep, patient_characteristics, clean_descriptors]}",
     {"PatientName": "", "PatientID": "S1"}, False),
    ("phi: {e1: [basic, declared]}",
     {"PatientName": "", "PatientSex": "", "StudyID": "", "DeidentificationMethodCodeSequence":
      [objects.code("113106", "DCM", "Retain Full Dates")]}, False),
    ("phi: {private: forbid}", {"0029,0010": "ACME", "0029,1010": "x"}, True),
    ("phi: {private: safe-list}", {"0029,0010": "ACME", "0029,1010": "x"}, True),
    ("phi: {private: safe-list}",
     {"0029,0010": "ACME", "0029,1010": "x", "DeidentificationMethodCodeSequence":
      [objects.code("113111", "DCM", "Retain Safe Private")]}, False),
    ("phi: {text: [email]}", {"ImageComments": "to jane@example.org"}, True),
    ("phi: {text: [phone, ssn, date]}", {"ImageComments": "to jane@example.org"}, False),
    ("phi: {text: [names-from-header]}",
     {"PatientName": "Roe^Riva", "ImageComments": "riva was here"}, True),
    ("phi: {burned_in: flag}", {"BurnedInAnnotation": "YES"}, True),
    ("phi: {burned_in: flag}", {"BurnedInAnnotation": "NO"}, False),
    ("{group: frames, count: {min: 2}}", {}, True),
    ("{group: frames, same: [ImagePositionPatient]}", {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "broken"), CASES)
def test_check_profile(rule, change, broken, tmp_path):
    body = rule[1:-1] if rule.startswith("{") else rule
    text = f"profile: a\nrules:\n  - {{id: A1, {body}}}\n"
    profile = parse_profile(parse_document(text.encode(), "a.yaml"))
    instance = objects.make_instance(objects.ct() | change, tmp_path)
    assert bool(list(check_profile(profile, instance))) is broken


def test_the_place_of_a_nested_value_is_given(tmp_path):
    text = "profile: a\nrules:\n  - {id: A1, tag: 'ContentSequence[*].ValueType', values: [NUM]}\n"
    profile = parse_profile(parse_document(text.encode(), "a.yaml"))
    dataset = objects.ct() | {"ContentSequence": [{"ValueType": "NUM"}, {"ValueType": "TEXT"}]}
    (hit,) = check_profile(profile, objects.make_instance(dataset, tmp_path))
    assert hit.tag == "(0040,A730)[1].(0040,A040)"
    assert "TEXT" not in hit.message


@pytest.mark.parametrize(
    ("same", "broken"),
    [
        ("ImagePositionPatient", True),
        ("ImagePositionPatient~100", False),
        ("PixelSpacing", False),
    ],
)
def test_frames_are_compared(same, broken, tmp_path):
    text = f"profile: a\nrules:\n  - {{id: A1, group: frames, same: [{same}]}}\n"
    profile = parse_profile(parse_document(text.encode(), "a.yaml"))
    instance = objects.make_instance(objects.frames(), tmp_path)
    assert bool(list(check_profile(profile, instance))) is broken
