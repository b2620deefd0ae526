"""Trains the models that docpipe ships. Not part of the wheel."""
