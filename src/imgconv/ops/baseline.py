"""Findings that are known today and accepted: only new ones fail a run."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path

from imgconv.core.atomic import write_bytes
from imgconv.core.finding import Finding
from imgconv.errors import ConfigError

__all__ = ["Baseline", "fingerprint"]

_VERSION = 1


def fingerprint(finding: Finding) -> str:
    """Return what stays the same when a finding is found again: rule, file, place, message.

    The file counts by its name and its folder's, so that a moved checkout keeps its baseline.
    """
    place = "/".join(Path(finding.path).parts[-2:])
    text = f"{finding.rule}\x1f{place}\x1f{finding.tag}\x1f{finding.message}"
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:20]


class Baseline:
    """Fingerprints and how often each may appear."""

    def __init__(self, counts: Counter[str] | None = None) -> None:
        self._counts = Counter(counts or {})
        self._seen: Counter[str] = Counter()

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """Read a baseline.

        Raises
        ------
        ConfigError
            It cannot be read or is none.
        """
        try:
            document = json.loads(path.read_bytes())
            counts = Counter({str(k): int(v) for k, v in document["findings"].items()})
        except OSError as error:
            raise ConfigError(
                f"the baseline cannot be read: {error.strerror}",
                path=path,
                hint="make one by `--write-baseline FILE`",
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError("is no baseline of imgconv", path=path) from error
        return cls(counts)

    def knows(self, finding: Finding) -> bool:
        """Whether the finding is accepted; each use counts."""
        key = fingerprint(finding)
        self._seen[key] += 1
        return self._seen[key] <= self._counts[key]

    def add(self, finding: Finding) -> None:
        """Accept one more such finding."""
        self._counts[fingerprint(finding)] += 1

    def write(self, path: Path) -> None:
        """Write the accepted findings."""
        document = {"version": _VERSION, "findings": dict(sorted(self._counts.items()))}
        write_bytes(path, (json.dumps(document, indent=1) + "\n").encode())
