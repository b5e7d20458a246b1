"""Reports of a validation: each takes findings as they come and writes them to a stream."""

from __future__ import annotations

from imgconv.ops.reports.table import REPORTS, ReportSpec, make_report

__all__ = ["REPORTS", "ReportSpec", "make_report"]
