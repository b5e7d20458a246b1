"""The verbs that a library user calls."""
