"""Find formats, codecs, rules and profiles: our tables first, then entry points.

Entry points are scanned on a miss or for a listing, never at start-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Generic, TypeVar

from imgconv.entry_points import iter_entry_points
from imgconv.errors import UsageError

__all__ = ["ENTRY_POINT_GROUPS", "Registry", "codecs", "formats", "profiles", "rules"]

Spec = TypeVar("Spec")

# A third party's entry point in one of these groups resolves to one spec or a tuple of specs.
ENTRY_POINT_GROUPS = {
    "formats": "imgconv.formats.v1",
    "codecs": "imgconv.codecs.v1",
    "rules": "imgconv.rules.v1",
    "profiles": "imgconv.profiles.v1",
}


class Registry(Generic[Spec]):
    """The specs of one kind, by key.

    Parameters
    ----------
    kind
        A key of `ENTRY_POINT_GROUPS`, used in messages.
    table
        ``"module:NAME"`` of our own tuple of specs.
    key
        The attribute of a spec that names it.
    spec_type
        ``"module:Class"`` that a third party's spec must be.
    """

    def __init__(self, kind: str, table: str, key: str, spec_type: str) -> None:
        self._kind = kind
        self._table = table
        self._key = key
        self._spec_type = spec_type
        self._own: dict[str, Spec] | None = None
        self._others: dict[str, Spec] | None = None
        self.problems: list[str] = []

    def get(self, name: str) -> Spec:
        """Return the spec called `name`.

        Raises
        ------
        UsageError
            Neither imgconv nor an installed plug-in has it.
        """
        found = self.find(name)
        if found is None:
            known = ", ".join(sorted({**self._load_own(), **self._load_others()}))
            raise UsageError(f"unknown {self._kind[:-1]} `{name}`; known: {known}")
        return found

    def find(self, name: str) -> Spec | None:
        """Return the spec called `name`, or None."""
        own = self._load_own().get(name)
        return own if own is not None else self._load_others().get(name)

    def own(self) -> tuple[Spec, ...]:
        """Return imgconv's own specs, without looking for plug-ins."""
        return tuple(self._load_own().values())

    def __iter__(self) -> Iterator[Spec]:
        """Iterate over all specs, plug-ins included; ours win a clash of names."""
        yield from ({**self._load_others(), **self._load_own()}).values()

    def _load_own(self) -> dict[str, Spec]:
        if self._own is None:
            module, _, name = self._table.partition(":")
            specs = getattr(import_module(module), name)
            self._own = {getattr(spec, self._key): spec for spec in specs}
        return self._own

    def _load_others(self) -> dict[str, Spec]:
        if self._others is None:
            self._others = {}
            for spec in self._iter_entry_points():
                self._others.setdefault(getattr(spec, self._key), spec)
        return self._others

    def _iter_entry_points(self) -> Iterator[Spec]:
        module, _, name = self._spec_type.partition(":")
        wanted = getattr(import_module(module), name)
        for entry in iter_entry_points(ENTRY_POINT_GROUPS[self._kind]):
            try:
                loaded: Any = entry.load()
            except Exception as error:  # noqa: BLE001  a broken plug-in must not stop the rest
                self.problems.append(
                    f"plug-in `{entry.name}` cannot be loaded: {type(error).__name__}"
                )
                continue
            for spec in loaded if isinstance(loaded, tuple) else (loaded,):
                if isinstance(spec, wanted):
                    yield spec
                else:
                    self.problems.append(
                        f"plug-in `{entry.name}` gave `{type(spec).__name__}`; "
                        f"expected {wanted.__name__}"
                    )


formats: Registry[Any] = Registry(
    "formats", "imgconv.formats._table:FORMATS", "name", "imgconv.spec:FormatSpec"
)

codecs: Registry[Any] = Registry(
    "codecs", "imgconv.codecs._table:CODECS", "name", "imgconv.spec:CodecSpec"
)

rules: Registry[Any] = Registry(
    "rules", "imgconv.rules.catalog:RULES", "id", "imgconv.spec:RuleSpec"
)
profiles: Registry[Any] = Registry(
    "profiles", "imgconv.profiles.shipped:PROFILES", "name", "imgconv.spec:ProfileSpec"
)
