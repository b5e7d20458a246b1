from imgconv.cli.picture_options import picture_write_options


def test_picture_write_options_pass_on_what_was_given():
    given = {"values": "stored", "window": "", "overlays": True, "frames": "", "montage": ""}
    assert picture_write_options(**given) == {"raster": {"values": "stored", "overlays": True}}


def test_picture_write_options_of_nothing_are_nothing():
    nothing = {"values": "", "window": "", "overlays": False, "frames": "", "montage": ""}
    assert picture_write_options(**nothing) == {}
