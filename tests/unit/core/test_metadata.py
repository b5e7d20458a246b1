import pickle

from imgconv.core.metadata import Metadata


def test_metadata_is_empty_by_default():
    metadata = Metadata()
    parts = (metadata.shared, metadata.per_volume, metadata.per_slice, metadata.bids)
    assert [dict(part) for part in parts] == [{}] * 4


def test_metadata_of_plain_values_can_be_pickled():
    metadata = Metadata({"EchoTime": 1.5}, {"A": (1, 2)}, {"B": ((1,), (2,))}, {"C": [1]})
    assert pickle.loads(pickle.dumps(metadata)) == metadata
