"""`imgconv formats`: list the formats and what each can hold."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from imgconv.cli.options import JsonOption

__all__ = ["formats"]

_FLAGS = ("geometry", "sheared", "rescale", "colour", "gradients", "segments", "metadata")


def formats(
    json: JsonOption = False,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Tell what each conversion keeps and loses.")
    ] = False,
) -> int:
    """List the formats, those of plug-ins included, and what each can hold."""
    from imgconv.cli.render import print_json, print_table, tell
    from imgconv.registry import formats as registry

    specs = list(registry)
    for problem in registry.problems:
        tell(f"warning: {problem}")
    if matrix:
        _show_matrix(specs, json=json)
        return 0
    if json:
        print_json(
            [
                {
                    "name": spec.name,
                    "title": spec.title,
                    "extensions": list(spec.extensions),
                    "reads": bool(spec.read),
                    "writes": bool(spec.write),
                    "provider": spec.provider,
                    "dtypes": list(spec.capabilities.dtypes),
                    "max_dims": spec.capabilities.max_dims,
                    **{flag: getattr(spec.capabilities, flag) for flag in _FLAGS},
                }
                for spec in specs
            ]
        )
        return 0
    rows = [
        (
            spec.name,
            "".join(("r" if spec.read else "-", "w" if spec.write else "-")),
            f"{spec.capabilities.max_dims}D",
            " ".join(flag for flag in _FLAGS if getattr(spec.capabilities, flag)) or "-",
            " ".join(spec.extensions),
            spec.provider,
        )
        for spec in sorted(specs, key=lambda spec: spec.name)
    ]
    print_table(("format", "rw", "dims", "holds", "extensions", "from"), rows)
    return 0


def _show_matrix(specs: Iterable[Any], *, json: bool) -> None:
    """Print one row per format that is read, one column per format that is written."""
    from imgconv.cli.render import print_json, print_table
    from imgconv.ops.matrix import ASPECTS, compare_formats

    pairs = compare_formats(specs)
    if json:
        print_json(
            [
                {
                    "from": pair.source,
                    "to": pair.target,
                    "keeps": list(pair.kept),
                    "loses": list(pair.lost),
                    "dtypes": list(pair.dtypes),
                }
                for pair in pairs
            ]
        )
        return
    targets = sorted({pair.target for pair in pairs})
    cells = {
        (pair.source, pair.target): "".join(ASPECTS[name][0] for name in pair.lost) or "."
        for pair in pairs
    }
    rows = [
        (source, *(cells.get((source, target), "") for target in targets))
        for source in sorted({pair.source for pair in pairs})
    ]
    print_table(("from", *targets), rows)
    print_table(("lost", "what"), [(letter, text) for letter, text in ASPECTS.values()])
