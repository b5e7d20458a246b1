"""Family B: NIfTI volumes, their sidecars and gradient tables."""

from __future__ import annotations

from imgconv.spec import RuleSpec

__all__ = ["OTHER_FILE_RULES"]

_OTHER = ""

OTHER_FILE_RULES: tuple[RuleSpec, ...] = (
    RuleSpec(
        id="B001",
        name="damaged-nifti",
        title="The NIfTI file is damaged",
        reason="Programs that read it fail or return noise.",
        source="NIfTI-1.1, NIfTI-2",
        severity="error",
        check=_OTHER,
        fails="a file shorter than its header says",
        passes="a whole file",
        scope="file",
    ),
    RuleSpec(
        id="B002",
        name="missing-orientation",
        title="The NIfTI file gives no usable orientation",
        reason="Left and right are anybody's guess.",
        source="NIfTI-1.1, qform and sform",
        severity="error",
        check=_OTHER,
        fails="qform and sform codes of 0",
        passes="an sform",
        scope="file",
    ),
    RuleSpec(
        id="B003",
        name="unusable-voxel-size",
        title="A voxel size is not positive",
        reason="Sizes and volumes computed from it are wrong.",
        source="NIfTI-1.1, pixdim",
        severity="error",
        check=_OTHER,
        fails="a pixdim of 0",
        passes="positive sizes",
        scope="file",
    ),
    RuleSpec(
        id="B004",
        name="malformed-sidecar",
        title="The sidecar is no JSON, or a value has the wrong unit",
        reason="Pipelines take milliseconds for seconds.",
        source="BIDS 1.10, sidecar files",
        severity="error",
        check=_OTHER,
        fails="RepetitionTime 2000",
        passes="RepetitionTime 2.0",
        scope="file",
    ),
    RuleSpec(
        id="B005",
        name="contradictory-gradients",
        title="Gradient tables and volume disagree",
        reason="Diffusion models are fitted to the wrong directions.",
        source="BIDS 1.10, diffusion imaging data",
        severity="error",
        check=_OTHER,
        fails="64 b-values and 65 volumes",
        passes="one entry per volume",
        scope="file",
    ),
    RuleSpec(
        id="B006",
        name="missing-sidecar",
        title="The volume has no sidecar",
        reason="Acquisition parameters are unknown.",
        source="BIDS 1.10, sidecar files",
        severity="warning",
        check=_OTHER,
        fails="scan.nii.gz alone",
        passes="scan.nii.gz and scan.json",
        scope="file",
        opt_in=True,
    ),
)
