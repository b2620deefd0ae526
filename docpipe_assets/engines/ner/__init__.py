"""Engines that find names in a chunk of text, one library or method per file."""
