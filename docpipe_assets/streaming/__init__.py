"""Bounded memory: windows over pages, tables on disk, hashed sets."""
