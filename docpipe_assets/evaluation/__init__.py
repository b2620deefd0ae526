"""Evaluation of engines on labelled pages: scores, and runs as in the pipeline."""
