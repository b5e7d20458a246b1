"""A small language for conditions about attributes: `--where`, and `when` of profiles.

    Modality == 'CT' and not absent(NumberOfFrames)
    SOPClassUID in ('1.2.840.10008.5.1.4.1.1.2', CTImageStorage) or SliceThickness > 5
    ImageType contains 'DERIVED' and SeriesDescription matches '(?i)scout'

Operands are keywords, tag paths in the form ``gggg,eeee``, numbers, quoted text and names of
SOP classes. Comparisons are ``== != < <= > >= in contains matches``; functions
are ``present(x)``, ``absent(x)``, ``empty(x)`` and ``count(x)``. Comparing
something absent is false. Nothing is evaluated as Python.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from imgconv.errors import ConfigError

__all__ = ["Expression", "Lookup", "parse_expression"]

Value = str | float
_MAX_LENGTH = 4000
_MAX_DEPTH = 50
_MAX_PATTERN = 500


class Lookup(Protocol):
    """Gives the values of an attribute: None if it is absent, empty if it has none."""

    def __call__(self, keyword: str, /) -> Sequence[Value] | None:
        """Return the values of what `keyword` names."""


Predicate = Callable[[Lookup], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w,]))|(?P<tag>[0-9A-Fa-f]{4},[0-9A-Fa-f]{4})"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<text>'[^']*'|\"[^\"]*\")|(?P<sign>==|!=|<=|>=|[<>(),]))"
)
_COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FUNCTIONS = frozenset({"present", "absent", "empty", "count"})
_WORDS = frozenset({"and", "or", "not", "in", "contains", "matches"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed condition.

    Parameters
    ----------
    text
        As it was written.
    keywords
        The attributes that it looks at.
    """

    text: str
    keywords: frozenset[str]
    _predicate: Predicate

    def __call__(self, lookup: Lookup) -> bool:
        """Whether the condition holds for what `lookup` finds."""
        return self._predicate(lookup)

    def __reduce__(self) -> tuple[object, ...]:
        return (parse_expression, (self.text,))


def parse_expression(text: str, names: Callable[[str], str | None] | None = None) -> Expression:
    """Parse a condition.

    Parameters
    ----------
    text
        The condition.
    names
        Gives the UID that a name of a SOP class means, None if it is no name.
        What is neither a name nor a keyword is refused.

    Raises
    ------
    ConfigError
        It is no condition; the message names the column.
    """
    return _Parser(text, names or _find_uid).parse()


def _find_uid(name: str) -> str | None:
    from imgconv.standard.sop_classes import find_uid

    return find_uid(name)


