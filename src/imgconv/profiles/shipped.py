"""The profiles that come with imgconv."""

from __future__ import annotations

from imgconv.spec import ProfileSpec

__all__ = ["PROFILES"]

_PACKAGE = "imgconv.profiles.data"
_DICOM = "dicom.toml"


def _shipped(name: str, title: str, resource: str = "") -> ProfileSpec:
    return ProfileSpec(name, title, _PACKAGE, resource or f"{name}.yaml")


PROFILES: tuple[ProfileSpec, ...] = (
    # The default is TOML: PyYAML takes 12 ms to import, tomllib 2.
    _shipped(
        "dicom", "the standard: files, values, modules, pixels, geometry, consistency", _DICOM
    ),
    _shipped("part10", "files and encoding only"),
    _shipped("series", "the standard, for whole series", _DICOM),
    _shipped("part10-min", "another name of `part10`", "part10.yaml"),
    _shipped("series-geometry", "whether slices make volumes, and files of a series agree"),
    _shipped("pacs-import", "another name of `archive-import`", "archive-import.yaml"),
    _shipped("archive-import", "what an archive needs to store, index and find studies"),
    _shipped("research", "what a study needs to analyse images"),
    _shipped("ml-dataset", "what a data set for machine learning needs"),
    _shipped("nnunet-ready", "one volume per series, on a regular grid"),
    _shipped("bids-ready", "series that convert to BIDS with complete sidecars"),
    _shipped("deidentified", "de-identified by PS3.15 annex E"),
    _shipped("de-identified", "another name of `deidentified`", "deidentified.yaml"),
    _shipped("tcia-submission", "de-identified images for The Cancer Imaging Archive"),
)
