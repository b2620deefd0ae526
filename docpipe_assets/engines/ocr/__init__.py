"""Engines that read page images, one program or library per file."""
