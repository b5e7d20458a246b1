"""`imgconv convert`: parse the options, call `ops.convert`, render its report."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from imgconv.cli import completion
from imgconv.cli.batch_options import (
    ExecutorOption,
    FailedListOption,
    FailFastOption,
    JobsOption,
    ManifestOption,
    MemoryLimitOption,
    ProgressOption,
    ResumeOption,
    RetriesOption,
    ShardOption,
    TimeoutOption,
    build_ledger,
    build_options,
)
from imgconv.cli.dicom_options import (
    AsOption,
    EmptyFramesOption,
    LayersOption,
    MetadataOption,
    ReferenceOption,
    ResampleOption,
    SegmentsOption,
    SetOption,
    TransferSyntaxOption,
    UidSeedOption,
    dicom_write_options,
    is_label_object,
)
from imgconv.cli.options import (
    AllowOption,
    DryRunOption,
    InputsArgument,
    JsonOption,
    QuietOption,
    SeriesOption,
    StrictOption,
    VerboseOption,
    split_names,
)
from imgconv.cli.picture_options import (
    FramesOption,
    MontageOption,
    OverlaysOption,
    QualityOption,
    ValuesOption,
    WindowOption,
    picture_write_options,
)
from imgconv.cli.progress import ProgressMode

if TYPE_CHECKING:
    from imgconv.batch.job import BatchOptions
    from imgconv.batch.ledger import Ledger

__all__ = ["convert"]


class _Overwrite(StrEnum):
    NEVER = "never"
    IF_DIFFERENT = "if-different"
    ALWAYS = "always"


class _Sidecar(StrEnum):
    OFF = "off"
    ANONYMISED = "anonymised"
    FULL = "full"


class _Merge(StrEnum):
    AUTO = "auto"
    NEVER = "never"
    SERIES = "series"


class _Tilt(StrEnum):
    KEEP = "keep"
    RESAMPLE = "resample"


class _Storage(StrEnum):
    AUTO = "auto"
    DCM2NIIX = "dcm2niix"
    RAS = "ras"
    KEEP = "keep"


def convert(  # noqa: PLR0917  a command's options
    inputs: InputsArgument,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="PATH", help="Folder, or file, to write.")
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FORMAT",
            help="See `imgconv formats`. [default: nifti]",
            autocompletion=completion.formats,
        ),
    ] = "",
    name: Annotated[
        str,
        typer.Option(
            "--name",
            metavar="TEMPLATE",
            help="`{SeriesNumber:03}_{SeriesDescription}`, or `%s_%d` as in dcm2niix.",
        ),
    ] = "",
    series: SeriesOption = [],  # noqa: B006  typer copies it
    compress: Annotated[
        bool | None, typer.Option("--compress/--no-compress", help=".nii.gz, or .nii.")
    ] = None,
    level: Annotated[
        int | None,
        typer.Option("--level", metavar="1..9", min=1, max=9, help="Compression: 1 fast, 9 small."),
    ] = None,
    sidecar: Annotated[_Sidecar, typer.Option(help="JSON beside a volume.")] = _Sidecar.ANONYMISED,
    merge: Annotated[_Merge, typer.Option(help="What of a series is put together.")] = _Merge.AUTO,
    ignore_localizers: Annotated[
        bool, typer.Option("--ignore-localizers", help="Leave out localizers.")
    ] = False,
    ignore_derived: Annotated[
        bool, typer.Option("--ignore-derived", help="Leave out derived images.")
    ] = False,
    tilt: Annotated[_Tilt, typer.Option(help="Gantry tilt: sheared, or resampled.")] = _Tilt.KEEP,
    storage: Annotated[
        _Storage, typer.Option(help="Which way round NIfTI is stored.")
    ] = _Storage.AUTO,
    object_name: AsOption = "",
    reference: ReferenceOption = [],  # noqa: B006  typer copies it
    metadata: MetadataOption = [],  # noqa: B006  typer copies it
    assign: SetOption = [],  # noqa: B006  typer copies it
    uid_seed: UidSeedOption = "",
    resample: ResampleOption = False,
    transfer_syntax: TransferSyntaxOption = "",
    segments: SegmentsOption = "",
    empty_frames: EmptyFramesOption = False,
    layers: LayersOption = False,
    values: ValuesOption = "",
    window: WindowOption = "",
    overlays: OverlaysOption = False,
    frames: FramesOption = "",
    montage: MontageOption = "",
    quality: QualityOption = None,
    overwrite: Annotated[
        _Overwrite, typer.Option(help="What becomes of existing outputs.")
    ] = _Overwrite.NEVER,
    allow: AllowOption = [],  # noqa: B006  typer copies it
    strict: StrictOption = False,
    jobs: JobsOption = 0,
    timeout: TimeoutOption = None,
    memory_limit: MemoryLimitOption = 0,
    retries: RetriesOption = 2,
    fail_fast: FailFastOption = False,
    manifest: ManifestOption = None,
    resume: ResumeOption = False,
    shard: ShardOption = "",
    failed_list: FailedListOption = None,
    executor: ExecutorOption = "local",
    progress: ProgressOption = ProgressMode.AUTO,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Convert images: DICOM to NIfTI with BIDS sidecars, and between all formats.

    Prints what became of every input. Exit code 3: some inputs failed, the
    others were converted; 4: none was.
    """
    from imgconv.cli.progress import show_progress
    from imgconv.cli.render import show_convert_report
    from imgconv.core.options import Merge, Overwrite, ReadOptions, Sidecar, Tilt, WriteOptions
    from imgconv.ops.convert import ConvertOptions, split_output, without_running, write_failed_list
    from imgconv.ops.convert import convert as run

    allowed = split_names(allow)
    folder, stem, format_name = split_output(output, to)
    dicom = dicom_write_options(
        format_name,
        object_name=object_name,
        reference=reference,
        metadata=metadata,
        assignments=assign,
        uid_seed=uid_seed,
        resample=resample,
        transfer_syntax=transfer_syntax,
        segments=segments,
        empty_frames=empty_frames,
    )
    pictures = picture_write_options(
        values=values, window=window, overlays=overlays, frames=frames, montage=montage
    )
    options = ConvertOptions(
        to=format_name,
        name=name or stem,
        read=ReadOptions(
            series=tuple(series),
            ignore_localizers=ignore_localizers,
            ignore_derived=ignore_derived,
            merge=Merge(merge),
            tilt=Tilt(tilt),
            allow=allowed,
            strict=strict,
            extra={
                **({"dicom": {"reference": tuple(reference)}} if reference else {}),
                **(
                    {"raster": {"labels": True, "unnamed": not segments}}
                    if is_label_object(object_name)
                    else {}
                ),
            },
        ),
        write=WriteOptions(
            compress=compress,
            level=level,
            quality=quality,
            sidecar=Sidecar(sidecar),
            # What an interrupted run has finished but not recorded is made again, the same.
            overwrite=Overwrite.IF_DIFFERENT
            if resume and overwrite is _Overwrite.NEVER
            else Overwrite(overwrite),
            allow=allowed,
            strict=strict,
            reference=dicom.get("reference", ()),
            metadata=dicom.get("metadata", {}),
            extra={"nifti": {"storage": storage.value}, **dicom.get("extra", {}), **pictures},
        ),
        jobs=jobs,
        dry_run=dry_run,
        layers=layers,
    )
    # Only these ask for the batch engine, which takes 30 ms to import, for a single series.
    always = resume or executor != "local" or bool(timeout or memory_limit or manifest or shard)

    def engine() -> tuple[BatchOptions, Ledger]:
        batch = build_options(
            jobs=jobs,
            timeout=timeout,
            memory_limit=memory_limit,
            retries=retries,
            fail_fast=fail_fast,
            executor=executor,
        )
        return batch, build_ledger(
            folder,
            without_running(options),
            manifest=manifest,
            resume=resume,
            shard=shard,
            versions=_versions() if manifest is not None else {},
        )

    if always:
        engine()  # a mistake in them is told before anything is done
    # A log gets no progress unless it is asked for: it would drown the one line per failure.
    unasked = progress is ProgressMode.AUTO and not sys.stderr.isatty()
    mode = ProgressMode.NONE if quiet or unasked else progress
    with show_progress(mode, verbose=verbose) as listener:
        report = run(inputs, folder, options, listener, engine=engine, always=always)
    if failed_list is not None:
        write_failed_list(failed_list, report)
    show_convert_report(report, json=json, quiet=quiet, verbose=verbose)
    return report.exit_code


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    from imgconv import __version__

    names = ("imagecodecs", "numpy", "pydicom")
    return {"imgconv": __version__, **{name: version(name) for name in names}}
