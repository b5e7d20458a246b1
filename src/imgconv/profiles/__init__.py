"""Data files that select rules and limits."""
