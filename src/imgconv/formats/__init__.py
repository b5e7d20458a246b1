"""Image formats: one module each, one row each in the table."""
