"""A small command around the engine, for tests that kill it: IN OUT MANIFEST [resume]."""

import sys
from pathlib import Path

from tests.unit.batch import batch_jobs

from imgconv.batch.job import BatchOptions, Job
from imgconv.batch.ledger import Ledger, run_batch


def main(source, target, manifest, pause, resume=""):
    jobs = [
        Job(path.name, (path,), (Path(target, path.name),), path.stat().st_size, float(pause))
        for path in sorted(Path(source).iterdir())
    ]
    ledger = Ledger(manifest=Path(manifest), resume=bool(resume))
    options = BatchOptions(workers=2, isolate=True, overlap=True)
    summary = run_batch(jobs, batch_jobs.copy, options, ledger)
    sys.stderr.write(f"{dict(summary.counts)}\n")
    return summary.exit_code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
