"""A small language for conditions on attributes: ``Modality == 'CT' and Rows >= 512``.

The one home of such conditions: filters of commands (`--where`) and profiles
use it. Nothing is evaluated as code.

    expression := and-terms joined by `or`; terms joined by `and`; `not` term; ( expression )
    term       := Attribute operator value | Attribute [not] in (value, ...) | Attribute
                | absent(Attribute) | present(Attribute) | empty(Attribute)
                | count(Attribute) operator number
    operator   := == != < <= > >= contains matches
    value      := 'text' | "text" | number | NameOfASopClass

An attribute is a DICOM keyword, or a tag as ``(0008,0060)``; alone it is true
if it is there and has a value. One with several values satisfies a comparison
if any of them does; ``!=`` and ``not in`` are the opposites of ``==`` and
``in``. An absent attribute satisfies no comparison but these two. Text is compared without
padding; ``matches`` takes a pattern with ``*`` and ``?``. ``present`` is true of an
attribute that is there, be it empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from typing import Any, NamedTuple, Protocol

from imgconv.errors import UsageError
from imgconv.standard.elements import find_tag
from imgconv.standard.sop_classes import find_uid

__all__ = ["Attributes", "Expression", "parse_expression"]

_MAX_DEPTH = 50
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<tag>\(\s*[0-9A-Fa-f]{4}\s*,\s*[0-9A-Fa-f]{4}\s*\))
    | (?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
    | (?P<text>'[^']*'|"[^"]*")
    | (?P<operator>==|!=|<=|>=|<|>)
    | (?P<mark>[(),\[\]])
    | (?P<word>[A-Za-z][A-Za-z0-9]*)
    )""",
    re.VERBOSE,
)
_WORDS = frozenset({"and", "or", "not", "in", "contains", "matches"})


class Attributes(Protocol):
    """What has attributes by keyword or by tag: a header, a data set."""

    def get(self, keyword: Any, /) -> Any:  # str or int
        """Return a value, None if it is absent."""


Expression = Callable[[Attributes], bool]


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


@lru_cache(maxsize=64)
def parse_expression(text: str) -> Expression:
    """Return the function that tells whether a data set satisfies a condition.

    Raises
    ------
    UsageError
        It is none; the message says where. A keyword is unknown.
    """
    parser = _Parser(text)
    expression = parser.disjunction(0)
    parser.require_end()
    return expression


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0

    def disjunction(self, depth: int) -> Expression:
        terms = [self._conjunction(depth)]
        while self._take("or"):
            terms.append(self._conjunction(depth))
        return terms[0] if len(terms) == 1 else lambda a: any(term(a) for term in terms)

    def require_end(self) -> None:
        if self._next < len(self._tokens):
            raise self._error("the end")

    def _conjunction(self, depth: int) -> Expression:
        terms = [self._term(depth)]
        while self._take("and"):
            terms.append(self._term(depth))
        return terms[0] if len(terms) == 1 else lambda a: all(term(a) for term in terms)

    def _term(self, depth: int) -> Expression:
        if depth > _MAX_DEPTH:
            raise UsageError(f"an expression is nested deeper than `{_MAX_DEPTH}` levels")
        if self._take("not"):
            inner = self._term(depth + 1)
            return lambda attributes: not inner(attributes)
        if self._take("("):
            inner = self.disjunction(depth + 1)
            self._require(")")
            return inner
        if self._peek().text in _FUNCTIONS and self._peek(1).text == "(":
            return self._function()
        return self._comparison()

    def _function(self) -> Expression:
        name = self._peek().text
        self._next += 1
        self._require("(")
        attribute = self._attribute()
        self._require(")")
        if name != "count":
            return partial(_FUNCTIONS[name], attribute)
        operator = self._peek()
        if operator.kind != "operator":
            raise self._error("a comparison after `count`")
        self._next += 1
        test, wanted = _TESTS.get(operator.text), self._value()
        if test is None:  # != is the opposite of ==
            return lambda a: not _equal(len(_values_of(a, attribute)), wanted)
        return lambda a: test(len(_values_of(a, attribute)), wanted)

    def _comparison(self) -> Expression:
        attribute = self._attribute()
        token = self._peek()
        if token.kind == "operator" or token.text in ("contains", "matches"):
            self._next += 1
            return _compare(attribute, token.text, self._value())
        negated = self._take("not")
        if self._take("in"):
            values = self._values()
            found: Expression = lambda a: any(  # noqa: E731  a closure, as its neighbours
                _equal(value, wanted) for value in _values_of(a, attribute) for wanted in values
            )
            return (lambda a: not found(a)) if negated else found
        if negated:
            raise self._error("`in`")
        return lambda a: bool(_values_of(a, attribute))

    def _attribute(self) -> str | int:
        token = self._peek()
        if token.kind == "tag":
            self._next += 1
            return int(re.sub(r"[^0-9A-Fa-f]", "", token.text), 16)
        if token.kind != "word" or token.text in _WORDS:
            raise self._error("an attribute")
        if find_tag(token.text) is None:
            raise UsageError(f"unknown attribute `{token.text}`; expected a DICOM keyword or a tag")
        self._next += 1
        return token.text

    def _values(self) -> list[str | float]:
        closing = ")" if self._take("(") else "]"
        if closing == "]":
            self._require("[")
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._require(closing)
        return values

    def _value(self) -> str | float:
        token = self._peek()
        if token.kind == "word" and (uid := find_uid(token.text)) is not None:
            self._next += 1
            return uid
        if token.kind not in ("text", "number"):
            raise self._error("a text in quotes, a number or the name of a SOP class")
        self._next += 1
        return token.text[1:-1] if token.kind == "text" else float(token.text)

    def _peek(self, ahead: int = 0) -> _Token:
        if self._next + ahead < len(self._tokens):
            return self._tokens[self._next + ahead]
        return _Token("end", "", len(self._text))

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.text != text or token.kind == "text":
            return False
        self._next += 1
        return True

    def _require(self, text: str) -> None:
        if not self._take(text):
            raise self._error(f"`{text}`")

    def _error(self, expected: str) -> UsageError:
        at = self._peek().at
        return UsageError(
            f"the expression is wrong at `{self._text[at : at + 20]}`; expected {expected}"
        )


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            rest = text[position : position + 20].strip()
            raise UsageError(
                f"the expression is wrong at `{rest}`; expected a word, number or text"
            )
        kind = match.lastgroup or ""
        yield _Token(kind, match[kind], match.start(kind))
        position = match.end()


