"""`imgconv formats`: list the formats and what each can hold."""

from __future__ import annotations

from imgconv.cli.options import JsonOption

__all__ = ["formats"]

_FLAGS = ("geometry", "sheared", "rescale", "colour", "gradients", "segments", "metadata")


def formats(json: JsonOption = False) -> int:
    """List the formats, those of plug-ins included, and what each can hold."""
    from imgconv.cli.render import print_json, print_table, tell
    from imgconv.registry import formats as registry

    specs = list(registry)
    for problem in registry.problems:
        tell(f"warning: {problem}")
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
