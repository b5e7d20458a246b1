"""UIDs: one root, random or reproducible."""

from __future__ import annotations

import re

import numpy as np
import pytest

from imgconv.core.image import Image, Source
from imgconv.dicom.uids import IMPLEMENTATION_CLASS_UID, ROOT, UidMaker, digest_source

VALID = re.compile(r"[0-9]+(\.(0|[1-9][0-9]*))*")


def _image(value: int = 0, **kwargs) -> Image:
    return Image(np.full((2, 2, 2), value, np.uint8), "kji", **kwargs)


@pytest.mark.parametrize("seed", ["", "a"])
def test_make_gives_valid_uids_below_the_root(seed):
    for uid in (UidMaker(seed).make("x"), IMPLEMENTATION_CLASS_UID):
        assert uid.startswith(ROOT + ".")
        assert len(uid) <= 64
        assert VALID.fullmatch(uid)


def test_make_without_seed_never_repeats():
    assert len({UidMaker().make("x") for _ in range(50)}) == 50


def test_make_with_seed_depends_on_each_part():
    makers = [
        UidMaker("s", "a", "ct"),
        UidMaker("t", "a", "ct"),
        UidMaker("s", "b", "ct"),
        UidMaker("s", "a", "mr"),
    ]
    uids = [maker.make("instance", 1) for maker in makers]
    uids += [makers[0].make("series", 1), makers[0].make("instance", 2)]
    assert len(set(uids)) == 6
    assert makers[0].make("instance", 1) == uids[0]


def test_make_shared_does_not_depend_on_source_or_object():
    assert UidMaker("s", "a", "ct").make_shared("study", "p") == UidMaker(
        "s", "b", "mr"
    ).make_shared("study", "p")


def test_make_keeps_parts_apart():
    maker = UidMaker("s")
    assert maker.make("a", "bc") != maker.make("ab", "c")


def test_digest_source_without_files_depends_on_the_samples():
    assert digest_source(_image(0)) == digest_source(_image(0))
    assert digest_source(_image(0)) != digest_source(_image(1))


def test_digest_source_depends_on_the_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    first = digest_source(_image(sources=(Source(path),)))
    path.write_bytes(b"2")
    assert digest_source(_image(sources=(Source(path),))) != first


def test_digest_source_tells_images_of_one_file_apart(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    names = [digest_source(_image(sources=(Source(path),), name=name)) for name in "ab"]
    assert names[0] != names[1]
