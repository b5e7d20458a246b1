import pickle

from imgconv.core.options import Overwrite, ReadOptions, WriteOptions


def test_options_can_be_pickled():
    read = ReadOptions(series=("3",), allow=frozenset({"all"}), extra={"nifti": {"a": 1}})
    write = WriteOptions(level=3, overwrite=Overwrite.ALWAYS)
    assert pickle.loads(pickle.dumps(read)) == read
    assert pickle.loads(pickle.dumps(write)) == write


def test_of_returns_the_options_of_one_format():
    options = WriteOptions(extra={"nifti": {"storage": "ras"}})
    assert options.of("nifti") == {"storage": "ras"}
    assert options.of("nrrd") == {}
