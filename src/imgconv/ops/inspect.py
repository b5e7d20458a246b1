"""Tell what is in files and folders, and what a conversion would make of it.

Nothing is decoded. Values that may identify a person are left out unless they
are asked for: patients and studies are numbered in the order of appearance.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgconv.core.geometry import Geometry
from imgconv.core.image import Image
from imgconv.core.options import ReadOptions
from imgconv.errors import ImgconvError
from imgconv.exitcodes import ExitCode
from imgconv.ops.convert_plan import left_out_file
from imgconv.ops.detect import detect_format
from imgconv.ops.inputs import InputFile, Inputs, gather, list_inputs
from imgconv.ops.report import FileOutcome, Status
from imgconv.records import record
from imgconv.spec import FormatSpec, resolve

if TYPE_CHECKING:
    from imgconv.dicom.header import Header
    from imgconv.dicom.plan import SeriesPlan

__all__ = ["ImageInfo", "InspectReport", "SeriesInfo", "inspect"]

# What --show-phi adds to a series.
_IDENTIFYING = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyDate",
    "StudyDescription",
    "InstitutionName",
    "StudyInstanceUID",
    "SeriesInstanceUID",
)


@record
class ImageInfo:
    """One image that a conversion would make.

    `shape` runs i, j, k and t; `spacing` is in millimetres; `plane` names the
    slices' orientation; `notes` are losses and warnings that are known before
    anything is decoded.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] = ()
    plane: str = ""
    name: str = ""
    dtype: str = ""
    notes: tuple[str, ...] = ()


