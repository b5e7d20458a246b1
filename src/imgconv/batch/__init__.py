"""Plan, workers, manifest: many small jobs that survive faults.

`imgconv.batch.ledger.run_batch` is what commands call; `imgconv.batch.engine.run`
is the bare stream of outcomes.
"""
