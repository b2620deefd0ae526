"""Bates labels: stamps on pages, their sequences, and checks for gaps and duplicates."""