@record
class SeriesInfo:
    """One DICOM series, or one file of another format.

    `patient` and `study` are numbers from 1 in the order of appearance, 0 for
    other formats. `identity` is empty unless it was asked for.
    """

    format: str
    files: int
    images: tuple[ImageInfo, ...]
    patient: int = 0
    study: int = 0
    number: int | None = None
    description: str = ""
    modality: str = ""
    manufacturer: str = ""
    sop_class: str = ""
    transfer_syntaxes: tuple[str, ...] = ()
    frames: int = 0
    path: str = ""
    problems: tuple[str, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the series as JSON values."""
        return {
            "format": self.format,
            "path": self.path,
            "patient": self.patient,
            "study": self.study,
            "series_number": self.number,
            "description": self.description,
            "modality": self.modality,
            "manufacturer": self.manufacturer,
            "sop_class": self.sop_class,
            "transfer_syntaxes": list(self.transfer_syntaxes),
            "files": self.files,
            "frames": self.frames,
            "images": [
                {
                    "shape": list(image.shape),
                    "spacing": list(image.spacing),
                    "plane": image.plane,
                    "variant": image.name,
                    "dtype": image.dtype,
                    "notes": list(image.notes),
                }
                for image in self.images
            ],
            "problems": list(self.problems),
            **({"identity": dict(self.identity)} if self.identity else {}),
        }


@record
class InspectReport:
    """What was found; `left_out` are the files that belong to no image."""

    series: tuple[SeriesInfo, ...]
    left_out: tuple[FileOutcome, ...]

    @property
    def errors(self) -> tuple[ImgconvError, ...]:
        """Each failure once."""
        found: dict[int, ImgconvError] = {}
        for file in self.left_out:
            if file.error is not None:
                found.setdefault(id(file.error), file.error)
        return tuple(found.values())

    @property
    def exit_code(self) -> ExitCode:
        """What the command ends with."""
        if not self.series:
            return ExitCode.NONE_DONE
        return ExitCode.SOME_FAILED if self.errors else ExitCode.DONE

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "schema": "imgconv.inspect/1",
            "series": [series.to_json() for series in self.series],
            "files": [file.to_json() for file in self.left_out],
        }


def inspect(
    inputs: Inputs,
    options: ReadOptions = ReadOptions(),  # noqa: B008  frozen
    *,
    show_phi: bool = False,
) -> InspectReport:
    """Look at everything in `inputs`.

    Parameters
    ----------
    inputs
        Files, folders, archives, DICOMDIR files, patterns: one, or several.
    show_phi
        Whether to tell values that may identify a person.

    Raises
    ------
    InputError
        An input does not exist.
    """
    with tempfile.TemporaryDirectory(prefix="imgconv-") as scratch:
        series: list[SeriesInfo] = []
        left_out: list[FileOutcome] = []
        dicom: list[InputFile] = []
        companions: set[str] = set()
        for file in gather(list_inputs(inputs), Path(scratch)):
            spec = None if file.problem or file.skipped else detect_format(file.path, file.head)
            if spec is None or not spec.read:
                left_out.append(left_out_file(file, spec))
            elif spec.name == "dicom":
                dicom.append(file)
            else:
                try:
                    found_here, beside = _other(spec, file, options)
                    series.append(found_here)
                    companions |= beside
                except ImgconvError as error:
                    shown = type(error)(error.message, path=file.shown, hint=error.hint)
                    left_out.append(
                        FileOutcome(file.shown, Status.FAILED, error.message, error=shown)
                    )
        if dicom:
            found, outcomes = _dicom(dicom, options, show_phi=show_phi)
            series = [*found, *series]
            left_out += outcomes
        kept = tuple(file for file in left_out if file.path not in companions)
        return InspectReport(tuple(series), kept)


def _dicom(
    files: Sequence[InputFile], options: ReadOptions, *, show_phi: bool
) -> tuple[list[SeriesInfo], list[FileOutcome]]:
    from imgconv.dicom.series import plan_series
    from imgconv.ops.dicom_plan import problem_outcomes, read_headers

    headers, left_out = read_headers(files)
    by_path = {file.path: file for file in files}
    by_header = {header.path: header for header in headers}
    patients: dict[object, int] = {}
    studies: dict[object, int] = {}
    found = []
    for plan in plan_series(headers, options):
        for problem in plan.problems:
            left_out += problem_outcomes(problem, by_path)
        paths = [path for volume in plan.volumes for path in volume.paths]
        paths += [path for problem in plan.problems for path in problem.paths]
        members = [by_header[path] for path in dict.fromkeys(paths) if path in by_header]
        if not members:
            continue
        first = members[0]
        patient = (first.get("PatientID"), first.get("PatientName"))
        study = (*patient, first.get("StudyInstanceUID"))
        found.append(
            _series(
                plan,
                members,
                patient=patients.setdefault(patient, len(patients) + 1),
                study=studies.setdefault(study, len(studies) + 1),
                show_phi=show_phi,
            )
        )
    return found, left_out


def _series(
    plan: SeriesPlan, members: list[Header], *, patient: int, study: int, show_phi: bool
) -> SeriesInfo:
    from imgconv.standard.transfer_syntaxes import find_transfer_syntax

    first = members[0]
    syntaxes = dict.fromkeys(header.transfer_syntax_uid for header in members)
    known = [(uid, find_transfer_syntax(uid)) for uid in syntaxes]
    identity = {name: str(first.get(name, "")) for name in _IDENTIFYING} if show_phi else {}
    info = SeriesInfo(
        format="dicom",
        files=len(members),
        images=tuple(_planned_image(volume) for volume in plan.volumes),
        patient=patient,
        study=study,
        number=plan.series_number,
        description=plan.description,
        modality=plan.modality,
        manufacturer=str(first.get("Manufacturer", "")),
        sop_class=str(first.get("SOPClassUID", "")),
        transfer_syntaxes=tuple(syntax.name if syntax else uid for uid, syntax in known),
        frames=sum(_frames(header) for header in members),
        problems=tuple(dict.fromkeys(problem.message for problem in plan.problems)),
        identity={name: value for name, value in identity.items() if value},
    )
    for header in members:
        header.release()
    return info


def _frames(header: Header) -> int:
    frames = header.get("NumberOfFrames", 1)
    return frames if isinstance(frames, int) else 1


def _planned_image(volume: Any) -> ImageInfo:
    """Describe a planned volume, or an object that is an image by itself."""
    times = len(volume.volumes)
    geometry: Geometry | None = getattr(volume, "geometry", None)
    losses = getattr(volume, "losses", ())
    return ImageInfo(
        shape=(*volume.size_ijk, *((times,) if times > 1 else ())),
        spacing=_spacing(geometry),
        plane=_plane(geometry),
        name=" ".join(volume.suffixes),
        notes=tuple(f"{loss.message} [{loss.name}]" for loss in losses),
    )


def _spacing(geometry: Geometry | None) -> tuple[float, ...]:
    return () if geometry is None else tuple(round(value, 4) for value in geometry.spacing)


def _plane(geometry: Geometry | None) -> str:
    """Return ``axial``, ``coronal`` or ``sagittal``, with ``oblique`` if off by over a degree."""
    if geometry is None:
        return "no geometry"
    directions = geometry.directions
    normal = np.cross(directions[:, 0], directions[:, 1])
    name = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(normal)))]
    is_straight = bool((np.abs(directions).max(axis=0) > np.cos(np.radians(1.0))).all())
    tilted = "" if geometry.is_orthogonal else ", tilted"
    return f"{name}{'' if is_straight else ' oblique'}{tilted}"


def _other(spec: FormatSpec, file: InputFile, options: ReadOptions) -> tuple[SeriesInfo, set[str]]:
    """Describe a file of another format by its images, and name the files it came with."""
    images = []
    companions: dict[str, None] = {}
    for image in _iter_images(spec, file, options):
        images.append(
            ImageInfo(
                shape=(
                    *image.size_ijk,
                    *((image.volume_count,) if image.volume_count > 1 else ()),
                ),
                spacing=_spacing(image.geometry),
                plane=_plane(image.geometry),
                dtype=image.dtype.name,
                notes=tuple(f"{loss.message} [{loss.name}]" for loss in image.losses),
            )
        )
        companions |= dict.fromkeys(str(source.path) for source in image.sources)
    companions.pop(str(file.path), None)
    info = SeriesInfo(spec.name, 1 + len(companions), tuple(images), path=file.shown)
    return info, set(companions)


def _iter_images(spec: FormatSpec, file: InputFile, options: ReadOptions) -> Iterator[Image]:
    source: Any = [file.path] if spec.gathers else file.path
    yield from resolve(spec.read)(source, options)
