"""Helpers with bounded memory: windows over pages, tables on disk, hashed sets."""
