import json

import pytest

from imgconv.registry import formats
from imgconv.spec import resolve


def test_resolve_returns_the_function():
    assert resolve("json:dumps") is json.dumps


@pytest.mark.parametrize(
    ("reference", "error"), [("nope_nope:x", ImportError), ("json:x", AttributeError)]
)
def test_resolve_of_what_is_not_there_raises(reference, error):
    with pytest.raises(error):
        resolve(reference)


@pytest.mark.parametrize("spec", formats.own(), ids=lambda spec: spec.name)
def test_every_function_of_a_format_is_there(spec):
    for reference in (spec.probe, spec.read, spec.check, spec.write):
        if reference:
            assert callable(resolve(reference))


def test_names_and_extensions_are_well_formed():
    names = [spec.name for spec in formats.own()]
    assert len(names) == len(set(names))
    for spec in formats.own():
        assert spec.name == spec.name.lower()
        assert all(ext.startswith(".") and ext == ext.lower() for ext in spec.extensions)
        assert bool(spec.write) <= bool(spec.check), spec.name