def _compare(attribute: str | int, operator: str, wanted: str | float) -> Expression:
    if operator == "!=":
        return lambda a: not any(_equal(value, wanted) for value in _values_of(a, attribute))
    test = _TESTS[operator]
    return lambda a: any(test(value, wanted) for value in _values_of(a, attribute))


def _values_of(attributes: Attributes, attribute: str | int) -> tuple[Any, ...]:
    """Return the values of an attribute; none if it is absent or empty."""
    value = attributes.get(attribute)
    if value is None or value in ("", b""):
        return ()
    if isinstance(value, str | bytes | int | float):
        return (value,)
    try:
        return tuple(value)  # several values, or the items of a sequence
    except TypeError:
        return (value,)


def _equal(value: Any, wanted: str | float) -> bool:
    number = _number(value)
    if isinstance(wanted, float):
        return number is not None and number == wanted
    return _text(value) == wanted


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, str | float], bool]:
    def compare(value: Any, wanted: str | float) -> bool:
        if isinstance(wanted, float):
            number = _number(value)
            return number is not None and test(number, wanted)
        return test(_text(value), wanted)  # dates and times in DICOM's form sort as text

    return compare


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str:
    return str(value).strip(" \0")


def _is_absent(attribute: str | int, attributes: Attributes) -> bool:
    return attributes.get(attribute) is None


def _is_present(attribute: str | int, attributes: Attributes) -> bool:
    return attributes.get(attribute) is not None


def _is_empty(attribute: str | int, attributes: Attributes) -> bool:
    return _is_present(attribute, attributes) and not _values_of(attributes, attribute)


_FUNCTIONS: dict[str, Callable[[str | int, Attributes], bool]] = {
    "absent": _is_absent,
    "present": _is_present,
    "empty": _is_empty,
    "count": _is_present,  # compared with a number, see `_function`
}
_TESTS: dict[str, Callable[[Any, str | float], bool]] = {
    "==": _equal,
    "<": _ordered(lambda a, b: bool(a < b)),
    "<=": _ordered(lambda a, b: bool(a <= b)),
    ">": _ordered(lambda a, b: bool(a > b)),
    ">=": _ordered(lambda a, b: bool(a >= b)),
    "contains": lambda value, wanted: str(wanted) in _text(value),
    "matches": lambda value, wanted: fnmatchcase(_text(value), str(wanted)),
}
