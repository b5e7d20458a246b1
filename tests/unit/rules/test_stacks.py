from imgconv.rules.records import Record, SeriesRecords
from imgconv.rules.stacks import check_stack

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def image(z, *, volume="", orientation=AXIAL, position=None, **more):
    number = f"{z}-{volume}"
    return Record(
        path=f"{number}.dcm", sop_class="1.2", sop_instance=number, series="1", study="1",
        patient="p", number=number, position=position or (0.0, 0.0, float(z)),
        orientation=orientation, matrix=(4.0, 4.0, 1.0, 1.0), volume=volume, **more,
    )  # fmt: skip


def rules(records):
    return [hit.rule for hit in check_stack(SeriesRecords("1", records))]


def test_an_even_stack_is_sound():
    assert rules([image(z) for z in range(5)]) == []


def test_several_volumes_at_the_same_places_are_sound():
    assert rules([image(z, volume=str(t)) for t in range(3) for z in range(4)]) == []


def test_several_volumes_that_nothing_tells_apart_are_sound():
    assert rules([image(z, volume="") for _ in range(2) for z in range(4)]) == []


def test_a_volume_that_lacks_its_last_slice_has_no_duplicate():
    records = [image(z, volume=str(t)) for t in range(3) for z in range(4)]
    assert "G003" not in rules(records[:-1])


def test_a_localizer_of_three_orientations_is_information():
    sagittal, coronal = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0), (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
    records = [image(z) for z in range(3)]
    for orientation, axis in ((sagittal, 0), (coronal, 1)):
        for z in range(3):
            position = tuple(float(z) if i == axis else 0.0 for i in range(3))
            records.append(image(z, volume=str(axis), orientation=orientation, position=position))
    hits = list(check_stack(SeriesRecords("1", records)))
    assert [(hit.rule, hit.severity) for hit in hits] == [("G005", "info")]


def test_a_tilted_stack_is_sheared():
    records = [image(z, position=(0.0, 0.3 * z, float(z))) for z in range(4)]
    assert rules(records) == ["G009"]


def test_one_image_is_no_stack():
    assert rules([image(0)]) == []
