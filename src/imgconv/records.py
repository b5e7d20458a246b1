"""Frozen dataclasses whose methods are compiled when the first object is made.

`dataclasses.dataclass` compiles six methods for each class when its module is
imported: 0.8 ms a class, a fifth of the start of a command, most of it for
classes of which no object is made. A `record` is a dataclass (`fields`,
`replace`, matching and pickling work) that compiles ``__init__`` alone, and
only when it is called; its other methods are shared by all records.

Not supported: `InitVar`, ``init=False``, ``order``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import cache
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, TypeVar, dataclass_transform, overload

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["record"]

_T = TypeVar("_T")
_UNSET = object()


@overload
def record(cls: type[_T], /) -> type[_T]: ...


@overload
def record(
    *, frozen: bool = True, slots: bool = True, eq: bool = True
) -> Callable[[type[_T]], type[_T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(
    cls: type[_T] | None = None, /, *, frozen: bool = True, slots: bool = True, eq: bool = True
) -> type[_T] | Callable[[type[_T]], type[_T]]:
    """Make a class with annotated fields a dataclass, frozen and with slots unless told otherwise.

    Parameters
    ----------
    frozen, slots, eq
        As of `dataclasses.dataclass`.

    Examples
    --------
    >>> @record
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1)
    Point(x=1, y=0)
    """

    def make(plain: type[_T]) -> type[_T]:
        explicit = set(vars(plain))
        # For a class without a docstring, `dataclass` would look for its signature, at length.
        plain.__doc__ = plain.__doc__ or plain.__name__
        made = dataclass(init=False, repr=False, eq=False, slots=slots)(plain)
        for name, method in _methods(made, frozen=frozen, slots=slots, eq=eq).items():
            if name not in explicit:
                setattr(made, name, method)
        return made

    return make if cls is None else make(cls)


def _methods(cls: type, *, frozen: bool, slots: bool, eq: bool) -> dict[str, Any]:
    methods: dict[str, Any] = {
        "__init__": _lazy_init(cls),
        "__signature__": _LazySignature(),
        "__repr__": _repr,
    }
    if eq:
        methods |= {"__eq__": _equals, "__hash__": _hash if frozen else None}
    if frozen:
        methods |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if frozen and slots:
        methods |= {"__getstate__": _get_state, "__setstate__": _set_state}
    return methods


def _lazy_init(cls: type) -> Callable[..., None]:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807  named for its errors
        _compile(cls)(self, *args, **kwargs)

    return __init__


def _compile(cls: type) -> Callable[..., None]:
    """Put the real ``__init__`` into a record and return it."""
    namespace: dict[str, Any] = {"_UNSET": _UNSET, "_set": object.__setattr__}
    positional = ["self"]
    by_keyword: list[str] = []
    body: list[str] = []
    for each in fields(cls):
        (by_keyword if each.kw_only else positional).append(_parameter(each, namespace))
        body.append(f"    {_assignment(cls, each, namespace)}\n")
    if hasattr(cls, "__post_init__"):
        body.append("    self.__post_init__()\n")
    star = ["*", *by_keyword] if by_keyword else []
    source = f"def __init__({', '.join([*positional, *star])}):\n{''.join(body) or '    pass'}"
    exec(source, namespace)  # noqa: S102  as dataclasses does: names of fields are identifiers
    init: Callable[..., None] = namespace["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__module__ = cls.__module__
    setattr(cls, "__init__", init)  # noqa: B010  mypy takes an assignment for an override
    return init


def _parameter(each: Field[Any], namespace: dict[str, Any]) -> str:
    if each.default is not MISSING:
        namespace[f"_default_{each.name}"] = each.default
        return f"{each.name}=_default_{each.name}"
    return each.name if each.default_factory is MISSING else f"{each.name}=_UNSET"


def _assignment(cls: type, each: Field[Any], namespace: dict[str, Any]) -> str:
    name = value = each.name
    if each.default_factory is not MISSING:
        namespace[f"_make_{name}"] = each.default_factory
        value = f"_make_{name}() if {name} is _UNSET else {name}"
    slot: Any = getattr(cls, name, None)
    if not hasattr(slot, "__set__") or not hasattr(slot, "__objclass__"):
        return f"_set(self, {name!r}, {value})"
    namespace[f"_set_{name}"] = slot.__set__  # half the time of object.__setattr__
    return f"_set_{name}(self, {value})"


class _LazySignature:
    """Tells `inspect` what the real ``__init__`` takes."""

    def __get__(self, instance: object, owner: type) -> Signature:
        from inspect import signature

        found = signature(_compile(owner))
        return found.replace(parameters=list(found.parameters.values())[1:])


def _key(instance: Any) -> tuple[Any, ...]:
    return _key_of(instance.__class__)(instance)


def _equals(self: Any, other: object) -> bool:
    return _key(self) == _key(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_key(self))


@recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in fields(self) if each.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, value: object) -> None:  # noqa: ARG001  its signature
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:  # noqa: ARG001  its signature
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> tuple[Any, ...]:
    return _values_of(self.__class__)(self)


def _set_state(self: Any, state: tuple[Any, ...]) -> None:
    for put, value in zip(_setters_of(self.__class__), state, strict=True):
        put(self, value)


@cache
def _key_of(cls: type) -> Callable[[Any], tuple[Any, ...]]:
    return _getter(each.name for each in fields(cls) if each.compare)


@cache
def _values_of(cls: type) -> Callable[[Any], tuple[Any, ...]]:
    return _getter(each.name for each in fields(cls))


def _getter(wanted: Iterable[str]) -> Callable[[Any], tuple[Any, ...]]:
    names = list(wanted)
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


@cache
def _setters_of(cls: type) -> list[Callable[[Any, Any], None]]:
    return [getattr(cls, each.name).__set__ for each in fields(cls)]
