import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from functools import cached_property

import pytest

from imgconv.records import record


@record
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list, compare=False)
    secret: str = dataclasses.field(default="s", repr=False, kw_only=True)

    def __post_init__(self):
        if self.x < 0:
            raise ValueError("x")


@record
class Named(Point):
    name: str = ""


@record(slots=False)
class Cached:
    side: int

    @cached_property
    def area(self):
        return self.side**2


@record(eq=False)
class Identity:
    x: int


@record
class Identical:
    x: int


@record
class Empty:
    pass


@record(frozen=False)
class Open:
    x: int = 1


def test_record_is_made_by_position_and_by_name():
    point = Point(1, tags=["a"])
    assert (point.x, point.y, point.tags, point.secret) == (1, 0, ["a"], "s")
    assert Point(1).tags is not Point(1).tags


def test_record_names_wrong_arguments_as_any_class_does():
    with pytest.raises(TypeError, match=r"Point.__init__\(\) missing 1 required .* 'x'"):
        Point()
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        Point(1, z=2)


def test_record_runs_post_init_every_time():
    for _ in range(2):
        with pytest.raises(ValueError, match="x"):
            Point(-1)


def test_record_is_frozen():
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")


def test_record_compares_and_hashes_by_what_is_compared():
    assert Point(1, tags=["a"]) == Point(1)
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert len({Point(1, tags=["a"]), Point(1), Point(2)}) == 2


def test_record_without_eq_is_compared_by_identity():
    assert Identity(1) != Identity(1)
    assert len({Identity(1), Identity(1)}) == 2


def test_record_that_is_not_frozen_changes_and_has_no_hash():
    thing = Open()
    thing.x = 3
    assert thing == Open(3)
    with pytest.raises(TypeError):
        hash(thing)


def test_record_shows_its_fields():
    assert repr(Named(1, name="n")) == "Named(x=1, y=0, tags=[], name='n')"


def test_record_survives_pickle_copy_and_replace():
    named = Named(1, 2, ["a"], "n", secret="t")
    for same in (pickle.loads(pickle.dumps(named)), copy.copy(named), copy.deepcopy(named)):
        assert same == named
        assert (same.tags, same.secret) == (["a"], "t")
    for few in (Identical(3), Empty()):
        assert pickle.loads(pickle.dumps(few)) == few
    assert dataclasses.replace(named, x=5) == Named(5, 2, ["a"], "n", secret="t")
    assert dataclasses.asdict(Cached(2)) == {"side": 2}


def test_record_matches_by_position():
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_record_without_slots_keeps_what_is_computed_once():
    cached = Cached(3)
    assert cached.area == cached.area == 9
    assert pickle.loads(pickle.dumps(cached)).area == 9


def test_record_keeps_methods_of_its_class():
    @record
    class Loud:
        x: int

        def __repr__(self):
            return "LOUD"

        def __eq__(self, other):
            return True

        __hash__ = None

    assert repr(Loud(1)) == "LOUD"
    assert Loud(1) == Loud(2)
    assert Loud.__hash__ is None


def test_record_tells_its_signature_before_the_first_object():
    @record
    class Fresh:
        x: int
        y: int = 2

    assert str(inspect.signature(Fresh)) == "(x, y=2)"


def test_record_compiles_nothing_when_a_class_is_made():
    script = """
import sys
from imgconv.records import record
compiled = []
# From Python 3.13 on, dataclasses compile a function without a method for each class.
def note(event, args):
    if event == "compile" and "def __init__" in str(args[0]):
        compiled.append(args[0])
sys.addaudithook(note)
@record
class Point:
    x: int
assert not compiled
Point(1)
assert len(compiled) == 1
"""
    subprocess.run([sys.executable, "-c", script], check=True)
