import json

from imgconv.dicom.bids import bids_fields
from imgconv.dicom.vendors.facts import Acquisition


def test_equipment_and_series(fields_of):
    fields = fields_of(
        {
            "Manufacturer": "SIEMENS",
            "ManufacturerModelName": "Prisma",
            "BodyPartExamined": "BRAIN",
            "SoftwareVersions": ["syngo", "MR E11"],
            "SeriesNumber": "7",
            "AcquisitionTime": "110432.975",
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        }
    )
    assert fields["Manufacturer"] == "Siemens"
    assert fields["ManufacturersModelName"] == "Prisma"
    assert fields["BodyPart"] == "BRAIN"
    assert fields["SoftwareVersions"] == "syngo\\MR E11"
    assert fields["SeriesNumber"] == 7
    assert fields["AcquisitionTime"] == "11:04:32.975000"
    assert fields["ImageOrientationPatientDICOM"] == [1, 0, 0, 0, 1, 0]
    assert fields["InstitutionalDepartmentName"] == "None"


def test_unknown_manufacturers_keep_their_name(fields_of):
    assert fields_of({"Manufacturer": "ACME"})["Manufacturer"] == "ACME"
    assert "Manufacturer" not in fields_of({})


def test_nothing_that_identifies_is_there(fields_of):
    fields = fields_of(
        {
            "PatientName": "Secret^Name",
            "PatientID": "SECRET1",
            "PatientBirthDate": "19700102",
            "StudyDate": "20200304",
            "AcquisitionDate": "20200304",
            "AcquisitionTime": "101112",
            "AccessionNumber": "SECRET2",
            "ReferringPhysicianName": "Secret^Doctor",
            "StudyInstanceUID": "1.2.99999",
        }
    )
    text = json.dumps(fields)
    for secret in ("Secret", "SECRET", "1970", "2020", "99999"):
        assert secret not in text


def test_image_type_names_the_component(fields_of):
    fields = fields_of({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]})
    assert fields["ImageType"] == ["ORIGINAL", "PRIMARY", "P", "ND", "PHASE"]
    assert "RawImage" not in fields
    assert fields_of({"ImageType": ["DERIVED", "PRIMARY"]})["RawImage"] is False


def test_computed_tomography(facts_of):
    facts = facts_of({"Modality": "CT", "ExposureTime": "2000", "XRayTubeCurrent": "180"})
    fields = bids_fields(Acquisition(((facts,),), (4, 4, 1)))
    assert fields["ExposureTime"] == 2
    assert fields["XRayTubeCurrent"] == 180
    assert "RepetitionTime" not in fields


def test_fields_are_json(fields_of):
    fields = fields_of({"ImageType": ["ORIGINAL", "PRIMARY"], "EchoTime": "3.3"})
    assert json.loads(json.dumps(fields)) == fields


def test_an_empty_header_gives_no_made_up_fields(facts_of):
    fields = bids_fields(Acquisition(((facts_of({"Rows": 4}),),), (4, 4, 1)))
    assert fields == {"InstitutionalDepartmentName": "None"}