class _Parser:
    """Recursive descent: or, and, not, comparison."""

    def __init__(self, text: str, names: Callable[[str], str | None]) -> None:
        self._text = text
        self._names = names
        self._tokens = self._split()
        self._at = 0
        self._keywords: set[str] = set()

    def parse(self) -> Expression:
        predicate = self._parse_or(0)
        if self._peek() is not None:
            raise self._error(f"unexpected `{self._tokens[self._at].text}`")
        return Expression(self._text, frozenset(self._keywords), predicate)

    def _split(self) -> list[_Token]:
        if len(self._text) > _MAX_LENGTH:
            raise ConfigError(f"the condition is longer than {_MAX_LENGTH} characters")
        tokens, at = [], 0
        while self._text[at:].strip():
            found = _TOKEN.match(self._text, at)
            if found is None:
                raise ConfigError(f"column {at + 1} of the condition is not understood")
            kind = found.lastgroup or ""
            tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
            at = found.end()
        return tokens

    def _error(self, message: str) -> ConfigError:
        tokens = self._tokens
        column = tokens[self._at].column if self._at < len(tokens) else len(self._text) + 1
        return ConfigError(f"{message} at column {column} of the condition `{self._text}`")

    def _peek(self, *texts: str) -> _Token | None:
        if self._at >= len(self._tokens):
            return None
        token = self._tokens[self._at]
        if texts and (token.kind == "text" or token.text not in texts):
            return None
        return token

    def _take(self, *texts: str) -> _Token | None:
        token = self._peek(*texts)
        if token is not None:
            self._at += 1
        return token

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise self._error(f"expected `{text}`")

    def _parse_or(self, depth: int) -> Predicate:
        if depth > _MAX_DEPTH:
            raise self._error("too many brackets")
        parts = [self._parse_and(depth)]
        while self._take("or"):
            parts.append(self._parse_and(depth))
        return parts[0] if len(parts) == 1 else lambda lookup: any(p(lookup) for p in parts)

    def _parse_and(self, depth: int) -> Predicate:
        parts = [self._parse_not(depth)]
        while self._take("and"):
            parts.append(self._parse_not(depth))
        return parts[0] if len(parts) == 1 else lambda lookup: all(p(lookup) for p in parts)

    def _parse_not(self, depth: int) -> Predicate:
        if depth > _MAX_DEPTH:
            raise self._error("too many brackets")
        if self._take("not"):
            inner = self._parse_not(depth + 1)
            return lambda lookup: not inner(lookup)
        if self._take("("):
            inner = self._parse_or(depth + 1)
            self._need(")")
            return inner
        return self._parse_comparison()

    def _parse_comparison(self) -> Predicate:
        token = self._peek()
        if token is not None and token.text in _FUNCTIONS and token.kind == "word":
            return self._parse_function()
        left = self._parse_keyword()
        sign = self._take(*_COMPARISONS, "in", "contains", "matches")
        if sign is None:
            raise self._error("expected a comparison")
        if sign.text in _COMPARISONS:
            return partial(_compare, left, _COMPARISONS[sign.text], self._parse_value())
        if sign.text == "in":
            return partial(_is_in, left, self._parse_values())
        if sign.text == "contains":
            return partial(_contains, left, self._parse_value())
        return partial(_matches, left, self._parse_pattern())

    def _parse_function(self) -> Predicate:
        name = self._tokens[self._at].text
        self._at += 1
        self._need("(")
        keyword = self._parse_keyword()
        self._need(")")
        if name != "count":
            return partial(_STATES[name], keyword)
        sign = self._take(*_COMPARISONS)
        if sign is None:
            raise self._error("expected a comparison after `count`")
        return partial(_count, keyword, _COMPARISONS[sign.text], self._parse_value())

    def _parse_keyword(self) -> str:
        token = self._peek()
        if token is None or token.kind not in ("word", "tag") or token.text in _WORDS:
            raise self._error("expected a keyword")
        from imgconv.standard.elements import find_tag

        if token.kind == "word" and find_tag(token.text) is None:
            raise self._error(f"unknown keyword `{token.text}`")
        self._at += 1
        self._keywords.add(token.text)
        return token.text

    def _parse_value(self) -> Value:
        token = self._take()
        if token is not None and token.kind == "number":
            return float(token.text)
        if token is not None and token.kind == "text":
            return token.text[1:-1]
        if token is not None and token.kind == "word" and token.text not in _WORDS:
            uid = self._names(token.text)
            if uid is not None:
                return uid
        self._at = max(0, self._at - (token is not None))
        raise self._error("expected a number, a quoted text or the name of a SOP class")

    def _parse_values(self) -> tuple[Value, ...]:
        self._need("(")
        values = [self._parse_value()]
        while self._take(","):
            values.append(self._parse_value())
        self._need(")")
        return tuple(values)

    def _parse_pattern(self) -> re.Pattern[str]:
        value = self._parse_value()
        try:
            if not isinstance(value, str) or len(value) > _MAX_PATTERN:
                raise self._error("expected a pattern")
            return re.compile(value)
        except (re.error, RecursionError, OverflowError) as error:
            raise self._error("not a pattern") from error


def _alike(value: Value, wanted: Value) -> Value | None:
    """Return `value` as what `wanted` is, None if it cannot be that."""
    if isinstance(wanted, str):
        return str(value)
    try:
        return float(value)
    except ValueError:
        return None


def _compare(
    keyword: str, compare: Callable[[Value, Value], bool], wanted: Value, lookup: Lookup
) -> bool:
    values = lookup(keyword)
    if not values:
        return False
    value = _alike(values[0], wanted)
    return value is not None and compare(value, wanted)


def _is_in(keyword: str, wanted: tuple[Value, ...], lookup: Lookup) -> bool:
    values = lookup(keyword) or ()
    return bool(values) and any(_alike(values[0], one) == one for one in wanted)


def _contains(keyword: str, wanted: Value, lookup: Lookup) -> bool:
    return any(_alike(value, wanted) == wanted for value in lookup(keyword) or ())


def _matches(keyword: str, pattern: re.Pattern[str], lookup: Lookup) -> bool:
    return any(pattern.search(str(value)[:10000]) for value in lookup(keyword) or ())


def _present(keyword: str, lookup: Lookup) -> bool:
    return lookup(keyword) is not None


def _absent(keyword: str, lookup: Lookup) -> bool:
    return lookup(keyword) is None


def _empty(keyword: str, lookup: Lookup) -> bool:
    values = lookup(keyword)
    return values is not None and not values


def _count(
    keyword: str, compare: Callable[[Value, Value], bool], wanted: Value, lookup: Lookup
) -> bool:
    return isinstance(wanted, float) and compare(float(len(lookup(keyword) or ())), wanted)


_STATES = {"present": _present, "absent": _absent, "empty": _empty}
