"""`imgconv transfer-syntaxes`: every transfer syntax, and what can be done with it."""

from __future__ import annotations

from typing import Annotated

import typer

from imgconv.cli.options import JsonOption

__all__ = ["transfer_syntaxes"]


def transfer_syntaxes(
    able: Annotated[
        bool, typer.Option("--able", help="Only those that can be decoded or encoded.")
    ] = False,
    json: JsonOption = False,
) -> int:
    """List the transfer syntaxes of PS3.6: names for `--to`, and the libraries that serve them."""
    from imgconv.cli.render import print_json, print_table
    from imgconv.ops.transfer_syntaxes import list_transfer_syntaxes

    entries = [entry for entry in list_transfer_syntaxes() if entry.decoders or not able]
    if json:
        print_json([entry.to_json() for entry in entries])
        return 0
    print_table(
        ("UID", "NAME FOR --to", "KIND", "DECODED BY", "ENCODED BY", "TITLE"),
        (
            (
                entry.syntax.uid,
                entry.syntax.aliases[0] if entry.syntax.aliases else "-",
                entry.kind,
                ", ".join(entry.decoders) or "-",
                ", ".join(entry.encoders) or "-",
                entry.syntax.name + (" (retired)" if entry.syntax.retired else ""),
            )
            for entry in entries
        ),
    )
    return 0
