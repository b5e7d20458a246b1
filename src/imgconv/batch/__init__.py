"""Plan, workers, manifest: many small jobs that survive faults."""
