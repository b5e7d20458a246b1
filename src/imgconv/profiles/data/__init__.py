"""Profiles as data files."""
