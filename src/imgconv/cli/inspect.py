"""`imgconv inspect`: tell what is in files and folders, identifying values masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imgconv.cli.options import InputsArgument, JsonOption, SeriesOption, ShowPhiOption

if TYPE_CHECKING:
    from imgconv.ops.inspect import ImageInfo, InspectReport, SeriesInfo

__all__ = ["inspect"]


def inspect(
    inputs: InputsArgument,
    series: SeriesOption = [],  # noqa: B006  typer copies it
    show_phi: ShowPhiOption = False,
    json: JsonOption = False,
) -> int:
    """Tell what is in files and folders, and what a conversion would make of it.

    Patients and studies are numbered; names, dates and UIDs are shown only
    with --show-phi.
    """
    from imgconv.cli.render import print_json, tell_error
    from imgconv.core.options import ReadOptions
    from imgconv.ops.inspect import inspect as run

    report = run(inputs, ReadOptions(series=tuple(series)), show_phi=show_phi)
    if json:
        print_json(report.to_json())
    else:
        _print_report(report)
    for error in report.errors:
        tell_error(error)
    return report.exit_code


def _print_report(report: InspectReport) -> None:
    from imgconv.cli.render import print_lines, print_table

    rows = [row for series in report.series for row in _rows(series)]
    if rows:
        head = ("patient", "study", "series", "kind", "description", "files", "frames", "image")
        print_table((*head, "spacing mm", "plane", "encoding"), rows)
    print_lines(
        f"identity of series {_number(series)}: {name} = {value}"
        for series in report.series
        for name, value in series.identity.items()
    )
    print_lines(
        f"note: series {_number(series)}: {note}"
        for series in report.series
        for note in (*series.problems, *(note for image in series.images for note in image.notes))
    )
    counts: dict[tuple[str, str], int] = {}
    for file in report.left_out:
        key = (file.status.value, file.reason)
        counts[key] = counts.get(key, 0) + 1
    print_lines(
        f"{count} file{'s' if count > 1 else ''} {status}: {reason}"
        for (status, reason), count in counts.items()
    )


def _rows(series: SeriesInfo) -> list[tuple[str, ...]]:
    """Return a row per image; the columns of the series stand in the first one only."""
    ours = (
        str(series.patient or "-"),
        str(series.study or "-"),
        _number(series),
        series.modality or series.format,
        series.description or "-",
        str(series.files),
        str(series.frames or "-"),
    )
    syntaxes = ", ".join(series.transfer_syntaxes) or "-"
    if not series.images:
        return [(*ours, "none", "-", "-", syntaxes)]
    rows = []
    for number, image in enumerate(series.images):
        left = ours if number == 0 else ("",) * len(ours)
        right = syntaxes if number == 0 else ""
        rows.append((*left, _image(image), _spacing(image), image.plane, right))
    return rows


def _number(series: SeriesInfo) -> str:
    return series.path or ("-" if series.number is None else str(series.number))


def _image(image: ImageInfo) -> str:
    shape = "x".join(str(length) for length in image.shape)
    return " ".join(part for part in (shape, image.dtype, image.name) if part)


def _spacing(image: ImageInfo) -> str:
    return "x".join(f"{value:g}" for value in image.spacing) or "-"
