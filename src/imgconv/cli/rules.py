"""`imgconv rules`: list the rules, or explain some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from imgconv.cli.options import JsonOption

if TYPE_CHECKING:
    from imgconv.spec import RuleSpec

__all__ = ["rules"]


def rules(
    names: Annotated[
        list[str], typer.Argument(metavar="[RULE]...", help="Ids, names, or a family's letter.")
    ] = [],  # noqa: B006  typer copies it
    json: JsonOption = False,
) -> int:
    """List the rules of `imgconv validate`, or explain some of them."""
    from dataclasses import asdict

    from imgconv import registry
    from imgconv.cli.render import print_json, print_table
    from imgconv.errors import UsageError

    specs = sorted(registry.rules, key=lambda spec: spec.id)
    for name in names:
        if not any(_is_meant(spec, name) for spec in specs):
            raise UsageError(f"unknown rule `{name}`", hint="`imgconv rules` lists all")
    chosen = [spec for spec in specs if not names or any(_is_meant(spec, n) for n in names)]
    if json:
        print_json([asdict(spec) for spec in chosen])
    elif names:
        typer.echo("\n".join(_explain(spec) for spec in chosen), nl=False)
    else:
        print_table(
            ("id", "severity", "name", "what is wrong"),
            [(s.id, s.severity, s.name, s.title) for s in chosen],
        )
    return 0


def _is_meant(spec: RuleSpec, name: str) -> bool:
    return name in (spec.id, spec.name) or (len(name) == 1 and spec.id.startswith(name.upper()))


def _explain(spec: RuleSpec) -> str:
    scope = "a file" if spec.scope in ("instance", "file") else f"a {spec.scope}"
    notes = [f"severity: {spec.severity}; about {scope}"]
    if spec.opt_in:
        notes.append("only profiles that ask for it run it")
    lines = [
        f"{spec.id} {spec.name}",
        f"  {spec.title}.",
        f"  {spec.reason}",
        f"  {'; '.join(notes)}",
        f"  source: {spec.source}",
        f"  fails:  {spec.fails}",
        f"  passes: {spec.passes}",
    ]
    return "\n".join(lines) + "\n"
