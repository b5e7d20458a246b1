"""PDF files: whole ones in, the same bytes out."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.core.document import Document
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions, WriteOptions
from imgconv.errors import CorruptData, UnsupportedData
from imgconv.formats.pdf import check, read, write

DATA = b"%PDF-1.4\n...\n%%EOF\n"


def test_read_and_write_keep_the_bytes(tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(DATA)
    (document,) = read(path, ReadOptions())
    assert document.sources[0].path == path
    write(document, tmp_path / "b.pdf", WriteOptions())
    assert (tmp_path / "b.pdf").read_bytes() == DATA


@pytest.mark.parametrize("data", [b"", b"x", DATA[:-8], b"\n" + DATA])
def test_read_of_what_is_no_whole_pdf_is_corrupt(tmp_path, data):
    path = tmp_path / "a.pdf"
    path.write_bytes(data)
    with pytest.raises(CorruptData):
        list(read(path, ReadOptions()))


def test_read_of_a_missing_file_and_of_a_large_one_is_refused(tmp_path):
    with pytest.raises(CorruptData):
        list(read(tmp_path / "none.pdf", ReadOptions()))
    path = tmp_path / "a.pdf"
    path.write_bytes(DATA)
    with pytest.raises(UnsupportedData):
        list(read(path, ReadOptions(max_bytes=5)))


def test_check_tells_what_is_lost_and_refuses_images(tmp_path):
    assert [loss.harmful for loss in check(Document(DATA), WriteOptions())] == [False]
    image = Image(np.zeros((1, 1, 1)), "kji")
    with pytest.raises(UnsupportedData):
        check(image, WriteOptions())
    with pytest.raises(UnsupportedData):
        write(image, tmp_path / "a.pdf", WriteOptions())
    assert list(tmp_path.iterdir()) == []
