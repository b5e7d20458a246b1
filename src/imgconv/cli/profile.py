"""`imgconv profile`: list, show, compare, test and derive profiles."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imgconv.cli.batch_options import JobsOption
from imgconv.cli.options import JsonOption

__all__ = ["profile"]


class _Action(StrEnum):
    LIST = "list"
    SHOW = "show"
    DIFF = "diff"
    TEST = "test"
    INIT = "init"


_DIFFERS = {"only first": "", "only second": "", "severity": "", "content": " (differs)"}


def profile(  # noqa: PLR0917  a command's options
    action: Annotated[
        _Action, typer.Argument(metavar="list|show|diff|test|init", help="What to do.")
    ],
    names: Annotated[
        list[str], typer.Argument(metavar="[NAME|FILE]...", help="Profiles; `init`: its name.")
    ] = [],  # noqa: B006  typer copies it
    source: Annotated[
        list[Path], typer.Option("--from", metavar="FOLDER", help="Good examples, for `init`.")
    ] = [],  # noqa: B006  typer copies it
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", dir_okay=False, help="File to write."),
    ] = None,
    jobs: JobsOption = 0,
    json: JsonOption = False,
) -> int:
    """List profiles, show or compare what they resolve to, run tests, or derive a draft.

    `show NAME` prints every rule with its severity, those that it extends
    included; `diff A B` prints the rules that differ. `test FILE` runs the
    examples that a profile carries. `init NAME --from FOLDER` writes a draft
    from examples that are as they should be.
    """
    from imgconv.errors import UsageError

    if action is _Action.LIST:
        return _list(json=json)
    if action is _Action.INIT:
        if len(names) != 1 or not source:
            raise UsageError("`profile init` needs a name and `--from FOLDER`")
        return _init(names[0], source, output, jobs)
    if not names:
        raise UsageError(f"`profile {action.value}` needs the name or file of a profile")
    if action is _Action.DIFF:
        if len(names) != 2:
            raise UsageError("`profile diff` needs the names or files of two profiles")
        return _diff(*names, json=json)
    if action is _Action.SHOW:
        for name in names:
            _show(name, json=json)
        return 0
    return _test(names)


def _list(*, json: bool) -> int:
    from imgconv import registry
    from imgconv.cli.render import print_json, print_table

    rows = [(spec.name, spec.provider, spec.title) for spec in registry.profiles]
    if json:
        print_json([dict(zip(("name", "provider", "title"), row, strict=True)) for row in rows])
    else:
        print_table(("name", "from", "what it asks for"), rows)
    return 0


def _show(name: str, *, json: bool) -> None:
    from imgconv.cli.render import print_json, print_table
    from imgconv.ops.profiles import describe_profile

    described = describe_profile(name)
    if json:
        print_json(described)
        return
    typer.echo(f"{described['profile']} {described['version']}: {described['title']}")
    if described["source"]:
        typer.echo(f"source: {described['source']}")
    print_table(
        ("rule", "severity", "what"),
        [(rule["id"], rule["severity"], rule["what"]) for rule in described["rules"]],
    )


def _diff(first: str, second: str, *, json: bool) -> int:
    from imgconv.cli.render import print_json, print_table
    from imgconv.ops.profiles import compare_profiles

    rows = compare_profiles(first, second)
    if json:
        print_json(rows)
    elif rows:
        table = [
            (row["id"], row["first"], row["second"], row["what"] + _DIFFERS[row["change"]])
            for row in rows
        ]
        print_table(("rule", first, second, "what"), table)
    else:
        typer.echo("the profiles run the same rules")
    return 0


def _test(names: list[str]) -> int:
    from imgconv.exitcodes import ExitCode
    from imgconv.ops.profiles import check_examples

    failed = 0
    for name in names:
        for result in check_examples(name):
            failed += not result.passed
            state = "pass" if result.passed else "FAIL"
            typer.echo(f"{state} {name}:{result.line} {result.name}{result.difference}")
    return ExitCode.FINDINGS if failed else ExitCode.DONE


def _init(name: str, source: list[Path], output: Path | None, jobs: int) -> int:
    from imgconv.core.atomic import write_bytes
    from imgconv.ops.learn_profile import learn_profile

    text = learn_profile(name, source, jobs=jobs)
    if output is None:
        typer.echo(text, nl=False)
    else:
        write_bytes(output, text.encode(), replace=False)
    return 0
