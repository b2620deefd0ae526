"""Reads and writes Dagster's records about documents."""
