"""Bates labels: stamps on pages, runs of them, what is missing or doubled."""
